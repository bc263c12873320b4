"""The rules of import-linter hold, cover everything, and can fail."""

import ast
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
FLOORS = ("domain", "application", "adapters", "entrypoints")
LINT = Path(sys.executable).with_name("lint-imports")


def modules(*floors: str) -> Iterator[tuple[str, ast.Module]]:
    for floor in floors:
        for path in sorted((TOP / floor).rglob("*.py")):
            yield str(path.relative_to(TOP)), ast.parse(path.read_text())


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            assert node.module is not None
            yield node.module


def lint(top: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([LINT, "--no-cache"], check=False, cwd=top, capture_output=True, text=True)


def test_the_domain_imports_the_standard_library_only() -> None:
    for path, tree in modules("domain"):
        foreign = {name.split(".")[0] for name in imported(tree)} - sys.stdlib_module_names - {"domain"}
        assert not foreign, f"{path} imports {foreign}"


def test_the_application_imports_the_domain_and_the_standard_library_only() -> None:
    for path, tree in modules("application"):
        roots = {name.split(".")[0] for name in imported(tree)}
        foreign = roots - sys.stdlib_module_names - {"domain", "application"}
        assert not foreign, f"{path} imports {foreign}"


def test_the_domain_does_nothing_asynchronous() -> None:
    for path, tree in modules("domain"):
        found = [node for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef | ast.Await)]
        assert not found, path


def test_the_core_asks_nobody_for_time_or_chance_but_its_ports() -> None:
    for path, tree in modules("domain", "application"):
        roots = {name.split(".")[0] for name in imported(tree)}
        assert not roots & {"random", "secrets", "time"}, path
        calls = [node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
        assert not {"utcnow", "today", "uuid4", "uuid1"} & set(calls), path
        # `self._clock.now()` is the only now there is.
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr == "now":
                assert ast.unparse(node) == "self._clock.now", path


def test_the_core_is_typed_without_escapes() -> None:
    for path, tree in modules("domain", "application"):
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        assert not names & {"Any", "cast"}, path


def test_transactions_are_opened_by_use_cases_alone() -> None:
    for path, tree in modules("adapters", "entrypoints"):
        opened = [
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute)
            and node.attr in {"begin", "read"}
            and "unit_of_work" in ast.unparse(node.value)
        ]
        # It stands around another one, and opens what it is asked to open.
        assert not opened or path == "adapters/traces/traced_unit_of_work.py", path


def test_fault_7_a_copy_that_may_be_behind_is_read_by_lists_for_people_alone() -> None:
    """Whoever authenticates somebody, or decides what they may do, cannot get at it."""
    importers: dict[str, set[str]] = {"application.ports.delayed_reads": set(), "adapters.postgres.replica": set()}
    for path, tree in modules(*FLOORS):
        for name in importers.keys() & set(imported(tree)):
            importers[name].add(path)
    wiring = {"entrypoints/adapters.py", "entrypoints/container.py"}
    assert importers == {
        "application.ports.delayed_reads": {"application/admin/list_users.py", "adapters/postgres/replica.py"} | wiring,
        "adapters.postgres.replica": {"entrypoints/adapters.py"},
    }


