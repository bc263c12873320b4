"""Whoever may not, at every route (AD-01 to AD-04, LG-08). Made from what is declared, so that none is left out."""

from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from adapters.http.app import HttpConfig, create_app
from adapters.http.route_policies import Access
from adapters.postgres.models import Base
from application.ports.audit import AuditFilter
from application.sessions.issued_tokens import IssuedTokens
from domain.audit.audit_events import AuditRead
from domain.ids import UserId
from domain.messages.message import MessageKind
from domain.signing.signing_key import SigningKeyActivated
from domain.throttling.throttle import Limit
from domain.transfer.transfer_events import UserImportStarted, UsersExported
from domain.users.user import UserNotFound
from entrypoints.container import build_container
from tests.factors import App, app_of, prove_address, verified_user
from tests.http.apps import enrolled
from tests.http.conftest import ORIGIN, make_admin, register, sign_in, signed_in
from tests.http.requests_of_routes import ROUTES, body_model, call, example, named, parameters, policy_of
from tests.http.test_pathways import STATES
from tests.passkeys import authenticator_of
from tests.world import EMAIL, PASSWORD, SETTINGS, World, token_of

OPERATORS = named(Access.ADMIN, Access.RECENT_ADMIN)
USERS = named(Access.USER, Access.RECENT_USER) + OPERATORS
NEW = "a louder harbour at noon"
COLUMNS = sorted({column.name for table in Base.metadata.sorted_tables for column in table.columns})
# By which the caller has said who they are, in somebody's product (incident 38).
IDENTITIES = ["userId", "user", "uid", "sub", "owner", "owner_id", "accountId", "is_admin", "role", "scope"]


