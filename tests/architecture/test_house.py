"""What is listed in one place is complete there."""

import ast
import inspect
import re
import subprocess
from dataclasses import fields, replace
from pathlib import Path
from typing import Protocol
from uuid import UUID

import punq
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from adapters.http.app import HttpConfig, create_app
from adapters.http.problems import STATUS_OF_CATEGORY, all_codes, status_of
from adapters.http.refusals import Refusal
from adapters.http.route_checks import routes_of
from adapters.http.routing import Route
from adapters.memory.clock import MemoryClock
from adapters.postgres import jobs
from adapters.postgres.errors import CONSTRAINTS
from adapters.postgres.models import Base
from application.admin.list_users import ListUsers
from domain.errors import DomainError, InvalidInput, concrete_errors
from domain.events import Event
from entrypoints import container
from entrypoints.container import USE_CASES, build_container
from entrypoints.settings import Settings
from tests.world import SETTINGS, make_world, memory_adapters

TOP = Path(__file__).parents[2]
ERRORS = list(concrete_errors())


class UnboundPort(Protocol):
    """What no adapter stands behind."""


def make_app() -> FastAPI:
    return create_app(config=HttpConfig(public_url="https://a.example.com", version="1", mailbox=True))


def routes() -> list[APIRoute]:
    return [route for route in routes_of(make_app()) if isinstance(route, APIRoute)]


def test_every_code_is_unique_and_well_formed() -> None:
    codes = [error.code for error in ERRORS] + [refusal.code for refusal in Refusal]
    assert len(codes) == len(set(codes)) == len(all_codes())
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", code) for code in codes)


@pytest.mark.parametrize("error", ERRORS)
def test_every_refusal_has_one_category_a_title_and_an_explanation(error: type[DomainError]) -> None:
    categories = [category for category in STATUS_OF_CATEGORY if issubclass(error, category)]
    assert len(categories) == 1
    assert status_of(error) == STATUS_OF_CATEGORY[categories[0]]
    assert error.title
    assert not error.title.endswith(".")
    assert inspect.getdoc(error) != inspect.getdoc(categories[0])
    assert error.__doc__


def test_every_category_can_be_told_from_the_tree_at_the_top_of_its_module() -> None:
    tree = inspect.getdoc(inspect.getmodule(DomainError)) or ""
    assert set(re.findall(r"[├└]── (\w+)", tree)) == {category.__name__ for category in STATUS_OF_CATEGORY}


def test_a_refusal_of_input_always_says_of_which() -> None:
    for error in concrete_errors(InvalidInput):
        assert "violations" in inspect.signature(error.__init__).parameters


def test_every_event_has_a_stable_name_of_its_own() -> None:
    def below(event: type[Event]) -> list[type[Event]]:
        return [found for child in event.__subclasses__() for found in (child, *below(child))]

    # By name, for a dataclass with slots leaves the class behind that it was made from.
    events = {event.__qualname__: event for event in below(Event) if event.__module__.startswith("domain.")}.values()
    names = [event.name for event in events]
    assert len(names) == len(set(names)) >= 7
    assert all(re.fullmatch(r"[a-z_]+\.[a-z_]+", name) for name in names)
    for event in events:
        for item in fields(event):
            assert not re.search(r"password|token|secret|email", item.name), f"{event.name} holds {item.name}"


def test_every_route_reads_strictly_and_has_a_name_of_its_own() -> None:
    found = routes()
    names = [route.name for route in found]
    assert len(names) == len(set(names)) >= 9
    assert all(isinstance(route, Route) for route in found)


def test_fault_41_what_is_no_id_fits_no_path_that_has_one() -> None:
    # Or /v1/sessions/refresh would be said to take DELETE.
    for route in routes():
        for field in route.dependant.path_params:
            if field.field_info.annotation is UUID:
                assert f"{{{field.alias}:uuid}}" in route.path, route.name


def test_ap_03_nothing_is_changed_by_get() -> None:
    for route in routes():
        if "GET" in (route.methods or ()):
            assert re.match(r"get_|show_|list_", route.name), route.name
            assert route.body_field is None


