"""Whoever has to have a second factor and has none can do nothing but enrol one (MF-07)."""

from collections.abc import Callable
from datetime import timedelta

import httpx
import jwt
import pytest
from fastapi import APIRouter, FastAPI

from adapters.http.app import create_app
from adapters.http.authentication import CurrentUser
from adapters.http.route_checks import expect_declared
from adapters.http.route_policies import Access, RoutePolicy
from application.mfa.reset_factor import ResetFactor
from domain.mfa.requirement import MfaRequirement
from entrypoints.container import build_container
from tests.factors import prove_address
from tests.http.apps import FACTORS, activated, enrolled, offered
from tests.http.conftest import CONFIG, ORIGIN, make_admin, sign_in, signed_in
from tests.http.requests_of_routes import body_model, call, named, policy_of
from tests.passkeys import authenticator_of
from tests.world import PASSWORD, SETTINGS, World, token_of

ME = "/v1/users/me"
USERS = named(Access.USER, Access.RECENT_USER, Access.ADMIN, Access.RECENT_ADMIN)
OPEN = {"list_factors", "enrol_totp", "activate_totp", "reauthenticate", "get_current_session", "sign_out"}
OPEN |= {"offer_passkey", "register_passkey"}
NOT_ENROLLED = (403, "factor_enrolment_required")

type Require = Callable[[MfaRequirement], None]


@pytest.fixture
def require(app: FastAPI, world: World) -> Require:
    """Say from now on who has to have a second factor."""

    def say(of: MfaRequirement) -> None:
        world.settings = SETTINGS.model_copy(update={"mfa_required": of})
        world.container = app.state.container = build_container(world.settings, world.adapters)

    return say


@pytest.fixture
def of_everyone(require: Require) -> None:
    require(MfaRequirement.EVERYONE)


def outcome(answer: httpx.Response) -> tuple[int, str | None]:
    return answer.status_code, answer.json()["code"] if answer.is_error else None


async def refused_at(client: httpx.AsyncClient, headers: dict[str, str]) -> set[str]:
    """The routes that keep this caller out for want of a factor. Signing out comes last."""
    names = sorted(USERS, key=lambda name: name == "sign_out")
    return {name for name in names if outcome(await call(client, name, headers=headers)) == NOT_ENROLLED}


@pytest.mark.usefixtures("of_everyone")
async def test_mf_07_whoever_has_to_enrol_gets_past_no_route_that_is_not_for_it(client: httpx.AsyncClient) -> None:
    """Incident 8."""
    assert await refused_at(client, await signed_in(client)) == set(USERS) - OPEN


@pytest.mark.usefixtures("of_everyone")
async def test_mf_07_being_an_operator_opens_nothing_more(client: httpx.AsyncClient, world: World) -> None:
    headers = await signed_in(client)
    await make_admin(world)
    assert await refused_at(client, headers) == set(USERS) - OPEN


def test_mf_07_what_is_open_while_enrolling_is_declared_for_users_alone() -> None:
    """A route that says nothing of it is shut: it has to be asked for."""
    assert {name for name in USERS if policy_of(name).while_enrolling} == OPEN


@pytest.mark.parametrize("world", ["memory"], indirect=True)
@pytest.mark.usefixtures("of_everyone")
async def test_mf_07_a_route_of_ones_own_is_shut_unless_it_says_otherwise(world: World) -> None:
    app = create_app(world.container, config=CONFIG)
    router = APIRouter()

    @router.get("/extra")
    async def get_extra(caller: CurrentUser) -> str:
        return str(caller.user_id)

    app.include_router(router)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN) as client:
        headers = await signed_in(client)
        # Declared nowhere, which stops the start otherwise.
        assert outcome(await client.get("/extra", headers=headers)) == NOT_ENROLLED
        app.state.policies["get_extra"] = RoutePolicy(access=Access.USER)
        expect_declared(app)
        assert outcome(await client.get("/extra", headers=headers)) == NOT_ENROLLED
        app.state.policies["get_extra"] = RoutePolicy(access=Access.USER, while_enrolling=True)
        assert (await client.get("/extra", headers=headers)).status_code == 200


