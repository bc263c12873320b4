"""Schemathesis against the app on PostgreSQL: what it is told, whom it is, and what it found.

It reads the OpenAPI document alone, and sends what that allows and what it forbids, first as examples, then one rule
after the other, then at random, then along the links. Its engine is the one behind its command line.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants
from schemathesis.auths import AuthProvider
from schemathesis.config import SchemathesisConfig
from schemathesis.config._checks import NEGATIVE_DATA_REJECTION_EXPECTED_STATUSES
from schemathesis.engine import events, from_schema
from schemathesis.engine.recorder import Interaction
from schemathesis.generation.meta import TestPhase
from schemathesis.hooks import unregister
from schemathesis.python.asgi import shutdown_lifespans
from schemathesis.schemas import BaseSchema

from adapters.http.app import create_app
from adapters.http.limits import MAX_URL_BYTES
from adapters.http.problems import MEDIA_TYPE
from adapters.http.refusals import Refusal
from adapters.postgres.database import open_engine
from tests.conftest import FuzzProfile, empty, unit_of_work_on
from tests.http.caller import Caller
from tests.http.conftest import CONFIG, postgres_adapters
from tests.world import make_world

type _Case = schemathesis.Case[Any]

# Files go over the wire as the texts that they are.
schemathesis.serializer.alias(["application/x-ndjson", "text/csv"], "text/plain")

# Codes of violations that no JSON Schema can foretell: a request may fit the document and be refused with them.
_BEYOND_SCHEMAS = {
    "invalid_email",  # UTS 46, and domains that nobody gets mail at
    "invalid_display_name",  # by categories of Unicode, which patterns of JSON Schema need not know
    "in_the_past",  # by the clock
    "before_from_position",  # one field by another
    "unstorable_text",  # NUL and lone surrogates, anywhere
}
# Codes that say that a request is malformed, whatever the state of the world.
_MALFORMED = {"invalid_input", "malformed_json", "unsupported_media_type", "body_too_large", "route_not_found"}


@schemathesis.check
def what_the_document_allows_is_not_called_malformed(
    _: schemathesis.CheckContext, response: schemathesis.Response, case: _Case
) -> None:
    """By codes, where the library's own check of this (`positive_data_acceptance`) has only statuses to go by."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code < 400:
        return
    problem = response.json()
    violations = {violation["code"] for violation in problem.get("errors", [])}
    assert problem["code"] not in _MALFORMED or (violations and violations <= _BEYOND_SCHEMAS), problem


@schemathesis.check
def every_refusal_has_a_documented_code(
    _: schemathesis.CheckContext, response: schemathesis.Response, case: _Case
) -> None:
    """Its status may be documented for another reason. One that is not documented at all is found by the library."""
    answer = case.operation.definition.raw["responses"].get(str(response.status_code))
    if response.status_code >= 400 and answer is not None:
        assert response.json()["code"] in answer["content"][MEDIA_TYPE]["examples"]


@dataclass
class Findings:
    """What came of it."""

    requests: int = 0
    answered: defaultdict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    failures: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def told(self, profile: FuzzProfile) -> str:
        """For whoever has to mend it: each failure once, and how to see it again."""
        again = f"--fuzz={profile.name} --fuzz-seed={profile.seed}"
        return "\n\n".join([f"{self.requests} requests with {again}", *self.failures.values()])


def fuzz(database: str, profile: FuzzProfile) -> Findings:
    """Send everything, and see what comes back: as nobody a little, and then as a user."""
    findings = Findings()
    with _the_same_texts_each_time(), _app_and_caller(database) as (app, caller):
        _run(_schema(app, profile, _AS_NOBODY), findings)
        schema = _schema(app, profile, {})
        schema.auth(refresh_interval=None)(_bearer(caller))
        with _hooked(*_knowing(caller)):
            _run(schema, findings)
    return findings


