"""What passes through a mailbox, as callers see it."""

import re
from types import SimpleNamespace

import httpx
import pytest

from application.recovery.verify_email import VerifyEmail
from domain.messages.message import MessageKind
from domain.sessions.session import SessionPolicy
from domain.users.password import Password
from tests.http.conftest import OTHER_HOST, at_once, register, sign_in, signed_in
from tests.world import EMAIL, PASSWORD, World, token_of

NEW = "a louder harbour at noon"
VERIFICATIONS, RESETS = "/v1/email-verifications", "/v1/password-resets"
ME = "/v1/users/me"


async def reset_token(client: httpx.AsyncClient, world: World, email: str = EMAIL) -> str:
    await world.work()
    assert (await client.post(RESETS, json={"email": email})).status_code == 202
    return token_of(await world.mailed(MessageKind.RESET_PASSWORD))


async def verified(client: httpx.AsyncClient, world: World, email: str = EMAIL) -> dict[str, str]:
    """The headers of somebody whose address is proven."""
    bearer = await signed_in(client, email)
    token = token_of(await world.mailed(MessageKind.VERIFY_EMAIL))
    assert (await client.post(f"{VERIFICATIONS}/confirm", json={"token": token}, headers=bearer)).status_code == 200
    return bearer


async def test_a_link_with_the_users_session_proves_the_address_and_keeps_the_session(
    client: httpx.AsyncClient, world: World
) -> None:
    bearer = await verified(client, world)
    me = await client.get(ME, headers=bearer)
    assert me.json()["email_verified"] is True


async def test_a_code_typed_in_with_spaces_does_the_same(client: httpx.AsyncClient, world: World) -> None:
    await register(client)
    code = (await world.mailed(MessageKind.VERIFY_EMAIL)).content["code"]
    body = {"email": EMAIL, "code": f"{code[:4]} {code[4:]}", "password": PASSWORD}
    answer = await client.post(f"{VERIFICATIONS}/confirm", json=body)
    assert (answer.status_code, answer.json()["email_verified"]) == (200, True)
    assert answer.headers["cache-control"] == "no-store"
    assert (await sign_in(client)).status_code == 201


async def test_lg_09_a_link_alone_shuts_out_whoever_registered_the_address(
    client: httpx.AsyncClient, world: World
) -> None:
    bearer = await signed_in(client)
    token = token_of(await world.mailed(MessageKind.VERIFY_EMAIL))
    assert (await client.post(f"{VERIFICATIONS}/confirm", json={"token": token})).status_code == 200
    assert (await client.get(ME, headers=bearer)).status_code == 401
    assert (await sign_in(client)).status_code == 401
    choose = token_of(await world.mailed(MessageKind.CHOOSE_PASSWORD))
    answer = await client.post(f"{RESETS}/confirm", json={"token": choose, "new_password": NEW})
    assert answer.status_code == 204
    assert (await sign_in(client, password=NEW)).status_code == 201


async def test_a_wrong_password_beside_the_link_is_said_to_be_wrong(client: httpx.AsyncClient, world: World) -> None:
    await register(client)
    token = token_of(await world.mailed(MessageKind.VERIFY_EMAIL))
    refused = await client.post(f"{VERIFICATIONS}/confirm", json={"token": token, "password": NEW})
    assert (refused.status_code, refused.json()["code"]) == (403, "wrong_password")


async def test_an_access_token_that_is_none_is_not_overlooked(client: httpx.AsyncClient, world: World) -> None:
    await register(client)
    token = token_of(await world.mailed(MessageKind.VERIFY_EMAIL))
    headers = {"Authorization": "Bearer nonsense"}
    refused = await client.post(f"{VERIFICATIONS}/confirm", json={"token": token}, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (401, "invalid_access_token")


@pytest.mark.parametrize(
    "body",
    [{}, {"email": EMAIL}, {"code": "12345678"}, {"token": "x", "code": "12345678", "email": EMAIL}, {"password": "x"}],
)
async def test_token_or_code_it_must_be(client: httpx.AsyncClient, body: dict[str, str]) -> None:
    refused = await client.post(f"{VERIFICATIONS}/confirm", json=body)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["code"] == "token_or_code"


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        (f"{VERIFICATIONS}/confirm", {"token": "x"}, "/token"),
        (f"{VERIFICATIONS}/confirm", {"email": EMAIL, "code": "12345678"}, "/code"),
        (f"{RESETS}/confirm", {"token": "x", "new_password": NEW}, "/token"),
        ("/v1/email-changes/confirm", {"token": "x"}, "/token"),
        ("/v1/email-changes/revert", {"token": "x"}, "/token"),
    ],
)
async def test_every_bad_token_is_answered_alike(
    client: httpx.AsyncClient, path: str, body: dict[str, str], pointer: str
) -> None:
    refused = await client.post(path, json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_token")
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]


