"""Second factors, by HTTP."""

from uuid import UUID

import httpx

from domain.ids import FactorId
from tests.factors import App
from tests.world import World

FACTORS = "/v1/users/me/factors"


async def offered(client: httpx.AsyncClient, world: World, headers: dict[str, str], **body: str) -> App:
    """An app that has shown no code yet."""
    answer = await client.post(f"{FACTORS}/totp", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    offer = answer.json()
    return App(world, FactorId(UUID(offer["id"])), offer["secret"])


async def activated(client: httpx.AsyncClient, app: App, headers: dict[str, str], code: str) -> httpx.Response:
    path = f"{FACTORS}/totp/{app.factor_id}/activation"
    return await client.post(path, json={"totp_code": code}, headers=headers)


async def enrolled(client: httpx.AsyncClient, world: World, headers: dict[str, str]) -> App:
    """An app that is a second factor of whoever these headers belong to."""
    app = await offered(client, world, headers)
    answer = await activated(client, app, headers, app.code())
    assert answer.status_code == 200, answer.text
    app.codes = answer.json()["recovery_codes"]
    return app