def _bearer(caller: Caller) -> type[AuthProvider[str]]:
    class Bearer(AuthProvider[str]):
        def get(self, case: _Case, context: schemathesis.AuthContext, /) -> str:  # noqa: ARG002
            match context.operation.definition.raw["operationId"]:
                case "cancel_deletion":
                    # Only somebody who leaves can stay after all.
                    return caller.wait(caller.access_token_of_a_leaver())
                case "make_recovery_codes":
                    return caller.wait(caller.access_token_with_an_app())
                case "ask_for_passkey_proof":
                    return caller.wait(caller.access_token_with_a_passkey())
            return caller.wait(caller.access_token())

        def set(self, case: _Case, data: str, context: schemathesis.AuthContext, /) -> None:  # noqa: ARG002
            case.headers["Authorization"] = f"Bearer {data}"

    return Bearer


def _knowing(caller: Caller) -> Iterator[Callable[..., None]]:
    def before_call(_: schemathesis.HookContext, case: _Case, kwargs: dict[str, Any]) -> None:
        """Examples and histories get somewhere; what is tried otherwise is left as it is."""
        if (
            case.meta is not None
            and case.meta.generation.mode.is_positive
            and case.meta.phase.name in {TestPhase.EXAMPLES, TestPhase.STATEFUL}
        ):
            knows = caller.wait(caller.body(case.operation.definition.raw["operationId"]))
            case.body = case.body if knows is None else knows
            _name_what_is_there(case, caller, is_example=case.meta.phase.name is TestPhase.EXAMPLES)

    def after_call(_: schemathesis.HookContext, case: _Case, response: schemathesis.Response) -> None:
        if case.method != "GET" and response.status_code < 300:
            caller.look_again()

    yield before_call
    yield after_call


_OF_PASSKEYS = {"rename_passkey", "remove_passkey"}


def _name_what_is_there(case: _Case, caller: Caller, *, is_example: bool) -> None:
    operation = case.operation.definition.raw["operationId"]
    if is_example and "user_id" in case.path_parameters:
        case.path_parameters["user_id"] = str(caller.wait(caller.somebody()))
    if is_example and "import_id" in case.path_parameters:
        case.path_parameters["import_id"] = str(caller.wait(caller.some_import()))
    if is_example and operation == "reset_factor":
        user_id, factor_id = caller.wait(caller.somebody_with_an_app())
        case.path_parameters |= {"user_id": str(user_id), "factor_id": str(factor_id)}
    if is_example and operation == "remove_factor":
        caller.named["factor_id"] = str(caller.wait(caller.own_app()))
    if is_example and operation in _OF_PASSKEYS:
        caller.named["factor_id"] = str(caller.wait(caller.own_passkey()))
    if is_example and operation in {"remove_factor", "activate_totp", "answer_challenge"} | _OF_PASSKEYS:
        case.path_parameters |= {name: caller.named[name] for name in case.path_parameters}
    if is_example and "reference" in case.path_parameters:
        case.path_parameters["reference"] = caller.wait(caller.reference())
    if is_example and operation == "delete_user":
        case.headers["If-Match"] = "*"
        case.query = {"mode": caller.either("grace", "erase")}


@contextmanager
def _hooked(*hooks: Callable[..., None]) -> Iterator[None]:
    """These know of all schemas only, so they must go again."""
    for each in hooks:
        schemathesis.hook(each)
    try:
        yield
    finally:
        for each in hooks:
            unregister(each)


@contextmanager
def _the_same_texts_each_time() -> Iterator[None]:
    """Hypothesis takes constants of whatever code is loaded for texts to try: another seed with each change of ours."""
    none = Constants(integers=set(), floats=set(), bytes=set(), strings=set())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(providers, "_get_local_constants", lambda: none)
        yield


@contextmanager
def _app_and_caller(database: str) -> Iterator[tuple[FastAPI, Caller]]:
    """The app runs in a thread of its own, and all that it needs is opened there."""
    callers: list[Caller] = []

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_engine(database, pool_size=2) as engine:
            await empty(engine)
            with postgres_adapters(engine, unit_of_work_on(engine), database) as adapters:
                world = make_world(adapters)
                app.state.container = world.container
                callers.append(Caller(world))
                yield

    # Names by which the tool calls where it is told none.
    app = create_app(config=replace(CONFIG, allowed_hosts=("localhost", "testserver")), lifespan=lifespan)
    try:
        # Its first request starts it.
        schemathesis.openapi.from_asgi("/openapi.json", app)
        yield app, callers[0]
    finally:
        shutdown_lifespans()