async def test_a_reset_replaces_the_password_and_signs_nobody_in(client: httpx.AsyncClient, world: World) -> None:
    bearer = await signed_in(client)
    token = await reset_token(client, world)
    answer = await client.post(f"{RESETS}/confirm", json={"token": token, "new_password": NEW})
    assert (answer.status_code, answer.content, answer.headers.get("set-cookie")) == (204, b"", None)
    assert (await client.get(ME, headers=bearer)).status_code == 401
    assert (await sign_in(client)).status_code == 401
    assert (await sign_in(client, password=NEW)).json()["token_type"] == "Bearer"


async def test_a_reset_with_a_bad_password_can_be_tried_again(client: httpx.AsyncClient, world: World) -> None:
    await register(client)
    token = await reset_token(client, world)
    refused = await client.post(f"{RESETS}/confirm", json={"token": token, "new_password": "short"})
    assert (refused.status_code, refused.json()["code"]) == (422, "password_rejected")
    assert refused.json()["errors"][0]["pointer"] == "/new_password"
    assert (await client.post(f"{RESETS}/confirm", json={"token": token, "new_password": NEW})).status_code == 204


async def test_fault_16_of_a_hundred_uses_of_one_token_at_once_one_succeeds(
    client: httpx.AsyncClient, world: World
) -> None:
    """RC-01."""
    await register(client)
    token = await reset_token(client, world)
    answers = await at_once(
        100, lambda n: client.post(f"{RESETS}/confirm", json={"token": token, "new_password": f"{NEW} {n}"})
    )
    codes = [answer.json()["code"] for answer in answers if answer.status_code != 204]
    assert len(codes) == 99
    assert set(codes) <= {"invalid_token", "hashing_busy", "database_unavailable"}


async def test_fault_16_of_a_hundred_proofs_at_once_one_counts(client: httpx.AsyncClient, world: World) -> None:
    bearer = await signed_in(client)
    token = token_of(await world.mailed(MessageKind.VERIFY_EMAIL))
    answers = await at_once(
        100, lambda _: client.post(f"{VERIFICATIONS}/confirm", json={"token": token}, headers=bearer)
    )
    codes = [answer.json()["code"] for answer in answers if answer.status_code != 200]
    assert len(codes) == 99
    assert set(codes) <= {"invalid_token", "database_unavailable"}


