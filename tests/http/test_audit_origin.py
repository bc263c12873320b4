"""Where entries of the audit log come from (LA-01)."""

from datetime import timedelta
from uuid import uuid4

import httpx

from application.ports.audit import AuditFilter
from domain.audit.audit_entry import AuditEntry, Source
from domain.events import Outcome
from entrypoints.worker import make_worker
from tests.http.conftest import at_once, make_admin, register, sign_in, signed_in
from tests.world import EMAIL, World

PORTER = "porter@example.com"


async def entries(world: World, **wanted: object) -> list[AuditEntry]:
    """The last entries, newest first."""
    async with world.unit_of_work.read() as tx:
        found, _ = await tx.audit.page(AuditFilter(**wanted), limit=200)  # type: ignore[arg-type]
    return list(found)


async def test_la_01_what_a_user_does_is_written_down_with_who_where_and_in_which_request(
    client: httpx.AsyncClient, world: World
) -> None:
    bearer = await signed_in(client)
    ada = (await world.user()).id
    request_id = uuid4()
    answer = await client.patch(
        "/v1/users/me", json={"locale": "de"}, headers=bearer | {"X-Request-Id": str(request_id)}
    )
    assert answer.is_success
    updated, started, *_, registered = await entries(world, user_id=ada)
    assert updated.event == "user.profile_updated"
    for entry in (updated, started, registered):
        assert (entry.source, entry.network_address, entry.actor_id) == (Source.HTTP, "127.0.0.1", ada)
    assert updated.request_id == request_id
    assert len({entry.request_id for entry in (updated, started, registered)}) == 3


async def test_ad_02_users_see_from_where_they_acted_themselves_and_not_from_where_operators_did(
    client: httpx.AsyncClient, world: World
) -> None:
    bearer = await signed_in(client)
    porter = await signed_in(client, PORTER)
    await make_admin(world, PORTER)
    path = f"/v1/admin/users/{(await world.user()).id}/password-resets"
    assert (await client.post(path, headers=porter)).status_code == 202
    seen = (await client.get("/v1/users/me/security-events", headers=bearer)).json()["items"]
    assert [(event["event"], event["network_address"]) for event in seen] == [
        ("password_reset.requested", None),
        ("session.started", "127.0.0.1"),
        ("user.registered", "127.0.0.1"),
    ]
    assert seen[0]["details"]["network_address"] is None


async def test_la_01_who_is_not_let_in_is_nobody_known(client: httpx.AsyncClient, world: World) -> None:
    await register(client)
    assert (await sign_in(client, EMAIL, "not the password at all")).status_code == 401
    refused = (await entries(world, event="sign_in.refused"))[0]
    assert (refused.outcome, refused.actor_id, refused.network_address) == (Outcome.REFUSED, None, "127.0.0.1")


async def test_la_01_requests_at_the_same_moment_keep_their_own_origin(client: httpx.AsyncClient, world: World) -> None:
    bearers = [await signed_in(client, f"user{number}@example.com") for number in range(5)]
    await at_once(5, lambda number: client.patch("/v1/users/me", json={"locale": "de"}, headers=bearers[number]))
    updated = await entries(world, event="user.profile_updated")
    assert len(updated) == len({entry.request_id for entry in updated}) == 5
    assert all(entry.actor_id == entry.user_id for entry in updated)


async def test_la_01_what_is_for_operators_and_asked_for_by_others_is_written_down(
    client: httpx.AsyncClient, world: World
) -> None:
    bearer = await signed_in(client)
    ada = (await world.user()).id
    for _ in range(12):
        assert (await client.get(f"/v1/admin/users/{ada}", headers=bearer)).status_code == 403
    denied = await entries(world, event="access.denied")
    # Not each time: nobody fills the log by knocking.
    assert len(denied) == 10
    assert (denied[0].outcome, denied[0].actor_id, denied[0].user_id) == (Outcome.REFUSED, ada, ada)
    assert denied[0].details["role"] == "admin"


async def test_la_01_what_operators_do_is_theirs_and_what_happens_by_itself_is_nobodys(
    client: httpx.AsyncClient, world: World
) -> None:
    porter = await signed_in(client, PORTER)
    await make_admin(world, PORTER)
    ada, operator = (await world.register()).id, (await world.user(PORTER)).id
    body = {"reason": "Sends spam", "until": (world.clock.now() + timedelta(days=1)).isoformat()}
    answer = await client.post(f"/v1/admin/users/{ada}/suspensions", json=body, headers=porter)
    assert answer.status_code == 201
    (suspended,) = await entries(world, event="user.suspended")
    assert (suspended.actor_id, suspended.user_id) == (operator, ada)
    world.clock.advance(timedelta(days=2))
    worker = make_worker(world.settings, world.adapters, world.container)
    await worker._upkeep["lift_suspensions"].run()  # noqa: SLF001  (as the schedule has it)
    (reinstated,) = await entries(world, event="user.reinstated")
    assert (reinstated.source, reinstated.actor_id, reinstated.network_address) == (Source.WORKER, None, None)
