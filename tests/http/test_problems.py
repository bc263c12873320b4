"""Everything that goes wrong looks the same: RFC 9457, and nothing of what was submitted."""

import json
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from adapters.http.injection import resolver
from adapters.http.limits import MAX_BODY_BYTES
from adapters.http.refusals import RefusedByHttp
from adapters.http.strict_json import parse
from adapters.memory.readiness import MemoryReadiness
from application.ports.readiness import Readiness
from application.users.register_user import RegisterUser
from domain.errors import DomainError
from tests.http.conftest import ORIGIN, register, signed_in
from tests.world import EMAIL, PASSWORD

CANARY = "canary-7f3a"


async def post(client: httpx.AsyncClient, content: bytes, content_type: str = "application/json") -> httpx.Response:
    return await client.post("/v1/users", content=content, headers={"Content-Type": content_type})


async def test_a_problem_has_type_instance_and_code(client: httpx.AsyncClient) -> None:
    """AP-01."""
    answer = await client.get("/v1/nowhere")
    assert answer.status_code == 404
    problem = answer.json()
    assert problem == {
        "type": f"{ORIGIN}/problems/route_not_found",
        "title": "There is nothing at this address",
        "status": 404,
        "code": "route_not_found",
        "instance": f"urn:uuid:{answer.headers['x-request-id']}",
    }


async def test_the_type_of_every_problem_leads_to_a_page(client: httpx.AsyncClient, app: FastAPI) -> None:
    operations = [operation for path in app.openapi()["paths"].values() for operation in path.values()]
    codes = {
        code
        for operation in operations
        for status, answer in operation["responses"].items()
        if int(status) >= 400
        for code in answer["content"]["application/problem+json"]["examples"]
    }
    assert {"email_already_registered", "invalid_access_token", "malformed_json", "internal_error"} <= codes
    for code in codes | {"method_not_allowed", "route_not_found"}:
        page = await client.get(f"/problems/{code}")
        assert page.status_code == 200
        assert code in page.text
    assert (await client.get("/problems/unheard_of")).status_code == 404


async def test_a_callers_own_request_id_is_kept_if_it_is_a_uuid(client: httpx.AsyncClient) -> None:
    own = "0192f1c4-6f0e-7c3a-9d2b-5e8f7a6b4c3d"
    answer = await client.get("/livez", headers={"X-Request-Id": own})
    assert answer.headers["x-request-id"] == own
    for other in (b"", b"x", f"{own}\r\nX: y".encode(), b"a" * 10_000):
        answer = await client.get("/livez", headers=[(b"X-Request-Id", other)])
        assert UUID(answer.headers["x-request-id"]).version == 4


@pytest.mark.parametrize(
    ("method", "url", "allow"),
    [
        ("DELETE", "/v1/users", "POST, OPTIONS"),
        ("PUT", "/v1/users/me", "GET, HEAD, PATCH, DELETE, OPTIONS"),
        ("POST", "/v1/sessions/current", "GET, HEAD, DELETE, OPTIONS"),
        ("POST", "/livez", "GET, HEAD, OPTIONS"),
        ("TRACE", "/v1/users/me", "GET, HEAD, PATCH, DELETE, OPTIONS"),
    ],
)
async def test_a_method_that_is_not_there_names_all_that_are(
    client: httpx.AsyncClient, method: str, url: str, allow: str
) -> None:
    """AP-02."""
    answer = await client.request(method, url)
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == allow


@pytest.mark.parametrize("url", ["/v1/users/", "/v1/users/%00", "/v1/%ff", "/%F0%9F%97%9D", "/v1//users"])
async def test_odd_paths_are_not_there(client: httpx.AsyncClient, url: str) -> None:
    """IN-03."""
    assert (await client.get(url)).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"nonsense",
        b"{'email': 1}",
        b'{"email": "a@example.com", "email": "b@example.com", "password": "x"}',
        b'{"email": NaN}',
        b'{"email": -Infinity}',
        b'{"email": 1e999}',
        b'{"email": 123456789012345678901234567890}',
        b'{"email": ' + b"9" * 5000 + b"}",
        b'\xef\xbb\xbf{"email": "a@example.com"}',
        '{"email": "a@example.com"}'.encode("utf-16"),
        b'{"email": "\xff"}',
        b'{"a":' * 33 + b"1" + b"}" * 33,
        b"[" * 30_000 + b"]" * 30_000,
        b"[" * 60_000,
        b'{"email": "tab\tinside"}',
        b'{"email": 1} trailing',
    ],
    ids=range(17),
)
async def test_in_02_only_strict_json_is_json(client: httpx.AsyncClient, body: bytes) -> None:
    """Fault 42."""
    answer = await post(client, body)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_json")