@pytest.mark.parametrize("header", ["Basic YWRhOnB3", "Bearer", "", "nonsense"])
async def test_whoever_claims_to_be_somebody_and_is_not_proves_nothing(
    client: httpx.AsyncClient, world: World, header: str
) -> None:
    """Taken for nobody, they would lose the password that they meant to keep."""
    await register(client)
    token = token_of(await world.mailed(MessageKind.VERIFY_EMAIL))
    headers = {"Authorization": header}
    refused = await client.post(f"{VERIFICATIONS}/confirm", json={"token": token}, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (401, "invalid_access_token")
    assert not (await world.user()).email_verified


@pytest.mark.parametrize(
    ("path", "event"), [(RESETS, "password_reset.requested"), (VERIFICATIONS, "email_verification.requested")]
)
async def test_la_01_who_asked_is_written_down_with_where_from(
    client: httpx.AsyncClient, world: World, path: str, event: str
) -> None:
    await register(client)
    await client.post(path, json={"email": EMAIL})
    async with world.unit_of_work.read() as tx:
        (entry, *_) = await tx.audit.of_user((await world.user()).id)
    assert (entry.event, entry.details["network_address"]) == (event, "127.0.0.1")


async def test_a_password_that_was_changed_while_it_was_being_checked_confirms_nothing(
    client: httpx.AsyncClient, world: World
) -> None:
    """Fault 18."""
    await register(client)
    token = token_of(await world.mailed(MessageKind.VERIFY_EMAIL))
    verify = world.container.resolve(VerifyEmail)
    matches = verify._passwords.matches  # noqa: SLF001  (the moment between check and use)

    async def meanwhile(*arguments: object) -> bool:
        matched = await matches(*arguments)  # type: ignore[arg-type]
        async with world.unit_of_work.begin() as tx:
            user = await tx.users.lock((await world.user()).id)
            user.change_password(await world.adapters.passwords.hash(Password(NEW), owner=user.id), at=user.created_at)
            await tx.users.save(user)
        return matched

    verify._passwords = SimpleNamespace(matches=meanwhile)  # noqa: SLF001
    refused = await client.post(f"{VERIFICATIONS}/confirm", json={"token": token, "password": PASSWORD})
    assert (refused.status_code, refused.json()["code"]) == (409, "concurrent_update")
    assert not (await world.user()).email_verified


async def test_moving_to_another_address_and_back(client: httpx.AsyncClient, world: World) -> None:
    bearer = await verified(client, world)
    asked = await client.post(f"{ME}/email-changes", json={"new_email": "ada@example.org"}, headers=bearer)
    assert (asked.status_code, asked.content) == (202, b"")
    mails = {mail.kind: mail for mail in await world.work()}
    confirm = {"token": token_of(mails[MessageKind.CONFIRM_EMAIL_CHANGE])}
    moved = await client.post("/v1/email-changes/confirm", json=confirm)
    assert moved.headers["cache-control"] == "no-store"
    assert (moved.status_code, moved.json()["email"]) == (200, "ada@example.org")
    assert (await client.get(ME, headers=bearer)).json()["email"] == "ada@example.org"
    back = {"token": token_of(mails[MessageKind.EMAIL_CHANGE_REQUESTED])}
    assert (await client.post("/v1/email-changes/revert", json=back)).status_code == 204
    assert (await client.get(ME, headers=bearer)).status_code == 401
    assert (await world.user(EMAIL)).email.display == EMAIL


async def test_em_04_two_users_who_prove_the_same_address_at_once_do_not_both_get_it(
    client: httpx.AsyncClient, world: World
) -> None:
    tokens = []
    for number in range(5):
        bearer = await signed_in(client, f"user{number}@example.com")
        await world.work()
        await client.post(f"{ME}/email-changes", json={"new_email": "wanted@example.com"}, headers=bearer)
        tokens.append(token_of(await world.mailed(MessageKind.CONFIRM_EMAIL_CHANGE)))
    answers = await at_once(
        25, lambda number: client.post("/v1/email-changes/confirm", json={"token": tokens[number % 5]})
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [422] * 24


async def test_em_01_moving_leaving_and_taking_along_need_a_fresh_proof(
    client: httpx.AsyncClient, world: World
) -> None:
    await register(client)
    tokens = (await sign_in(client)).json()
    world.clock.advance(SessionPolicy().fresh_proof_for)
    later = await client.post("/v1/sessions/refresh", json={"refresh_token": tokens["refresh_token"]})
    bearer = {"Authorization": f"Bearer {later.json()['access_token']}"}
    for refused in (
        await client.post(f"{ME}/email-changes", json={"new_email": "ada@example.org"}, headers=bearer),
        await client.request("DELETE", ME, json={}, headers=bearer),
        await client.get(f"{ME}/export", headers=bearer),
    ):
        assert (refused.status_code, refused.json()["code"]) == (401, "reauthentication_required")
        assert 'error="insufficient_user_authentication"' in refused.headers["www-authenticate"]


async def test_leaving_ends_the_session_and_can_be_cancelled_after_signing_in(
    client: httpx.AsyncClient, world: World
) -> None:
    bearer = await signed_in(client)
    left = await client.request("DELETE", ME, json={}, headers=bearer)
    assert left.headers["cache-control"] == "no-store"
    assert (left.status_code, left.json()) == (202, {"deletion_due_at": "2026-01-15T12:00:00.000000Z"})
    assert (await client.get(ME, headers=bearer)).status_code == 401
    bearer = {"Authorization": f"Bearer {(await sign_in(client)).json()['access_token']}"}
    assert (await client.get(ME, headers=bearer)).json()["deletion_due_at"] == "2026-01-15T12:00:00.000000Z"
    assert (await client.post(f"{ME}/deletion-cancellations", headers=bearer)).status_code == 204
    assert (await client.get(ME, headers=bearer)).json()["deletion_due_at"] is None
    again = await client.post(f"{ME}/deletion-cancellations", headers=bearer)
    assert (again.status_code, again.json()["code"]) == (409, "deletion_not_scheduled")


@pytest.mark.parametrize(("content", "status"), [(b"", 202), (b"{}", 202), (b'{"mode": "erase"}', 422), (b"[]", 422)])
async def test_leaving_asks_for_nothing_and_takes_nothing(
    client: httpx.AsyncClient, content: bytes, status: int
) -> None:
    bearer = await signed_in(client)
    headers = bearer | {"Content-Type": "application/json"}
    assert (await client.request("DELETE", ME, content=content, headers=headers)).status_code == status


async def test_pr_01_the_export_tells_all_and_no_secret(client: httpx.AsyncClient, world: World) -> None:
    bearer = await verified(client, world)
    await client.post(f"{ME}/email-changes", json={"new_email": "ada@example.org"}, headers=bearer)
    await world.work()
    answer = await client.get(f"{ME}/export", headers=bearer)
    export = answer.json()
    assert export["user"] == (await client.get(ME, headers=bearer)).json()
    assert export["sessions"][0]["network_address"] == "127.0.0.1"
    assert [change["new_email"] for change in export["email_changes"]] == ["ada@example.org"]
    assert {message["kind"] for message in export["messages"]} == {
        "verify_email",
        "email_change_requested",
    }
    assert [entry["event"] for entry in export["history"]][-1] == "user.registered"
    assert not re.search(r"hp_[a-z]{2}_|argon2|hash|sealed|digest", answer.text)
    assert answer.headers["cache-control"] == "no-store"


async def test_clients_are_told_what_their_forms_need(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/config")
    assert answer.json() == {
        "registration": "open",
        "password": {"min_length": 15, "max_length": 256},
        "locales": ["de", "en"],
        "mfa_required": "none",
    }
    again = await client.get("/v1/config", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


async def test_password_managers_find_where_to_ask_for_another_password(client: httpx.AsyncClient) -> None:
    answer = await client.get("/.well-known/change-password")
    assert answer.status_code == 302
    assert answer.headers["location"] == "https://accounts.example.com/links/forgot-password"


@pytest.mark.parametrize(
    "hostile",
    [
        {"Host": OTHER_HOST},
        {"X-Forwarded-Host": "evil.example"},
        {"Forwarded": "host=evil.example"},
        {"Origin": "https://evil.example", "Referer": "https://evil.example/"},
        {"X-Original-Host": "evil.example", "X-Forwarded-Proto": "http"},
    ],
)
async def test_rc_05_incident_21_no_header_gets_into_a_mail(
    client: httpx.AsyncClient, world: World, hostile: dict[str, str]
) -> None:
    bearer = await verified(client, world)
    await client.post("/v1/users", json={"email": "bob@example.com", "password": PASSWORD}, headers=hostile)
    await client.post(RESETS, json={"email": EMAIL}, headers=hostile)
    await client.post(VERIFICATIONS, json={"email": "bob@example.com"}, headers=hostile)
    await client.post(f"{ME}/email-changes", json={"new_email": "ada@example.org"}, headers=bearer | hostile)
    mails = await world.work()
    assert len(mails) >= 4
    for mail in mails:
        assert mail.content["link"].startswith("https://accounts.example.com/links/")
        assert "evil" not in str(dict(mail.content))


async def test_incident_24_no_answer_says_what_was_mailed(client: httpx.AsyncClient, world: World) -> None:
    said: list[str] = []

    async def listen(response: httpx.Response) -> None:
        said.append(f"{await response.aread()!r} {response.headers}")

    client.event_hooks["response"].append(listen)
    bearer = await signed_in(client)
    verification = await world.mailed(MessageKind.VERIFY_EMAIL)
    await client.post(f"{ME}/email-changes", json={"new_email": "ada@example.org"}, headers=bearer)
    await client.post(RESETS, json={"email": EMAIL})
    mails = [verification, *await world.work()]
    for path in (ME, f"{ME}/security-events", f"{ME}/export", "/v1/sessions"):
        assert (await client.get(path, headers=bearer)).status_code == 200
    assert len(mails) == 3
    for secret in [token_of(mail)[6:49] for mail in mails] + [verification.content["code"]]:
        assert not [answer for answer in said if secret in answer]
    assert len(said) == 8


@pytest.mark.parametrize(
    ("password", "reason"), [("everythinginmoderation", "password_blocklisted"), (f"{EMAIL}1234", "password_guessable")]
)
async def test_pw_04_pw_05_no_way_to_a_password_takes_a_common_one_or_ones_own_address(
    client: httpx.AsyncClient, world: World, password: str, reason: str
) -> None:
    refused = [await register(client, password=password)]
    bearer = await signed_in(client)
    body = {"current_password": PASSWORD, "new_password": password}
    refused.append(await client.put(f"{ME}/password", json=body, headers=bearer))
    body = {"token": await reset_token(client, world), "new_password": password}
    refused.append(await client.post(f"{RESETS}/confirm", json=body))
    for answer in refused:
        assert (answer.status_code, answer.json()["code"]) == (422, "password_rejected")
        assert [error["code"] for error in answer.json()["errors"]] == [reason]