@pytest.mark.parametrize("name", USERS)
async def test_ad_01_nobody_unknown_gets_past_a_route_for_users(client: httpx.AsyncClient, name: str) -> None:
    """Incident 14."""
    for headers in ({}, {"Authorization": ""}, {"Authorization": "Bearer"}, {"Authorization": "Basic YTph"}):
        answer = await call(client, name, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_access_token")
        assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("name", OPERATORS)
async def test_ad_01_no_ordinary_user_gets_past_a_route_for_operators(client: httpx.AsyncClient, name: str) -> None:
    answer = await call(client, name, headers=await signed_in(client))
    assert (answer.status_code, answer.json()["code"]) == (403, "admin_required")


@pytest.mark.parametrize("name", [name for name in USERS if list(parameters(name)) and name not in OPERATORS])
async def test_ad_02_what_belongs_to_somebody_else_is_not_there(
    client: httpx.AsyncClient, world: World, name: str
) -> None:
    await register(client, "bob@example.com")
    await prove_address(world, "bob@example.com")
    bob = (await sign_in(client, "bob@example.com")).json()
    app = await enrolled(client, world, {"Authorization": f"Bearer {bob['access_token']}"})
    foreign = {"session_id": bob["session_id"], "factor_id": app.factor_id}
    ada = await signed_in(client)
    absent = await call(client, name, headers=ada)
    answer = await call(
        client, name, headers=ada, ids={parameter: foreign[parameter] for parameter in parameters(name)}
    )
    assert (answer.status_code, answer.json()["code"]) == (404, absent.json()["code"])
    bearer = {"Authorization": f"Bearer {bob['access_token']}"}
    assert (await client.get("/v1/users/me", headers=bearer)).status_code == 200


@pytest.mark.parametrize("world", ["memory"], indirect=True)
@pytest.mark.parametrize("name", [name for name in ROUTES if body_model(name) is not None])
async def test_ad_03_no_column_can_be_set_that_is_no_field(client: httpx.AsyncClient, world: World, name: str) -> None:
    """Incidents 13 and 38."""
    model = body_model(name)
    assert model is not None
    headers = await signed_in(client)
    if name in OPERATORS:
        await make_admin(world)
    for extra in [*COLUMNS, *IDENTITIES]:
        if extra in model.model_fields:
            continue
        answer = await call(client, name, headers=headers, body=(example(name) or {}) | {extra: "x"})
        assert answer.status_code == 422, extra
        errors = answer.json()["errors"]
        assert (f"/{extra}", "unknown_field") in [(error["pointer"], error["code"]) for error in errors]


@pytest.mark.parametrize("world", ["memory"], indirect=True)
async def test_ad_04_who_is_calling_is_told_by_the_token_alone(client: httpx.AsyncClient, world: World) -> None:
    """Incident 38."""
    ada = await signed_in(client)
    await register(client, "bob@example.com")
    bob = str((await world.user("bob@example.com")).id)
    headers = {f"X-{name}": bob for name in ("User-Id", "Forwarded-User", "Remote-User", "Auth-Request-User")}
    answer = await client.get("/v1/users/me", headers=ada | headers)
    assert answer.json()["email"] == EMAIL
    for name in ("user_id", "sub", "access_token"):
        assert (await client.get("/v1/users/me", params={name: bob})).status_code in {401, 422}


async def tokens_of(client: httpx.AsyncClient, world: World) -> dict[str, str]:
    """One live token of every kind."""
    await register(client, "bob@example.com")
    of_bob = token_of(await world.mailed(MessageKind.VERIFY_EMAIL))
    await register(client)
    verify = token_of(await world.mailed(MessageKind.VERIFY_EMAIL))
    assert (await present(client, "verify_email", verify, password=PASSWORD)).status_code == 200
    signed = (await sign_in(client)).json()
    bearer = {"Authorization": f"Bearer {signed['access_token']}"}
    body = {"new_email": "ada@example.org"}
    assert (await client.post("/v1/users/me/email-changes", json=body, headers=bearer)).status_code == 202
    mails = {mail.kind: mail for mail in await world.work()}
    await client.post("/v1/password-resets", json={"email": EMAIL})
    reset = token_of(await world.mailed(MessageKind.RESET_PASSWORD))
    return {
        "access token": signed["access_token"],
        "refresh_session": signed["refresh_token"],
        "device token": signed["device_token"],
        "verify_email": of_bob,
        "confirm_email_change": token_of(mails[MessageKind.CONFIRM_EMAIL_CHANGE]),
        "revert_email_change": token_of(mails[MessageKind.EMAIL_CHANGE_REQUESTED]),
        "reset_password": reset,
    }


TOKEN_FIELDS = {"token", "refresh_token", "code"}
TAKING_TOKENS = [
    name
    for name in ROUTES
    if (model := body_model(name)) is not None and TOKEN_FIELDS & set(model.model_fields) and name not in OPERATORS
]


async def present(client: httpx.AsyncClient, name: str, token: str, **more: str) -> httpx.Response:
    model = body_model(name)
    assert model is not None
    field = "refresh_token" if "refresh_token" in model.model_fields else "token"
    body: dict[str, object] = {field: token, **more}
    if "new_password" in model.model_fields:
        body["new_password"] = NEW
    return await call(client, name, body=body)


async def test_only_a_token_of_its_own_kind_opens_a_route(client: httpx.AsyncClient, world: World) -> None:
    """ST-11, incident 20."""
    tokens = await tokens_of(client, world)
    assert set(TAKING_TOKENS) == set(tokens) - {"access token", "device token"}
    own = {"Authorization": f"Bearer {tokens.pop('access token')}"}
    assert (await client.get("/v1/users/me", headers=own)).status_code == 200
    for kind, token in tokens.items():
        headers = {"Authorization": f"Bearer {token}"}
        opened = [name for name in USERS if (await call(client, name, headers=headers)).status_code != 401]
        assert opened == []
        refused = [name for name in TAKING_TOKENS if name != kind]
        assert {(await present(client, name, token)).status_code for name in refused} <= {401, 422}, kind
    for name in TAKING_TOKENS:
        assert (await present(client, name, own["Authorization"][7:])).status_code in {401, 422}, name
    # Nothing of that has used any of them up. In an order in which one leaves the next good.
    for name in ("refresh_session", "verify_email", "reset_password", "revert_email_change"):
        assert (await present(client, name, tokens[name])).is_success, name


async def test_a_change_is_confirmed_by_its_own_token(client: httpx.AsyncClient, world: World) -> None:
    tokens = await tokens_of(client, world)
    assert (await present(client, "confirm_email_change", tokens["confirm_email_change"])).status_code == 200


@pytest.mark.parametrize("world", ["memory"], indirect=True)
@pytest.mark.parametrize("state", STATES)
async def test_lg_08_a_session_that_is_over_opens_no_route_at_all(
    client: httpx.AsyncClient, world: World, state: str
) -> None:
    """ST-05, incident 47."""
    user_id = UserId((await world.register()).id)
    tokens: IssuedTokens = await world.sign_in()
    bearer = {"Authorization": f"Bearer {tokens.access_token}"}
    await STATES[state](client, world, user_id, bearer)
    answers = {name: await call(client, name, headers=bearer) for name in USERS}
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(USERS, 401)


@pytest.mark.parametrize("world", ["memory"], indirect=True)
@pytest.mark.parametrize("name", [name for name in ROUTES if policy_of(name).rate is not None])
async def test_lg_08_a_network_that_is_throttled_gets_nothing_done_at_any_route(
    client: httpx.AsyncClient, app: FastAPI, world: World, name: str
) -> None:
    """DA-01, incident 4."""
    headers = await signed_in(client)
    world.clock.advance(timedelta(seconds=1))
    once = {field: Limit(1, timedelta(hours=1)) for field in type(SETTINGS).model_fields if field.startswith("limit_")}
    app.state.container = build_container(SETTINGS.model_copy(update=once), world.adapters)
    first = await call(client, name, headers=headers, body={"unknown": "field"})
    assert first.status_code == 422
    before = await world.events_of((await world.user()).id)
    answer = await call(client, name, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_attempts")
    assert await world.events_of((await world.user()).id) == before


class Walk:
    """Somebody who succeeds at one route after the other, and what is written down about them meanwhile."""

    def __init__(self, client: httpx.AsyncClient, world: World) -> None:
        self._client = client
        self._world = world
        self._bearer: dict[str, str] = {}
        self.written: dict[str, set[str]] = {}

    async def succeed(
        self, name: str, body: object = None, headers: dict[str, str] | None = None, **ids: object
    ) -> httpx.Response:
        before = await self._events()
        answer = await call(self._client, name, headers=self._bearer | (headers or {}), body=body, ids=ids)
        assert answer.is_success, (name, answer.text)
        after = await self._events()
        self.written[name] = set(after[: len(after) - len(before)])
        return answer

    async def come_in(self, password: str = PASSWORD) -> str:
        tokens = (await self.succeed("sign_in", {"email": EMAIL, "password": password})).json()
        self._bearer["Authorization"] = f"Bearer {tokens['access_token']}"
        return str(tokens["session_id"])

    async def use_a_factor(self) -> None:
        """Have one, come in with it, and do without it again."""
        offer = (await self.succeed("enrol_totp", {})).json()
        app = App(self._world, offer["id"], offer["secret"])
        await self.succeed("activate_totp", {"totp_code": app.code()}, factor_id=app.factor_id)
        await self.succeed("make_recovery_codes")
        asked = (await self.succeed("sign_in", {"email": EMAIL, "password": PASSWORD})).json()
        answer = {"totp_code": app.next_code()}
        await self.succeed("answer_challenge", answer, challenge_id=asked["challenge_id"])
        await self.succeed("remove_factor", factor_id=app.factor_id)
        await self.come_in()

    async def use_a_passkey(self) -> None:
        """Have one, come in with it alone, and do without it again."""
        authenticator = authenticator_of(self._world)
        asked = (await self.succeed("offer_passkey")).json()
        made = {"ceremony_id": asked["ceremony_id"], "credential": authenticator.create(asked["options"])}
        registered = (await self.succeed("register_passkey", {"passkey": made})).json()
        asked = (await self.succeed("ask_for_passkey", {})).json()
        shown = {"ceremony_id": asked["ceremony_id"], "credential": authenticator.get(asked["options"])}
        tokens = (await self.succeed("sign_in_with_passkey", {"passkey": shown})).json()
        self._bearer["Authorization"] = f"Bearer {tokens['access_token']}"
        factor_id = registered["passkey"]["id"]
        await self.succeed("rename_passkey", {"name": "Ring"}, factor_id=factor_id)
        await self.succeed("remove_passkey", factor_id=factor_id)
        await self.come_in()

    async def mailed(self, kind: MessageKind) -> str:
        return token_of(await self._world.mailed(kind))

    def expect_all_of(self, names: set[str]) -> None:
        declared = {name: event for name in names if (event := policy_of(name).event) is not None}
        assert declared.keys() <= self.written.keys()
        assert {name: event.name for name, event in declared.items() if event.name not in self.written[name]} == {}

    async def _events(self) -> list[str]:
        try:
            return await self._world.events_of((await self._world.user()).id)
        except UserNotFound:
            return []


async def test_la_01_every_route_writes_down_what_is_declared_of_it(client: httpx.AsyncClient, world: World) -> None:
    walk = Walk(client, world)
    await walk.succeed("register_user", {"email": EMAIL, "password": PASSWORD})
    await world.work()
    other = await walk.come_in()
    await walk.come_in()
    await walk.succeed("end_session", session_id=other)
    await walk.come_in()
    await walk.succeed("end_other_sessions")
    await walk.succeed("update_me", {"locale": "de"})
    await walk.succeed("reauthenticate", {"password": PASSWORD})
    await walk.succeed("request_email_verification", {"email": EMAIL})
    await walk.succeed("verify_email", {"token": await walk.mailed(MessageKind.VERIFY_EMAIL)})
    await walk.use_a_factor()
    await walk.use_a_passkey()
    await walk.succeed("change_password", {"current_password": PASSWORD, "new_password": NEW})
    await walk.succeed("request_email_change", {"new_email": EMAIL.replace("com", "org")})
    mails = {mail.kind: token_of(mail) for mail in await world.work() if "link" in mail.content}
    await walk.succeed("revert_email_change", {"token": mails[MessageKind.EMAIL_CHANGE_REQUESTED]})
    await world.work()
    await walk.succeed("request_password_reset", {"email": EMAIL})
    reset = await walk.mailed(MessageKind.RESET_PASSWORD)
    await walk.succeed("reset_password", {"token": reset, "new_password": NEW})
    await walk.come_in(NEW)
    await walk.succeed("delete_me", {})
    await walk.come_in(NEW)
    await walk.succeed("cancel_deletion")
    await walk.succeed("sign_out")
    walk.expect_all_of(set(ROUTES) - set(OPERATORS) - {"confirm_email_change"})


async def refused_reference(client: httpx.AsyncClient) -> str:
    return str((await sign_in(client, password="a wrong guess of mine")).json()["reference"])


async def test_la_01_every_route_of_operators_writes_down_what_is_declared_of_it(
    client: httpx.AsyncClient, world: World
) -> None:
    walk = Walk(client, world)
    await walk.succeed("register_user", {"email": EMAIL, "password": PASSWORD})
    await make_admin(world)
    user_id = (await world.user()).id
    second = await walk.come_in()
    await walk.come_in()
    await walk.succeed("end_any_session", session_id=second)
    await walk.succeed("request_user_password_reset", {}, user_id=user_id)
    await walk.succeed("clear_throttles", user_id=user_id)
    await walk.succeed("get_sign_in_attempt", reference=await refused_reference(client))
    other = await verified_user(world, "bob@example.com")
    other_id = other.id
    await walk.succeed("reset_factor", user_id=other_id, factor_id=(await app_of(world, other)).factor_id)
    walk.written["reset_factor"] = set((await world.events_of(other_id))[:1])
    await walk.succeed("end_user_sessions", user_id=user_id)
    await walk.come_in()
    for name in ("suspend_user", "reinstate_user"):
        await walk.succeed(name, user_id=other_id)
        walk.written[name] = set((await world.events_of(other_id))[:1])
    any_version = {"If-Match": "*"}
    for name, more in (
        ("change_user", any_version),
        ("delete_user", any_version),
        ("cancel_user_deletion", {}),
    ):
        await walk.succeed(name, headers=more, user_id=other_id)
        walk.written[name] = set((await world.events_of(other_id))[:1])
    made = UserId(UUID((await walk.succeed("create_user")).json()["id"]))
    walk.written["create_user"] = set(await world.events_of(made))
    await world.work()
    async with world.unit_of_work.begin() as tx:
        (message,) = await tx.messages.of_user(made)
        message.refused("550 no such mailbox", at=world.clock.now())
        await tx.messages.save(message)
    await walk.succeed("retry_message", message_id=message.id)
    walk.written["retry_message"] = set((await world.events_of(made))[:1])
    world.clock.advance(timedelta(minutes=11))
    await walk.come_in()
    await walk.succeed("rotate_signing_key")
    await walk.succeed("list_audit_entries")
    # About nobody, but done by somebody.
    for name in ("import_users", "get_users_export"):
        await walk.succeed(name)
    for name, event in (
        ("rotate_signing_key", SigningKeyActivated.name),
        ("list_audit_entries", AuditRead.name),
        ("import_users", UserImportStarted.name),
        ("get_users_export", UsersExported.name),
    ):
        async with world.unit_of_work.read() as tx:
            ((entry,), _) = await tx.audit.page(AuditFilter(actor_id=user_id, event=event), limit=5)
        walk.written[name] = {entry.event}
    walk.expect_all_of(set(OPERATORS))


async def test_la_01_moving_is_written_down(client: httpx.AsyncClient, world: World) -> None:
    tokens = await tokens_of(client, world)
    user_id = (await world.user()).id
    assert (await present(client, "confirm_email_change", tokens["confirm_email_change"])).status_code == 200
    event = policy_of("confirm_email_change").event
    assert event is not None
    assert (await world.events_of(user_id))[0] == event.name


@pytest.mark.parametrize("world", ["memory"], indirect=True)
async def test_hd_04_what_is_personal_is_kept_by_no_cache(client: httpx.AsyncClient, world: World) -> None:
    headers = await signed_in(client)
    await make_admin(world)
    import_id = (await call(client, "import_users", headers=headers)).json()["id"]
    ids = {"user_id": (await world.user()).id, "reference": await refused_reference(client), "import_id": import_id}
    for name in ROUTES:
        if "GET" in (ROUTES[name].methods or ()) and name in USERS:
            answer = await call(client, name, headers=headers, ids=ids)
            assert (answer.status_code, answer.headers.get("cache-control")) == (200, "no-store"), name


@pytest.mark.parametrize("world", ["memory"], indirect=True)
@pytest.mark.parametrize("host", ["a/?x=", "accounts.example.com@evil", "evil.example.com", "127.0.0.1"])
async def test_incident_55_no_host_changes_which_route_is_asked(world: World, host: str) -> None:
    app = create_app(world.container, config=HttpConfig(public_url=ORIGIN, version="test"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN) as client:
        for name in USERS:
            answer = await call(client, name, headers={"Host": host})
            assert answer.status_code in {400, 401}, name


# Who sends these nothing asks for nothing, for no name, or for whichever passkey there is, and gets it.
CONTENT_WITH_NOTHING = {"update_me", "delete_me", "rename_passkey", "ask_for_passkey"}
REFUSALS = {"access.denied", "session.proof_refused", "sign_in.refused", "sign_in.guesses_used_up"}


@pytest.mark.parametrize("world", ["memory"], indirect=True)
@pytest.mark.parametrize("name", [name for name in ROUTES if body_model(name) and name not in CONTENT_WITH_NOTHING])
async def test_incident_11_a_step_that_is_taken_with_nothing_in_hand_leads_nowhere(
    client: httpx.AsyncClient, world: World, name: str
) -> None:
    headers = await signed_in(client)
    user = await world.user()
    before = await world.events_of(user.id)
    model = body_model(name)
    assert model is not None
    bodies: list[object] = [{}, [], "", dict.fromkeys(model.model_fields), dict.fromkeys(model.model_fields, "")]
    for body in bodies:
        answer = await call(client, name, headers=headers, body=body)
        assert answer.status_code in {401, 403, 422}, body
    events = await world.events_of(user.id)
    assert set(events[: len(events) - len(before)]) <= REFUSALS
    assert await world.user() == user