def test_every_adapter_is_in_the_rule_that_keeps_them_apart() -> None:
    contracts = tomllib.loads((TOP / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (apart,) = (contract for contract in contracts if contract["type"] == "independence")
    folders = {f"adapters.{path.parent.name}" for path in (TOP / "adapters").glob("*/__init__.py")}
    assert set(apart["modules"]) == folders


# Who may import what (SC-03). Libraries that nobody may are in the last rule.
FENCES = {
    "argon2": {"adapters.crypto"},
    "aiosmtplib": {"adapters.mail"},
    "sqlalchemy": {"adapters.postgres"},
    "fastapi": {"adapters.http"},
    "uvicorn": {"adapters.http", "entrypoints"},
    "jinja2": {"adapters.http", "adapters.mail"},
    "pgqueuer": {"adapters.jobs", "adapters.memory", "adapters.postgres"},
    "ua_parser": {"adapters.devices"},
    "redis": {"adapters.redis"},
    "prometheus_client": {"adapters.metrics"},
    "opentelemetry": {"adapters.traces"},
    "webauthn": {"adapters.webauthn"},
    "pickle": set[str](),
}


@pytest.mark.parametrize("library", FENCES)
def test_sc_03_every_module_is_on_one_side_of_every_fence(library: str) -> None:
    """Incident 56 as well: no reader of multipart is to be had."""
    contracts = tomllib.loads((TOP / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (fence,) = (
        contract
        for contract in contracts
        if library in contract.get("forbidden_modules", ()) and contract["name"] != "The core knows no library"
    )
    folders = {f"adapters.{path.parent.name}" for path in (TOP / "adapters").glob("*/__init__.py")}
    assert set(fence["source_modules"]) == ({*FLOORS} - {"adapters"} | folders) - FENCES[library]


def test_redis_is_loaded_by_those_alone_who_have_one() -> None:
    for path, tree in modules("adapters", "entrypoints"):
        at_once = ast.Module([node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)], [])
        found = [name for name in imported(at_once) if name.startswith("adapters.redis")]
        assert not found, path


def test_each_rule_has_been_seen_to_fail(tmp_path: Path) -> None:
    for floor in (*FLOORS, "benchmarks"):
        shutil.copytree(TOP / floor, tmp_path / floor, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(TOP / "pyproject.toml", tmp_path)
    trespasses = {
        "domain.users.user": ["pydantic", "application.users.get_user"],
        "application.users.get_user": ["sqlalchemy", "adapters.memory.clock"],
        "adapters.http.app": ["adapters.postgres.users", "entrypoints.settings", "joserfc"],
        "adapters.system.clock": [*FENCES],
        "entrypoints.service": ["punq"],
    }
    for module, targets in trespasses.items():
        file = tmp_path / (module.replace(".", "/") + ".py")
        file.write_text("".join(f"import {target}\n" for target in targets) + file.read_text())
    outcome = lint(tmp_path)
    assert outcome.returncode != 0
    assert "0 kept" in outcome.stdout
    for module, targets in trespasses.items():
        for target in targets:
            assert f"{module} -> {target} (l." in outcome.stdout


def test_all_rules_hold() -> None:
    outcome = lint(TOP)
    assert outcome.returncode == 0, outcome.stdout
    assert "0 broken" in outcome.stdout


def test_da_03_nothing_is_fetched_from_an_address_that_somebody_names() -> None:
    """Incidents 9, 28 and 37: what cannot fetch cannot be led astray."""
    clients = {"aiohttp", "httpx", "niquests", "requests", "urllib.request", "urllib3", "http.client", "pycurl"}
    for path, tree in modules(*FLOORS):
        names = {name for name in imported(tree) if name in clients or name.split(".")[0] in clients}
        assert not names, f"{path} imports {names}"


def statements(tree: ast.Module) -> Iterator[ast.expr]:
    """Every piece of SQL that is written as such."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in {
            "text",
            "literal_column",
            "exec_driver_sql",
        }:
            yield node.args[0]


def is_constant(statement: ast.expr) -> bool:
    """Whether it is plain text, or holds nothing else than names of constants."""
    if isinstance(statement, ast.JoinedStr):
        parts = [part.value for part in statement.values if isinstance(part, ast.FormattedValue)]
        return all(isinstance(part, ast.Name) and part.id.isupper() for part in parts)
    return isinstance(statement, ast.Constant)


def test_in_07_no_statement_is_put_together_from_what_comes_in() -> None:
    found = {path for path, tree in modules("adapters") for one in statements(tree) if not is_constant(one)}
    # Rights on tables of ours, by their names; the indexes that PostgreSQL names; a database whose name we have made.
    assert found == {"adapters/postgres/roles.py", "adapters/postgres/indexes.py", "adapters/postgres/copying.py"}
    assert [is_constant(one) for one in statements(ast.parse("text(f'{TABLE}'); text(f'{table}'); text('a' + b)"))] == [
        True,
        False,
        False,
    ]