_AS_NOBODY: dict[str, Any] = {
    "examples": {"fill-missing": True},
    "coverage": {"enabled": False},
    "fuzzing": {"enabled": False},
    "stateful": {"enabled": False},
}


def _schema(app: FastAPI, profile: FuzzProfile, phases: dict[str, Any]) -> BaseSchema:
    config: dict[str, Any] = {
        "seed": profile.seed,
        # Tokens and passwords of a test are worth nothing, and a failure must be repeatable from its output.
        "output": {"sanitization": {"enabled": False}},
        "generation": {"mode": "all", "max-examples": profile.examples, "database": "none"},
        "phases": {
            "coverage": {"unexpected-methods": [*profile.unexpected_methods]},
            "stateful": {"generation": {"max-examples": 5 * profile.examples}},
        }
        | phases,
        "checks": {
            # And 412: whoever speaks of another version is refused whatever else they say. And 413, for a text that is
            # longer than a whole body may be.
            "negative_data_rejection": {
                "expected-statuses": [*NEGATIVE_DATA_REJECTION_EXPECTED_STATUSES, "412", "413"],
            },
            # Replaced by a check of ours that looks at codes: at statuses, 422 for a link that is not good any more
            # and 422 for a malformed field are the same.
            "positive_data_acceptance": {"enabled": False},
        },
    }
    # What is deleted there is what the list holds: an empty list is still one.
    config["operations"] = [
        *(
            {"include-operation-id": name, "checks": {"use_after_free": {"enabled": False}}}
            for name in ("list_user_sessions", "end_user_sessions", "clear_throttles", "suspend_user", "reinstate_user")
        ),
        # Others of the same story may have ended it meanwhile.
        {"include-operation-id": "end_session", "checks": {"ensure_resource_availability": {"enabled": False}}},
    ]
    # What a file holds is for its rows to be told.
    config["operations"].append(
        {"include-operation-id": "import_users", "checks": {"negative_data_rejection": {"enabled": False}}}
    )
    return schemathesis.openapi.from_asgi("/openapi.json", app, config=SchemathesisConfig.from_dict(config))


def _run(schema: BaseSchema, findings: Findings) -> None:
    for event in from_schema(schema).execute():
        _note(event, findings)


def _note(event: events.EngineEvent, findings: Findings) -> None:
    if isinstance(event, events.NonFatalError | events.FatalError):
        findings.failures[("error", str(event), "")] = str(
            event.info if isinstance(event, events.NonFatalError) else event
        )
    if not isinstance(event, events.ScenarioFinished):
        return
    recorder = event.recorder
    for case_id, interaction in recorder.interactions.items():
        findings.requests += 1
        if interaction.response is not None:
            operation = recorder.cases[case_id].value.operation.definition.raw["operationId"]
            findings.answered[operation].add(interaction.response.status_code)
    for case_id, checks in recorder.checks.items():
        label = recorder.cases[case_id].value.operation.label
        for check in checks:
            if check.failure_info is None:
                continue
            failure, response = check.failure_info.failure, recorder.interactions[case_id].response
            if _has_too_long_an_address(recorder.interactions[case_id]):
                continue
            told = [
                f"{label}: {check.name}, {failure.title}",
                failure.message,
                check.failure_info.code_sample,
                f"{response.status_code} {response.text[:1000]}" if response is not None else "no answer",
            ]
            findings.failures.setdefault((check.name, label, failure.title), "\n".join(told))


def _has_too_long_an_address(interaction: Interaction) -> bool:
    """Whether it was refused at the door for that, before anybody knew for which operation: none documents it."""
    answered = interaction.response is not None and interaction.response.status_code == Refusal.URI_TOO_LONG.status
    return answered and len(interaction.request.uri) > MAX_URL_BYTES
