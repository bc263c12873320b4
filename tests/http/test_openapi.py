"""The document that callers build on."""

from collections.abc import Iterator
from typing import Any

import pytest

from adapters.http.app import HttpConfig, create_app
from adapters.http.problems import MEDIA_TYPE
from entrypoints.service import make_app as make_service
from entrypoints.settings import Environment
from tests.world import SETTINGS

DOCUMENT = create_app(config=HttpConfig(public_url="https://a.example.com", version="1.2.3")).openapi()
OPERATIONS = {operation["operationId"]: operation for path in DOCUMENT["paths"].values() for operation in path.values()}


def schema_of(content: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = content["schema"]
    if "$ref" in schema:
        found: dict[str, Any] = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return found
    return schema


def test_it_is_openapi_3_1_with_one_way_to_authenticate() -> None:
    assert DOCUMENT["openapi"].startswith("3.1")
    assert DOCUMENT["info"]["version"] == "1.2.3"
    assert DOCUMENT["components"]["securitySchemes"]["access_token"]["scheme"] == "bearer"


def test_operations_have_the_names_that_clients_were_generated_with() -> None:
    assert set(OPERATIONS) == {
        "register_user",
        "get_me",
        "update_me",
        "sign_in",
        "answer_challenge",
        "list_factors",
        "enrol_totp",
        "activate_totp",
        "remove_factor",
        "make_recovery_codes",
        "ask_for_passkey",
        "sign_in_with_passkey",
        "ask_for_passkey_proof",
        "offer_passkey",
        "register_passkey",
        "rename_passkey",
        "remove_passkey",
        "list_user_factors",
        "reset_factor",
        "refresh_session",
        "get_current_session",
        "sign_out",
        "list_sessions",
        "end_session",
        "end_other_sessions",
        "change_password",
        "reauthenticate",
        "introspect_token",
        "list_users",
        "create_user",
        "change_user",
        "delete_user",
        "cancel_user_deletion",
        "list_messages",
        "retry_message",
        "list_signing_keys",
        "rotate_signing_key",
        "look_up_user",
        "get_user",
        "list_user_sessions",
        "end_user_sessions",
        "end_any_session",
        "request_user_password_reset",
        "clear_throttles",
        "get_sign_in_attempt",
        "suspend_user",
        "reinstate_user",
        "list_audit_entries",
        "list_audit_checkpoints",
        "verify_audit_log",
        "import_users",
        "list_imports",
        "get_import",
        "list_import_rows",
        "get_users_export",
        "delete_me",
        "list_security_events",
        "cancel_deletion",
        "get_export",
        "request_email_verification",
        "verify_email",
        "request_password_reset",
        "reset_password",
        "request_email_change",
        "confirm_email_change",
        "revert_email_change",
        "get_config",
        "show_change_password",
        "get_jwks",
        "get_liveness",
        "get_readiness",
    }


@pytest.mark.parametrize(
    ("operation", "answers"),
    [
        (
            "register_user",
            {
                201: set(),
                202: set(),
                400: {"malformed_json", "email_already_registered"},
                403: {"registration_closed"},
                408: {"request_timeout"},
                413: {"body_too_large"},
                415: {"unsupported_media_type"},
                409: {"idempotency_in_flight"},
                422: {"invalid_input", "password_rejected", "idempotency_key_reused"},
                500: {"internal_error"},
                429: {"too_many_attempts"},
                503: {
                    "hashing_busy",
                    "out_of_memory",
                    "database_unavailable",
                    "throttles_unavailable",
                    "transaction_conflict",
                },
            },
        ),
        (
            "sign_in",
            {
                201: set(),
                202: set(),
                400: {"malformed_json"},
                401: {"invalid_credentials"},
                403: {"cross_site_request"},
                408: {"request_timeout"},
                413: {"body_too_large"},
                415: {"unsupported_media_type"},
                422: {"invalid_input"},
                500: {"internal_error"},
                429: {"too_many_attempts"},
                503: {
                    "hashing_busy",
                    "out_of_memory",
                    "database_unavailable",
                    "throttles_unavailable",
                    "transaction_conflict",
                },
            },
        ),
        (
            "get_me",
            {
                200: set(),
                304: set(),
                401: {"invalid_access_token"},
                403: {"factor_enrolment_required"},
                422: {"invalid_input"},
                500: {"internal_error"},
                503: {"out_of_memory", "database_unavailable", "transaction_conflict"},
            },
        ),
    ],
)
def test_every_answer_of_an_operation_is_documented(operation: str, answers: dict[int, set[str]]) -> None:
    documented = {
        int(status): set(answer.get("content", {}).get(MEDIA_TYPE, {}).get("examples", {}))
        for status, answer in OPERATIONS[operation]["responses"].items()
    }
    assert documented == answers


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_every_problem_has_the_schema_of_problems_and_examples_that_fit_it(operation: str) -> None:
    for status, answer in OPERATIONS[operation]["responses"].items():
        if int(status) < 400:
            continue
        assert list(answer["content"]) == [MEDIA_TYPE]
        content = answer["content"][MEDIA_TYPE]
        assert schema_of(content)["title"] == "Problem"
        for code, example in content["examples"].items():
            assert example["value"]["code"] == code
            assert example["value"]["status"] == int(status)
            assert set(schema_of(content)["required"]) <= set(example["value"])


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_every_body_has_an_example(operation: str) -> None:
    bodies = [OPERATIONS[operation].get("requestBody", {})]
    bodies += [answer for status, answer in OPERATIONS[operation]["responses"].items() if status in {"200", "201"}]
    for body in bodies:
        for media_type, content in body.get("content", {}).items():
            schema = schema_of(content)
            if not media_type.endswith("json") or media_type.endswith("ndjson"):
                assert content["example"]
                continue
            assert schema.get("type") == "object", "answer with an object: a list stands in its `items`"
            listed = schema["properties"].get("items", {}).get("items")
            schema = schema_of({"schema": listed}) if listed else schema
            is_probe = "status" in schema["properties"]
            assert schema.get("examples") or is_probe, f"{schema['title']} has no json_schema_extra with examples"


@pytest.mark.parametrize(
    "operation", ["get_me", "update_me", "get_current_session", "sign_out", "list_sessions", "change_password"]
)
def test_protected_operations_say_so(operation: str) -> None:
    assert OPERATIONS[operation]["security"] == [{"access_token": []}]


def test_an_operation_that_may_be_called_by_a_user_says_that_it_need_not() -> None:
    assert sorted(map(str, OPERATIONS["verify_email"]["security"])) == ["{'access_token': []}", "{}"]


def test_unknown_fields_are_documented_as_refused() -> None:
    for name in ("UserCreate", "UserUpdate", "SessionCreate", "SessionRefresh"):
        assert DOCUMENT["components"]["schemas"][name]["additionalProperties"] is False


def test_every_link_leads_to_an_operation_with_what_that_one_takes() -> None:
    found = 0
    for answer in (answer for operation in OPERATIONS.values() for answer in operation["responses"].values()):
        for link in answer.get("links", {}).values():
            target = OPERATIONS[link["operationId"]]
            taken = {parameter["name"] for parameter in target.get("parameters", [])}
            assert {name.rpartition(".")[2] for name in link.get("parameters", {})} <= taken
            if "requestBody" in link:
                fields = schema_of(target["requestBody"]["content"]["application/json"])["properties"]
                assert link["requestBody"].keys() <= fields.keys()
            found += 1
    assert found >= 10


def test_a_parameter_is_left_out_and_never_null() -> None:
    parameters = [parameter for operation in OPERATIONS.values() for parameter in operation.get("parameters", [])]
    assert len(parameters) >= 5
    kinds = {schema_of(parameter)["type"] for parameter in parameters}
    assert kinds == {"string", "integer", "boolean"}


def test_patches_may_say_that_they_are_merge_patches() -> None:
    assert set(OPERATIONS["update_me"]["requestBody"]["content"]) == {
        "application/json",
        "application/merge-patch+json",
    }
    assert set(OPERATIONS["register_user"]["requestBody"]["content"]) == {"application/json"}


def test_what_an_address_a_language_and_a_new_password_look_like_is_documented() -> None:
    fields = DOCUMENT["components"]["schemas"]["UserCreate"]["properties"]
    assert (fields["email"]["format"], fields["email"]["maxLength"]) == ("idn-email", 254)
    assert fields["password"]["minLength"] == 8
    assert fields["locale"]["anyOf"][0]["pattern"] == "^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$"


def test_nothing_is_left_of_the_frameworks_own_errors() -> None:
    assert "HTTPValidationError" not in str(DOCUMENT)


def test_without_docs_there_is_neither_document_nor_page() -> None:
    """AP-06."""
    app = create_app(config=HttpConfig(public_url="https://a.example.com", version="1", docs=False))
    assert (app.openapi_url, app.docs_url, app.redoc_url) == (None, None, None)


def taken(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every string that a body takes, with the name of its field."""
    for name, field in schema["properties"].items():
        for kind in field.get("anyOf", [field]):
            if kind.get("type") == "string":
                yield name, kind


BODIES = {
    name: schema_of(content)
    for name, operation in OPERATIONS.items()
    if (content := operation.get("requestBody", {}).get("content", {}).get("application/json")) is not None
}


def test_da_04_every_text_that_is_taken_has_a_longest() -> None:
    parameters = [found for operation in OPERATIONS.values() for found in operation.get("parameters", [])]
    # Headers are bounded where they are read.
    named = {"properties": {found["name"]: found["schema"] for found in parameters if found["in"] != "header"}}
    texts = [text for schema in (*BODIES.values(), named) for text in taken(schema)]
    assert {"email", "password", "token", "cursor", "session_id"} <= {name for name, _ in texts}
    assert [name for name, kind in texts if not {"maxLength", "enum", "format"} & set(kind)] == []
    assert [
        name for name, kind in texts if kind.get("format") not in {None, "uuid", "password", "idn-email", "date-time"}
    ] == []
    assert [name for name, kind in texts if kind.get("format") not in {None, "uuid"} and "maxLength" not in kind] == []


def test_pw_03_nobody_is_asked_for_hints_or_the_answer_to_a_question() -> None:
    names = {name for schema in BODIES.values() for name, _ in taken(schema)}
    assert {"password", "new_password", "current_password"} <= names
    assert not [name for name in names if any(word in name for word in ("hint", "question", "answer", "reminder"))]


def test_ap_06_in_production_there_are_no_docs() -> None:
    app = make_service(SETTINGS.model_copy(update={"environment": Environment.PRODUCTION}))
    assert (app.openapi_url, app.docs_url, app.redoc_url) == (None, None, None)
    assert make_service(SETTINGS).docs_url == "/docs"