@pytest.mark.usefixtures("of_everyone")
async def test_the_way_through_enrolling_is_open_and_then_all_is(client: httpx.AsyncClient, world: World) -> None:
    """Incident 34: whether there is a factor is looked at each time, and so it counts at once."""
    headers = await signed_in(client)
    tokens = (await sign_in(client)).json()
    assert outcome(await client.post(f"{FACTORS}/totp", json={}, headers=headers)) == (403, "email_not_verified")
    mailed = next(mail for mail in await world.work() if "code" in mail.content)
    proof = {"token": token_of(mailed)}
    # As for anyone; and through their own session the password stays.
    assert (await client.post("/v1/email-verifications/confirm", json=proof, headers=headers)).status_code == 200
    world.clock.advance(timedelta(minutes=9))
    refreshed = (await client.post("/v1/sessions/refresh", json={"refresh_token": tokens["refresh_token"]})).json()
    headers = {"Authorization": f"Bearer {refreshed['access_token']}"}
    world.clock.advance(timedelta(minutes=9))
    assert outcome(await client.post(f"{FACTORS}/totp", json={}, headers=headers)) == (401, "reauthentication_required")
    proven = await client.post(f"{ME}/reauthentications", json={"password": PASSWORD}, headers=headers)
    assert proven.status_code == 200
    app = await offered(client, world, headers)
    assert outcome(await client.get(ME, headers=headers)) == NOT_ENROLLED
    assert (await activated(client, app, headers, app.code())).status_code == 200
    assert (await client.get(ME, headers=headers)).status_code == 200


@pytest.mark.usefixtures("of_everyone")
async def test_mf_09_taking_the_factor_away_shuts_everything_again(client: httpx.AsyncClient, world: World) -> None:
    """Incident 34."""
    headers = await signed_in(client)
    user = await prove_address(world)
    app = await enrolled(client, world, headers)
    await world.container.resolve(ResetFactor).execute(user_id=user.id, factor_id=app.factor_id, reason="lost")
    assert (await client.get(ME, headers=headers)).status_code == 401
    again = {"Authorization": f"Bearer {(await sign_in(client)).json()['access_token']}"}
    assert outcome(await client.get(ME, headers=again)) == NOT_ENROLLED


@pytest.mark.usefixtures("of_everyone")
async def test_the_last_factor_stays_and_another_one_sets_it_free(client: httpx.AsyncClient, world: World) -> None:
    headers = await signed_in(client)
    await prove_address(world)
    first = await enrolled(client, world, headers)
    path = f"{FACTORS}/{first.factor_id}"
    assert outcome(await client.delete(path, headers=headers)) == (409, "factor_is_required")
    listed = (await client.get(FACTORS, headers=headers)).json()
    assert ([item["id"] for item in listed["items"]], listed["recovery_codes_left"]) == ([str(first.factor_id)], 10)
    second = await enrolled(client, world, headers)
    assert (await client.delete(path, headers=headers)).status_code == 204
    last = await client.delete(f"{FACTORS}/{second.factor_id}", headers=headers)
    assert outcome(last) == (409, "factor_is_required")


async def test_where_operators_alone_need_one_others_do_not(
    client: httpx.AsyncClient, world: World, require: Require
) -> None:
    require(MfaRequirement.ADMINS)
    ada = await signed_in(client)
    bob = await signed_in(client, "bob@example.com")
    assert [(await client.get(ME, headers=each)).status_code for each in (ada, bob)] == [200, 200]
    # From the moment that somebody is one, whatever their token says.
    await make_admin(world)
    assert outcome(await client.get(ME, headers=ada)) == NOT_ENROLLED
    assert outcome(await client.get("/v1/admin/users", headers=ada)) == NOT_ENROLLED
    assert (await client.get(ME, headers=bob)).status_code == 200
    user = await prove_address(world)
    app = await enrolled(client, world, ada)
    assert (await client.get("/v1/admin/users", headers=ada)).status_code == 200
    assert outcome(await client.delete(f"{FACTORS}/{app.factor_id}", headers=ada)) == (409, "factor_is_required")
    async with world.unit_of_work.begin() as tx:
        no_longer = await tx.users.get(user.id)
        no_longer.roles = frozenset()
        await tx.users.save(no_longer)
    assert (await client.delete(f"{FACTORS}/{app.factor_id}", headers=ada)).status_code == 204
    assert (await client.get(ME, headers=ada)).status_code == 200


async def audience_of(client: httpx.AsyncClient, token: str) -> str:
    """For whom the token is, as a service finds that out which looks at nothing but the token."""
    keys = jwt.PyJWKSet.from_dict((await client.get("/.well-known/jwks.json")).json())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    try:
        jwt.decode(token, key, algorithms=["ES256"], audience=ORIGIN, options={"verify_exp": False})
    except jwt.InvalidAudienceError:
        claims = jwt.decode(token, key, algorithms=["ES256"], options={"verify_exp": False, "verify_aud": False})
        assert claims["roles"] == []
        return str(claims["aud"])
    return ORIGIN


async def is_active(client: httpx.AsyncClient, operator: dict[str, str], token: str) -> bool:
    answer = await client.post("/v1/tokens/introspect", json={"token": token}, headers=operator)
    assert answer.status_code == 200, answer.text
    return bool(answer.json()["active"])


