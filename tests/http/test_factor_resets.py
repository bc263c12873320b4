"""Getting back in without a second factor, by HTTP: what it takes, what is told, and what is held."""

from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI

from application.upkeep.carry_out_factor_resets import CarryOutFactorResets
from domain.messages.message import MessageKind
from entrypoints.container import build_container
from tests.factors import App, prove_address
from tests.http.apps import enrolled
from tests.http.conftest import make_admin, sign_in, signed_in
from tests.world import EMAIL, PASSWORD, SETTINGS, World, token_of

NEW = "a louder harbour at noon"
CHALLENGES = "/v1/sessions/challenges"


@pytest.fixture
async def ada(client: httpx.AsyncClient, world: World) -> App:
    """The app of somebody who has one, and whom nothing is on its way to."""
    headers = await signed_in(client)
    await prove_address(world)
    app = await enrolled(client, world, headers)
    await world.work()
    return app


@pytest.fixture
async def operator(client: httpx.AsyncClient, world: World) -> dict[str, str]:
    headers = await signed_in(client, "porter@example.com")
    await make_admin(world, "porter@example.com")
    await world.work()
    return headers


async def reset_by_mail(client: httpx.AsyncClient, world: World) -> None:
    """Prove the mailbox, and choose another password."""
    await client.post("/v1/password-resets", json={"email": EMAIL})
    body = {"token": token_of(await world.mailed(MessageKind.RESET_PASSWORD)), "new_password": NEW}
    answer = await client.post("/v1/password-resets/confirm", json=body)
    assert (answer.status_code, answer.content) == (204, b"")
    assert await told(world) == [MessageKind.PASSWORD_CHANGED]


async def told(world: World) -> list[MessageKind]:
    return [mail.kind for mail in await world.work() if mail.recipient.canonical == EMAIL]


async def take_away(client: httpx.AsyncClient, world: World, operator: dict[str, str], app: App) -> httpx.Response:
    path = f"/v1/admin/users/{(await world.user()).id}/factors/{app.factor_id}"
    return await client.request("DELETE", path, json={"reason": "Lost the telephone"}, headers=operator)


async def test_rc_07_the_mailbox_alone_gives_no_session(client: httpx.AsyncClient, world: World, ada: App) -> None:
    await reset_by_mail(client, world)
    first = await sign_in(client, password=NEW)
    assert (first.status_code, first.json()["status"]) == (202, "factor_required")
    # Nor does doing it over again, or the code of a mail in place of a factor.
    await reset_by_mail(client, world)
    again = (await sign_in(client, password=NEW)).json()["challenge_id"]
    for body in ({"totp_code": ada.wrong_code()}, {"recovery_code": "7F3K-Q2MX-9RTB-0ABC-1DEF"}):
        assert (await client.post(f"{CHALLENGES}/{again}", json=body)).status_code == 401
    assert "session.started" not in (await world.events_of((await world.user()).id))[:12]


async def test_rc_07_the_mailbox_and_a_recovery_code_do_and_that_is_told(
    client: httpx.AsyncClient, world: World, ada: App
) -> None:
    await reset_by_mail(client, world)
    challenge_id = (await sign_in(client, password=NEW)).json()["challenge_id"]
    answer = await client.post(f"{CHALLENGES}/{challenge_id}", json={"recovery_code": ada.codes[0]})
    assert answer.status_code == 201
    assert MessageKind.RECOVERY_CODE_USED in await told(world)


async def test_rc_07_the_mailbox_and_an_operator_do_and_that_is_told(
    client: httpx.AsyncClient, world: World, ada: App, operator: dict[str, str]
) -> None:
    await reset_by_mail(client, world)
    assert (await take_away(client, world, operator, ada)).status_code == 204
    assert await told(world) == [MessageKind.FACTOR_RESET]
    assert (await sign_in(client, password=PASSWORD)).status_code == 401
    assert (await sign_in(client, password=NEW)).status_code == 201


@pytest.fixture
def held(app: FastAPI, world: World) -> None:
    """From now on a reset waits for a day."""
    world.settings = SETTINGS.model_copy(update={"factor_reset_hold_seconds": 86_400})
    world.container = app.state.container = build_container(world.settings, world.adapters)


@pytest.mark.usefixtures("held")
async def test_rc_07_a_reset_that_is_held_says_when_and_is_done_then(
    client: httpx.AsyncClient, world: World, ada: App, operator: dict[str, str]
) -> None:
    first = await take_away(client, world, operator, ada)
    assert (first.status_code, first.headers["cache-control"]) == (202, "no-store")
    due = world.clock.now() + timedelta(days=1)
    assert first.json() == {"due_at": f"{due:%Y-%m-%dT%H:%M:%S.%fZ}"}
    assert await told(world) == [MessageKind.FACTOR_RESET_REQUESTED]
    assert (await take_away(client, world, operator, ada)).json() == first.json()
    assert (await sign_in(client)).status_code == 202
    world.clock.advance(timedelta(days=1))
    assert await world.container.resolve(CarryOutFactorResets).execute() == 1
    assert (await sign_in(client)).status_code == 201
    assert await told(world) == [MessageKind.FACTOR_RESET]


@pytest.mark.usefixtures("held")
async def test_rc_07_who_never_asked_for_it_signs_in_and_keeps_the_factor(
    client: httpx.AsyncClient, world: World, ada: App, operator: dict[str, str]
) -> None:
    assert (await take_away(client, world, operator, ada)).status_code == 202
    assert await told(world) == [MessageKind.FACTOR_RESET_REQUESTED]
    challenge_id = (await sign_in(client)).json()["challenge_id"]
    answer = await client.post(f"{CHALLENGES}/{challenge_id}", json={"totp_code": ada.next_code()})
    assert answer.status_code == 201
    assert await told(world) == [MessageKind.FACTOR_RESET_CANCELLED]
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    events = (await client.get("/v1/users/me/security-events", headers=headers)).json()["items"]
    assert {"factor.reset_requested", "factor.reset_cancelled"} <= {event["event"] for event in events}
    world.clock.advance(timedelta(days=1))
    assert await world.container.resolve(CarryOutFactorResets).execute() == 0
    assert (await sign_in(client)).status_code == 202
