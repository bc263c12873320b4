"""One sentence for whoever was refused, and why it was for operators (LG-01, LG-03)."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.sessions.sign_in_attempt import Check
from entrypoints.container import build_container
from entrypoints.settings import Registration
from tests.http.conftest import make_admin, register, signed_in
from tests.http.test_at_rest import dump
from tests.http.test_enumeration import told
from tests.statements import statements_to
from tests.world import DEFAULTS, EMAIL, PASSWORD, World

ATTEMPTS = "/v1/admin/sign-in-attempts"
PORTER = "porter@example.com"
WRONG = "a wrong guess of mine"
UNREACHED = "not_reached"

# Who tries with which password, and what is decided, in order, as far as it comes. Then there is the verdict.
CAUSES: dict[str, tuple[str, str, str]] = {
    "unknown address": ("nobody@example.com", PASSWORD, "left unknown none left"),
    "not an address": ("canary of nobody's", PASSWORD, "left not_an_address none left"),
    "wrong password": (EMAIL, WRONG, "left known none left wrong"),
    "no password": ("pat@example.com", PASSWORD, "left known none left none"),
    "suspended": ("eve@example.com", PASSWORD, "left known none left right in_force"),
    "suspended, and wrong": ("eve@example.com", WRONG, "left known none left wrong"),
    "deletion due": ("joe@example.com", PASSWORD, "left known none left right none due"),
    "unverified": ("bob@example.com", PASSWORD, "left known none left right none not_due unproven"),
}


@pytest.fixture
async def porter(client: httpx.AsyncClient, world: World, app: FastAPI) -> dict[str, str]:
    """An operator, in a house with somebody in every state, where nobody is told who is registered."""
    headers = await signed_in(client, PORTER)
    await make_admin(world, PORTER)
    for email in {email for email, _, _ in CAUSES.values() if email.endswith("example.com")} - {"nobody@example.com"}:
        await register(client, email)
        async with world.unit_of_work.begin() as tx:
            user = await world.user(email)
            if email != "bob@example.com":
                user.verify_email(by_own_hand=True, at=world.clock.now())
            if email == "pat@example.com":
                user.password_hash = None
            if email == "eve@example.com":
                user.suspend(reason="spam", at=world.clock.now())
            if email == "joe@example.com":
                user.deletion_due_at = world.clock.now()
            await tx.users.save(user)
    discreet = DEFAULTS.model_copy(update={"registration": Registration.DISCREET})
    app.state.container = build_container(discreet, world.adapters)
    return headers


async def guess(client: httpx.AsyncClient, email: str = EMAIL, password: str = WRONG, **more: str) -> httpx.Response:
    return await client.post("/v1/sessions", json={"email": email, "password": password} | more)


async def why(client: httpx.AsyncClient, porter: dict[str, str], refusal: httpx.Response) -> dict[str, Any]:
    answer = await client.get(f"{ATTEMPTS}/{refusal.json()['reference']}", headers=porter)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    found: dict[str, Any] = answer.json()
    assert [step["check"] for step in found["steps"]] == list(Check)
    return found


def outcomes(attempt: dict[str, Any]) -> str:
    return " ".join(step["outcome"] for step in attempt["steps"] if step["outcome"] != UNREACHED)


async def test_lg_01_whatever_the_cause_the_answer_is_one_and_the_operator_is_told_which(
    client: httpx.AsyncClient, world: World, porter: dict[str, str]
) -> None:
    answers = {cause: await guess(client, email, password) for cause, (email, password, _) in CAUSES.items()}
    assert len({str(told(answer)) for answer in answers.values()}) == 1
    assert {len(answer.content) for answer in answers.values()} == {len(answers["unverified"].content)}
    references = {answer.json()["reference"] for answer in answers.values()}
    assert len(references) == len(CAUSES)
    for cause, (email, _, steps) in CAUSES.items():
        attempt = await why(client, porter, answers[cause])
        assert outcomes(attempt) == f"{steps} refused", cause
        known = " known " in steps
        assert attempt["user_id"] == (str((await world.user(email)).id) if known else None)
        assert attempt["reference"] == answers[cause].json()["reference"]
        assert attempt["request_id"] == answers[cause].headers["x-request-id"]
        assert (attempt["shared"], attempt["network_address"]) == (False, "127.0.0.1")


async def test_lg_01_used_up_guesses_look_the_same_for_every_address_and_the_operator_is_told_whose(
    client: httpx.AsyncClient, world: World, porter: dict[str, str]
) -> None:
    answers = {}
    for email in (EMAIL, "nobody@example.com", "canary of nobody's"):
        answers[email] = [await guess(client, email) for _ in range(7)][5:]
        assert [answer.status_code for answer in answers[email]] == [429, 429]
    assert len({str(told(answer)) for pair in answers.values() for answer in pair}) == 1
    # One for each address.
    references = [{answer.json()["reference"] for answer in pair} for pair in answers.values()]
    assert ([len(found) for found in references], len(set.union(*references))) == ([1, 1, 1], 3)
    for email, kind in zip(answers, ("known", "unknown", "not_an_address"), strict=True):
        attempt = await why(client, porter, answers[email][1])
        assert outcomes(attempt) == f"left {kind} none used_up told_to_wait"
        assert attempt["user_id"] == (str((await world.user()).id) if kind == "known" else None)
        assert attempt["shared"]


async def test_lg_01_a_network_without_any_left_looks_like_used_up_guesses_and_the_operator_is_told_which(
    client: httpx.AsyncClient, porter: dict[str, str]
) -> None:
    waiting = [await guess(client) for _ in range(6)][5]
    for number in range(30):
        await guess(client, f"nobody{number}@example.com")
    refused = [await guess(client, *how) for how in ((EMAIL,), ("nobody@example.com",), (EMAIL, PASSWORD))]
    refused.append(await guess(client, device_token="hp_dv_x"))
    assert {answer.status_code for answer in refused} == {429}
    bodies = {told(answer)[2] for answer in (waiting, *refused)}
    assert len(bodies) == 1
    assert len({answer.json()["reference"] for answer in refused}) == 1
    attempt = await why(client, porter, refused[0])
    assert outcomes(attempt) == "used_up differs not_known told_to_wait"
    assert (attempt["user_id"], attempt["shared"]) == (None, True)


async def test_references_are_spread_over_their_whole_alphabet(client: httpx.AsyncClient) -> None:
    found = [(await guess(client)).json()["reference"].replace("-", "") for _ in range(5)]
    assert len(set(found)) == 5
    assert len(Counter("".join(found))) > 10


async def test_a_reference_is_heard_in_every_spelling_and_nothing_else_is(
    client: httpx.AsyncClient, porter: dict[str, str]
) -> None:
    reference = (await guess(client)).json()["reference"]
    bare = reference.replace("-", "")
    spelt = [reference.lower(), bare, " ".join(bare.lower()), bare.replace("0", "O").replace("1", "l")]
    answers = [await client.get(f"{ATTEMPTS}/{heard}", headers=porter) for heard in spelt]
    assert [answer.status_code for answer in answers] == [200] * 4
    assert {answer.json()["reference"] for answer in answers} == {reference}
    for unknown, code in (
        ("0000-0000-0000", "sign_in_attempt_not_found"),
        ("UUUU-UUUU-UUUU", "sign_in_attempt_not_found"),
        ("short", "route_not_found"),
        ("7F3K_Q2MX_9RTB", "route_not_found"),
    ):
        answer = await client.get(f"{ATTEMPTS}/{unknown}", headers=porter)
        assert (answer.status_code, answer.json()["code"]) == (404, code)


async def test_other_refusals_have_no_reference(client: httpx.AsyncClient) -> None:
    headers = await signed_in(client)
    body = {"password": WRONG}
    proof = [await client.post("/v1/users/me/reauthentications", json=body, headers=headers) for _ in range(11)]
    assert [answer.status_code for answer in proof] == [403] * 10 + [429]
    malformed = await client.post("/v1/sessions", json={"email": EMAIL})
    assert not [answer for answer in (*proof, malformed) if "reference" in answer.json()]


@pytest.mark.parametrize("world", ["postgres"], indirect=True)
async def test_telling_to_wait_is_written_down_once_however_often_it_is_asked_for(
    client: httpx.AsyncClient, world: World, engine: AsyncEngine, porter: dict[str, str]
) -> None:
    for _ in range(5):
        await guess(client)
    with statements_to(engine) as statements:
        answers = [await guess(client) for _ in range(20)]
    assert {answer.status_code for answer in answers} == {429}
    assert len([statement for statement in statements if "INSERT INTO sign_in_attempts" in statement]) == 1
    first = await why(client, porter, answers[0])
    # Now and then it is tried again, for the row may not have come to be; where it is there, it stays.
    world.clock.advance(timedelta(seconds=60))
    assert [(await guess(client)).status_code for _ in range(2)] == [401, 429]
    assert await why(client, porter, answers[0]) == first
    kept = await dump(engine, ["sign_in_attempts"])
    assert len(kept) == 7


@pytest.mark.parametrize("world", ["postgres"], indirect=True)
@pytest.mark.usefixtures("porter")
async def test_lg_02_every_refusal_costs_as_many_statements_whoever_it_is_about(
    client: httpx.AsyncClient, engine: AsyncEngine
) -> None:
    costs: dict[str, list[int]] = {}
    for email in (EMAIL, "nobody@example.com", "eve@example.com"):
        costs[email] = []
        for _ in range(8):
            with statements_to(engine) as statements:
                await guess(client, email)
                await asyncio.sleep(0)
            costs[email].append(len(statements))
    # Counted, looked up, two rows and what a transaction takes, and one more for the last guess; then counted and
    # looked up, and a row once.
    assert set(map(tuple, costs.values())) == {(6, 6, 6, 6, 7, 5, 2, 2)}


@pytest.mark.parametrize("world", ["postgres"], indirect=True)
async def test_la_03_neither_what_was_typed_nor_the_password_is_kept(
    client: httpx.AsyncClient, engine: AsyncEngine
) -> None:
    await register(client)
    for email in ("canary@example.com", "canary", EMAIL):
        for _ in range(6):
            await guess(client, email, "a canary in the mine")
    kept = await dump(engine, ["sign_in_attempts"])
    assert len(kept) == 18
    assert not [row for row in kept if "canary" in row or EMAIL in row]


async def test_pr_02_attempts_go_with_the_user(client: httpx.AsyncClient, world: World, porter: dict[str, str]) -> None:
    refused = [await guess(client) for _ in range(6)]
    unknown = await guess(client, "nobody@example.com")
    async with world.unit_of_work.begin() as tx:
        await tx.users.remove((await world.user()).id)
    for answer in refused:
        found = await client.get(f"{ATTEMPTS}/{answer.json()['reference']}", headers=porter)
        assert found.status_code == 404
    assert (await why(client, porter, unknown))["user_id"] is None