@pytest.mark.parametrize("body", [b"[]", b"1", b'"x"', b"null", b"true", b"", b"[[]]"])
async def test_a_body_that_is_no_object_is_said_to_be_none(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await post(client, body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
    assert [error["pointer"] for error in answer.json()["errors"]] == [""]


@pytest.mark.parametrize("escape", [rb"\u0000", rb"\ud800", rb"\udfff\ud800"])
@pytest.mark.parametrize("place", [b'{"email": "%s"}', b'{"%s": 1}', b'{"a": [{"b": "x%s"}]}', b'"%s"'])
async def test_in_03_what_cannot_be_stored_is_refused_wherever_it_stands(
    client: httpx.AsyncClient, place: bytes, escape: bytes
) -> None:
    answer = await post(client, place.replace(b"%s", escape))
    assert answer.status_code == 422
    assert [error["code"] for error in answer.json()["errors"]] == ["unstorable_text"]


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "",
        "application/xml",
        "é",
    ],
)
async def test_ap_02_only_json_is_read(client: httpx.AsyncClient, content_type: str) -> None:
    """Incident 57."""
    body = f'{{"email": "{EMAIL}", "password": "{PASSWORD}"}}'.encode()
    answer = await client.post("/v1/users", content=body, headers=[(b"Content-Type", content_type.encode())])
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


async def test_json_may_name_its_charset(client: httpx.AsyncClient) -> None:
    body = f'{{"email": "{EMAIL}", "password": "{PASSWORD}"}}'.encode()
    assert (await post(client, body, "application/json; charset=UTF-8")).status_code == 201


async def test_fault_40_an_endless_body_is_not_read_to_its_end(client: httpx.AsyncClient) -> None:
    sent = 0

    async def endless() -> Any:
        nonlocal sent
        while sent < 100 * MAX_BODY_BYTES:
            sent += 1024
            yield b" " * 1024

    answer = await client.post("/v1/users", content=endless(), headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    declared = await post(client, b" " * (MAX_BODY_BYTES + 1))
    assert declared.status_code == 413
    assert (await post(client, b" " * MAX_BODY_BYTES)).status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        f'{{"email": "{CANARY}", "password": "{CANARY}"}}',
        f'{{"email": ["{CANARY}"], "password": {{"a": "{CANARY}"}}}}',
        f'{{"email": "a@example.com", "{CANARY} {CANARY}": "{CANARY}"}}',
        f'{{"email": "a@example.com", "password": "{CANARY}", "locale": "{CANARY}", "display_name": "{CANARY}\\n"}}',
        f'{{"email": "a@example.com", "password": "{CANARY}',
        f'"{CANARY}"',
    ],
)
async def test_nothing_that_was_submitted_comes_back(client: httpx.AsyncClient, body: str) -> None:
    """AP-01."""
    answer = await post(client, body.encode())
    assert answer.status_code in {400, 422}
    assert CANARY not in answer.text


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.text(), x),
        max_leaves=20,
    )
)
def test_the_strict_parser_reads_what_json_writes_or_refuses_it(value: object) -> None:
    text = json.dumps(value).encode()
    try:
        assert parse(text) == value
    except (RefusedByHttp, DomainError):
        assert b"\\u0000" in text or b"\\ud" in text or any(len(digits) > 19 for digits in text.split())


async def test_ap_01_a_bug_is_answered_without_detail(client: httpx.AsyncClient, app: FastAPI) -> None:
    class Broken:
        async def execute(self, **_: object) -> None:
            raise RuntimeError(CANARY)

    app.dependency_overrides[resolver(RegisterUser)] = Broken
    answer = await register(client)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert CANARY not in answer.text
    assert answer.headers["x-request-id"] in answer.json()["instance"]


async def test_ap_01_what_there_was_no_memory_for_is_to_be_asked_again(client: httpx.AsyncClient, app: FastAPI) -> None:
    """Fault 33."""

    class Large:
        async def execute(self, **_: object) -> None:
            raise MemoryError

    app.dependency_overrides[resolver(RegisterUser)] = Large
    answer = await register(client)
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "out_of_memory", "1")


async def test_a_service_that_cannot_be_reached_says_when_to_come_back(client: httpx.AsyncClient, app: FastAPI) -> None:
    class Absent(MemoryReadiness):
        async def problems(self) -> list[str]:
            return ["The database does not answer."]

    assert (await client.get("/readyz")).json() == {"status": "ok"}
    assert (await client.get("/readyz")).json() == {"status": "ok"}
    app.dependency_overrides[resolver(Readiness)] = Absent
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
    assert answer.headers["retry-after"] == "2"
    assert "detail" not in answer.json()
    assert (await client.get("/livez")).status_code == 200


async def test_personal_data_is_never_stored_on_the_way(client: httpx.AsyncClient) -> None:
    """ST-13, HD-04."""
    headers = await signed_in(client)
    for answer in (
        await client.get("/v1/users/me", headers=headers),
        await client.get("/v1/users/me"),
        await client.get("/v1/sessions/current", headers=headers),
        await register(client),
    ):
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 422),
        ("Application/JSON; charset=UTF-8", 422),
        ('application/json;charset="utf-8"', 422),
        ("application/json;", 422),
        ("application/json; charset=utf-16", 415),
        ("application/json; charset*=punycode''utf-8", 415),
        ("application/json; charset=utf-8; charset=utf-16", 415),
        ("application/json; boundary=x", 415),
        ("text/plain; application/json", 415),
        ('application/json;"' + ";" * 15_000, 415),
        ("application/json" + " " * 300, 415),
    ],
    ids=range(11),
)
async def test_fault_37_a_media_type_is_read_in_one_go(
    client: httpx.AsyncClient, content_type: str, status: int
) -> None:
    assert (await post(client, b"{}", content_type)).status_code == status