def test_every_use_case_is_in_the_container_and_every_port_is_bound() -> None:
    built = build_container(SETTINGS, memory_adapters())
    for use_case in USE_CASES:
        assert isinstance(built.resolve(use_case), use_case)
        assert built.resolve(use_case) is built.resolve(use_case)
    with pytest.raises(LookupError, match="MemoryClock"):
        built.resolve(MemoryClock)


def test_every_class_of_the_application_that_can_be_executed_is_a_use_case_of_the_container() -> None:
    bound = {use_case.__name__ for use_case in USE_CASES}
    for path in (TOP / "application").rglob("*.py"):
        for node in ast.parse(path.read_text()).body:
            methods = getattr(node, "body", []) if isinstance(node, ast.ClassDef) else []
            if any(getattr(method, "name", "") == "execute" for method in methods):
                assert isinstance(node, ast.ClassDef)
                assert node.name in bound


def test_a_missing_binding_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    class Impossible:
        def __init__(self, needed: UnboundPort) -> None: ...

    monkeypatch.setattr(container, "USE_CASES", (*USE_CASES, Impossible))
    with pytest.raises(punq.MissingDependencyError):
        build_container(SETTINGS, memory_adapters())


def test_fault_7_no_other_use_case_is_handed_a_copy_that_may_be_behind() -> None:
    copy = make_world().unit_of_work
    built = build_container(SETTINGS, replace(memory_adapters(), delayed_reads=copy))
    held = {one for one in USE_CASES if any(value is copy for value in vars(built.resolve(one)).values())}
    assert held == {ListUsers}


def test_every_constraint_that_has_a_word_exists() -> None:
    constraints = {constraint.name for table in Base.metadata.tables.values() for constraint in table.constraints}
    indexes = {index.name for table in Base.metadata.tables.values() for index in table.indexes}
    assert set(CONSTRAINTS) <= constraints | indexes


def test_every_setting_is_on_its_page() -> None:
    documented = (TOP / "docs" / "settings.md").read_text()
    for name in Settings.model_fields:
        assert f"`{name.upper()}`" in documented, name


def test_the_committed_lock_file_names_no_address() -> None:
    committed = subprocess.run(
        ["git", "show", "HEAD:uv.lock"],  # noqa: S607  (whoever has a clone has git)
        check=True,
        cwd=TOP,
        capture_output=True,
        text=True,
    ).stdout
    assert "http://" not in committed
    assert "https://" not in committed
    assert "sha256:" in committed


def test_no_file_is_about_too_many_things() -> None:
    for floor in ("domain", "application", "adapters", "entrypoints"):
        for path in (TOP / floor).rglob("*.py"):
            assert len(path.read_text().splitlines()) <= 300, path


def test_pr_01_every_table_is_on_the_page_about_what_is_held() -> None:
    page = (TOP / "docs" / "privacy.md").read_text()
    assert [table for table in sorted({*Base.metadata.tables, *jobs.TABLES}) if f"`{table}`" not in page] == []


def test_incident_54_no_library_that_was_given_up_is_locked() -> None:
    locked = set(re.findall(r'^name = "(.+)"$', (TOP / "uv.lock").read_text(), re.MULTILINE))
    assert "joserfc" in locked
    assert not locked & {"python-jose", "passlib", "pycrypto", "ecdsa"}


def test_sk_05_every_key_stands_on_the_page_of_keys() -> None:
    page = (TOP / "docs" / "keys.md").read_text()
    purposes = {
        found
        for floor in ("application", "adapters")
        for path in (TOP / floor).rglob("*.py")
        for found in re.findall(r'^(?:_PURPOSE|SEALED_\w+) = "(.+)"$', path.read_text(), re.MULTILINE)
    }
    assert len(purposes) >= 8
    for purpose in purposes:
        assert f"`{purpose}`" in page, purpose
    for setting in Settings.model_fields:
        if setting.endswith("_key"):
            assert f"`{setting.upper()}`" in page
