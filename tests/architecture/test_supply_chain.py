"""What judges our dependencies and our wheel can be trusted to say no (SC-01, SC-02, SC-04)."""

import re
import runpy
import tomllib
from pathlib import Path
from typing import Any

import pytest

TOP = Path(__file__).parents[2]
JUDGE = runpy.run_path(str(TOP / ".ci" / "judge_supply_chain.py"))
WHEEL = runpy.run_path(str(TOP / ".ci" / "check_wheel.py"))

LOCKED = JUDGE["locked_in"]("anyio==4.16.0\ncolorama==0.4.6 ; sys_platform == 'win32'\nargon2-cffi-bindings==26.2.0\n")
# As pip-audit 2.10.1 wrote them.
SKIPPED = {
    "dependencies": [
        {"name": name, "skip_reason": f"Dependency not found on PyPI and could not be audited: {name} ({version})"}
        for name, version in sorted(LOCKED)
    ],
    "fixes": [],
}
CLEAN = {
    "dependencies": [{"name": name, "version": version, "vulns": []} for name, version in sorted(LOCKED)],
    "fixes": [],
}
KNOWN = {
    "id": "PYSEC-2024-38",
    "fix_versions": ["0.109.1"],
    "aliases": ["CVE-2024-24762"],
    "description": "FastAPI is a web framework",
}


def judged(report: dict[str, Any] | None) -> list[str]:
    return [*JUDGE["problems_of_audit"](LOCKED, report)]


def test_sc_01_what_is_locked_is_read_with_and_without_markers() -> None:
    assert {("anyio", "4.16.0"), ("colorama", "0.4.6"), ("argon2-cffi-bindings", "26.2.0")} == LOCKED


def test_sc_01_an_audit_of_everything_that_found_nothing_is_good() -> None:
    assert judged(CLEAN) == []


def test_sc_01_an_audit_of_nothing_is_none() -> None:
    # pip-audit itself says "No known vulnerabilities found" to this, and succeeds.
    assert judged(SKIPPED) == [
        "Nothing was audited, of 3 packages. The service cannot be reached, or does not know them."
    ]
    assert judged({"dependencies": [], "fixes": []}) == judged(SKIPPED)


def test_sc_01_an_audit_that_left_one_out_says_which() -> None:
    report = {"dependencies": [*CLEAN["dependencies"][:2], SKIPPED["dependencies"][2]], "fixes": []}
    assert judged(report) == ["1 of 3 packages were not audited: colorama 0.4.6."]


def test_sc_01_an_audit_of_another_version_is_none_of_this() -> None:
    report = {"dependencies": [*CLEAN["dependencies"][1:], {"name": "anyio", "version": "4.15.0", "vulns": []}]}
    assert len(judged(report)) == 1


def test_sc_01_what_is_known_is_told_with_what_mends_it() -> None:
    report = {"dependencies": [*CLEAN["dependencies"], {"name": "fastapi", "version": "0.109.0", "vulns": [KNOWN]}]}
    assert judged(report) == ["fastapi 0.109.0: PYSEC-2024-38, mended by 0.109.1."]


def test_sc_01_no_report_is_no_good_news() -> None:
    assert judged(None) == ["pip-audit left no report: see above what stopped it."]


def test_sc_02_an_sbom_names_all_with_their_hashes() -> None:
    distribution = {"type": "distribution", "hashes": [{"alg": "SHA-256", "content": "0" * 64}]}
    components = [
        {"name": name, "version": version, "externalReferences": [distribution]} for name, version in sorted(LOCKED)
    ]
    problems_of_sbom = JUDGE["problems_of_sbom"]
    assert [*problems_of_sbom(LOCKED, {"components": components})] == []
    assert [*problems_of_sbom(LOCKED, {"components": components[1:]})] == ["The SBOM leaves out anyio 4.16.0."]
    del components[1]["externalReferences"]
    assert [*problems_of_sbom(LOCKED, {"components": components})] == [
        "The SBOM has no hash of argon2-cffi-bindings 26.2.0."
    ]


def test_sc_04_nobody_reads_multipart() -> None:
    locked = {package["name"] for package in tomllib.loads((TOP / "uv.lock").read_text())["package"]}
    assert "fastapi" in locked
    assert not locked & {"python-multipart", "multipart", "python-jose"}


GOOD = [
    *WHEEL["NEEDED"],
    "domain/errors.py",
    "application/ports/clock.py",
    "adapters/postgres/migrations/versions/a.py",
]


def test_sc_04_a_wheel_of_what_is_needed_is_good() -> None:
    assert [*WHEEL["problems"]([*GOOD, "hallporter-0.1.0.dist-info/METADATA"])] == []


@pytest.mark.parametrize(
    "stray",
    [
        "tests/world.py",
        "conftest.py",
        ".ci/run",
        "alembic/env.py",
        "adapters/http/tests/test_app.py",
        "adapters/http/conftest.py",
        "adapters/http/test_app.py",
        "adapters/http/app_test.py",
        "adapters/mail/fixtures/mail.eml",
        "entrypoints/.env",
        "entrypoints/.hallporter/secret-key",
        "domain/__pycache__/errors.cpython-313.pyc",
    ],
)
def test_sc_04_a_wheel_with_anything_else_is_refused(stray: str) -> None:
    assert [*WHEEL["problems"]([*GOOD, stray])] != []


@pytest.mark.parametrize(
    "missing", [*sorted(WHEEL["NEEDED"]), "domain/errors.py", "adapters/postgres/migrations/versions/a.py"]
)
def test_sc_04_a_wheel_that_lacks_something_is_refused(missing: str) -> None:
    assert [*WHEEL["problems"]([name for name in GOOD if name != missing])] != []


def test_every_rule_of_security_that_is_ignored_has_its_reason() -> None:
    folders = ("domain", "application", "adapters", "entrypoints", "alembic", "tests", ".ci")
    for path in [TOP / "pyproject.toml", *(file for folder in folders for file in (TOP / folder).rglob("*.py"))]:
        lines = path.read_text().splitlines()
        for above, line in zip(["", *lines], lines, strict=False):
            if re.search(r"noqa: .*\bS\d{3}\b", line):
                assert re.search(r"noqa: [A-Z0-9, ]+ \(.+\)", line) or above.strip().startswith("#"), f"{path}: {line}"
            elif path.suffix == ".toml" and re.search(r'"S\d{3}"', line):
                assert "# " in line, line
