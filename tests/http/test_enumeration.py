"""LG-01, LG-03, incident 27: how a question about an address is answered does not tell whether somebody has it."""

import asyncio
import re
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from entrypoints.container import build_container
from entrypoints.settings import Registration
from tests.http.conftest import register
from tests.statements import statements_to
from tests.world import PASSWORD, SETTINGS, World

REFERENCE = "[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}"
WHO = {
    "unknown": "nobody@example.com",
    "known": "ada@example.com",
    "unverified": "bob@example.com",
    "suspended": "eve@example.com",
    "leaving": "joe@example.com",
}
QUESTIONS: dict[str, Any] = {
    "reset": lambda email: ("/v1/password-resets", {"email": email}),
    "verification": lambda email: ("/v1/email-verifications", {"email": email}),
    "code": lambda email: ("/v1/email-verifications/confirm", {"email": email, "code": "12345678"}),
    "sign in": lambda email: ("/v1/sessions", {"email": email, "password": "a wrong guess of mine"}),
    "discreet registration": lambda email: ("/v1/users", {"email": email, "password": PASSWORD}),
}


@pytest.fixture
async def people(client: httpx.AsyncClient, world: World, app: FastAPI) -> None:
    """Somebody in every state, where nobody is told who is registered."""
    for state, email in WHO.items():
        if state != "unknown":
            assert (await register(client, email)).status_code == 201
        async with world.unit_of_work.begin() as tx:
            if state in {"suspended", "known", "leaving"}:
                user = await world.user(email)
                user.verify_email(by_own_hand=True, at=world.clock.now())
                if state == "suspended":
                    user.suspend(reason="spam", at=world.clock.now())
                if state == "leaving":
                    user.deletion_due_at = world.clock.now()
                await tx.users.save(user)
    discreet = SETTINGS.model_copy(update={"registration": Registration.DISCREET})
    app.state.container = build_container(discreet, world.adapters)


def told(answer: httpx.Response) -> tuple[int, dict[str, str], str]:
    """All that a caller can see, but for what differs between any two requests: ids, and count of the network's."""
    headers = {name: value for name, value in answer.headers.items() if name not in {"x-request-id", "ratelimit"}}
    return answer.status_code, headers, unreferred(answer).replace(answer.headers["x-request-id"], "")


def unreferred(answer: httpx.Response) -> str:
    """The body but for the reference, of which there is one form."""
    return re.sub(f'(?<="reference":"){REFERENCE}(?=")', "", answer.text)


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("question", QUESTIONS)
async def test_every_address_is_answered_alike(client: httpx.AsyncClient, question: str) -> None:
    answers = []
    for email in WHO.values():
        path, body = QUESTIONS[question](email)
        answers.append(told(await client.post(path, json=body)))
    assert all(answer == answers[0] for answer in answers)


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("world", ["postgres"], indirect=True)
@pytest.mark.parametrize("question", QUESTIONS)
async def test_every_address_costs_the_same_number_of_statements(
    client: httpx.AsyncClient, engine: AsyncEngine, question: str
) -> None:
    """LG-02, incident 49."""
    costs = {}
    for state, email in WHO.items():
        path, body = QUESTIONS[question](email)
        with statements_to(engine) as statements:
            await client.post(path, json=body)
            await asyncio.sleep(0)
        costs[state] = len(statements)
    assert len(set(costs.values())) == 1, costs
    assert costs["known"] >= 2