@pytest.fixture
async def operator(client: httpx.AsyncClient, world: World) -> dict[str, str]:
    """One with a factor, who may ask about the tokens of others."""
    headers = await signed_in(client, "porter@example.com")
    await make_admin(world, "porter@example.com")
    await prove_address(world, "porter@example.com")
    await enrolled(client, world, headers)
    return headers


@pytest.mark.parametrize("world", ["postgres"], indirect=True)
async def test_mf_07_no_service_believes_who_has_to_enrol_first(
    client: httpx.AsyncClient, world: World, require: Require, operator: dict[str, str]
) -> None:
    """Neither those that ask us, nor those that look at the token alone: also not before they ask."""
    before = (await signed_in(client))["Authorization"][7:]
    await make_admin(world)
    assert await is_active(client, operator, before)
    require(MfaRequirement.EVERYONE)
    assert not await is_active(client, operator, before)
    tokens = (await sign_in(client)).json()
    token, refresh = tokens["access_token"], tokens["refresh_token"]
    assert await audience_of(client, token) == f"{ORIGIN}/enrolment"
    assert not await is_active(client, operator, token)
    tokens = (await client.post("/v1/sessions/refresh", json={"refresh_token": refresh})).json()
    assert await audience_of(client, tokens["access_token"]) == f"{ORIGIN}/enrolment"
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    await prove_address(world)
    app = await enrolled(client, world, headers)
    # We know better now than the token, and whoever looks at the token alone does not: one answer for both.
    assert (await client.get(ME, headers=headers)).status_code == 200
    assert not await is_active(client, operator, tokens["access_token"])
    tokens = (await client.post("/v1/sessions/refresh", json={"refresh_token": tokens["refresh_token"]})).json()
    assert await audience_of(client, tokens["access_token"]) == ORIGIN
    assert await is_active(client, operator, tokens["access_token"])
    challenge_id = (await sign_in(client)).json()["challenge_id"]
    body = {"recovery_code": app.codes[0]}
    signed = (await client.post(f"/v1/sessions/challenges/{challenge_id}", json=body)).json()
    assert await audience_of(client, signed["access_token"]) == ORIGIN


@pytest.mark.parametrize("world", ["memory"], indirect=True)
@pytest.mark.parametrize("name", sorted(name for name in OPEN if body_model(name) is not None))
@pytest.mark.usefixtures("of_everyone")
async def test_incident_11_no_step_of_enrolling_is_taken_with_nothing_in_hand(
    client: httpx.AsyncClient, world: World, name: str
) -> None:
    headers = await signed_in(client)
    user = await prove_address(world)
    app = await offered(client, world, headers)
    model = body_model(name)
    assert model is not None
    fields = model.model_fields
    bodies: list[object] = [[], "", dict.fromkeys(fields), dict.fromkeys(fields, ""), dict.fromkeys(fields, "000000")]
    bodies += [{}] if name != "enrol_totp" else []
    for body in bodies:
        await call(client, name, headers=headers, body=body, ids={"factor_id": app.factor_id})
        assert outcome(await client.get(ME, headers=headers)) == NOT_ENROLLED, body
    assert (await client.get(FACTORS, headers=headers)).json()["items"] == []
    assert "factor.enrolled" not in await world.events_of(user.id)


@pytest.mark.parametrize("required", list(MfaRequirement))
async def test_the_configuration_says_who_needs_a_second_factor(
    client: httpx.AsyncClient, require: Require, required: MfaRequirement
) -> None:
    require(required)
    assert (await client.get("/v1/config")).json()["mfa_required"] == required


async def test_where_nobody_needs_one_nobody_is_asked_for_one(client: httpx.AsyncClient, world: World) -> None:
    headers = await signed_in(client)
    await make_admin(world)
    assert await refused_at(client, headers) == set()


@pytest.mark.usefixtures("of_everyone")
async def test_a_passkey_does_as_well_and_the_last_one_stays(client: httpx.AsyncClient, world: World) -> None:
    headers = await signed_in(client)
    await prove_address(world)
    asked = (await client.post("/v1/users/me/passkeys/options", headers=headers)).json()
    made = {"ceremony_id": asked["ceremony_id"], "credential": authenticator_of(world).create(asked["options"])}
    registered = await client.post("/v1/users/me/passkeys", json={"passkey": made}, headers=headers)
    assert registered.status_code == 201, registered.text
    assert (await client.get("/v1/users/me", headers=headers)).status_code == 200
    factor_id = registered.json()["passkey"]["id"]
    for path in ("passkeys", "factors"):
        answer = await client.delete(f"/v1/users/me/{path}/{factor_id}", headers=headers)
        assert outcome(answer) == (409, "factor_is_required")
