"""What the repository of requests with an idempotency key promises."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from adapters.memory.clock import MemoryClock
from adapters.system.randomness import SystemRandomness
from application.ports.unit_of_work import ReadOnlyBlock, UnitOfWork
from domain.idempotency.idempotent_request import IdempotencyInFlight, IdempotencyPolicy, IdempotentRequest, Once
from domain.ids import UserId
from domain.users.user import UserNotFound
from tests.world import new_user

NOW = MemoryClock().now()
TICK = timedelta(microseconds=1)
POLICY = IdempotencyPolicy()
_randomness = SystemRandomness()


def new_request(key: str = "k", *, at: datetime = NOW) -> IdempotentRequest:
    return IdempotentRequest(
        digest=IdempotentRequest.digest_of(principal="anyone", route="register_user", key=key),
        claim_id=_randomness.uuid(at=at),
        claimed_at=at,
        expires_at=at + POLICY.kept_for,
        sealed_request=f"sealed at {at}",
    )


def once(request: IdempotentRequest) -> Once:
    return Once(digest=request.digest, claim_id=request.claim_id)


async def claim(uow: UnitOfWork, request: IdempotentRequest) -> IdempotentRequest | None:
    async with uow.begin() as tx:
        return await tx.idempotent_requests.claim(request, POLICY)


async def find(uow: UnitOfWork, request: IdempotentRequest) -> IdempotentRequest | None:
    async with uow.read() as tx:
        return await tx.idempotent_requests.find(request.digest)


async def note(uow: UnitOfWork, request: IdempotentRequest, user_id: UserId | None = None) -> None:
    async with uow.begin() as tx:
        await tx.idempotent_requests.note_act(once(request), user_id, at=NOW)


async def answer(uow: UnitOfWork, request: IdempotentRequest) -> None:
    async with uow.begin() as tx:
        await tx.idempotent_requests.answer(once(request), "sealed answer")


async def release(uow: UnitOfWork, request: IdempotentRequest) -> None:
    async with uow.begin() as tx:
        await tx.idempotent_requests.release(once(request))


async def test_a_new_request_is_claimed_and_found(uow: UnitOfWork) -> None:
    request = new_request()
    assert await find(uow, request) is None
    assert await claim(uow, request) == request
    assert await find(uow, request) == request


async def test_whoever_has_claimed_it_has_it_for_a_while(uow: UnitOfWork) -> None:
    first = new_request()
    await claim(uow, first)
    assert await claim(uow, new_request(at=NOW + POLICY.claimed_for - TICK)) is None
    second = new_request(at=NOW + POLICY.claimed_for)
    assert await claim(uow, second) == replace(first, claim_id=second.claim_id, claimed_at=second.claimed_at)


async def test_one_that_is_answered_is_nobodys_to_claim_until_it_is_over(uow: UnitOfWork) -> None:
    first = new_request()
    await claim(uow, first)
    await answer(uow, first)
    assert await claim(uow, new_request(at=NOW + POLICY.kept_for - TICK)) is None
    anew = new_request(at=NOW + POLICY.kept_for)
    assert await claim(uow, anew) == anew
    assert await find(uow, anew) == anew


async def test_what_was_done_stays_done_for_whoever_takes_it_over_and_not_for_whoever_begins_anew(
    uow: UnitOfWork,
) -> None:
    user, first = new_user(), new_request()
    async with uow.begin() as tx:
        await tx.users.add(user)
    await claim(uow, first)
    await note(uow, first, user.id)
    taken_over = await claim(uow, new_request(at=NOW + POLICY.claimed_for))
    assert taken_over is not None
    assert (taken_over.acted_at, taken_over.user_id) == (NOW, user.id)
    anew = await claim(uow, new_request(at=NOW + POLICY.kept_for))
    assert anew is not None
    assert (anew.acted_at, anew.user_id) == (None, None)


async def test_ap_04_of_twenty_at_once_one_gets_it(uow: UnitOfWork) -> None:
    for moment in (NOW, NOW + POLICY.claimed_for, NOW + POLICY.kept_for):
        barrier = asyncio.Barrier(20)

        async def one(at: datetime, barrier: asyncio.Barrier) -> IdempotentRequest | None:
            await barrier.wait()
            return await claim(uow, new_request(at=at))

        claimed = await asyncio.gather(*(one(moment, barrier) for _ in range(20)))
        assert len([request for request in claimed if request is not None]) == 1


async def test_a_claim_that_went_to_somebody_else_counts_no_longer(uow: UnitOfWork) -> None:
    first = new_request()
    await claim(uow, first)
    second = await claim(uow, new_request(at=NOW + POLICY.claimed_for))
    assert second is not None
    with pytest.raises(IdempotencyInFlight):
        await note(uow, first)
    await answer(uow, first)
    await release(uow, first)
    assert await find(uow, first) == second
    await note(uow, second)
    await answer(uow, second)
    assert await find(uow, first) == replace(second, acted_at=NOW, sealed_answer="sealed answer")


async def test_an_act_of_somebody_who_is_no_longer_in_charge_is_undone(uow: UnitOfWork) -> None:
    first, user = new_request(), new_user()
    await claim(uow, first)
    await claim(uow, new_request(at=NOW + POLICY.claimed_for))

    async def act() -> None:
        async with uow.begin() as tx:
            await tx.users.add(user)
            await tx.idempotent_requests.note_act(once(first), user.id, at=NOW)

    with pytest.raises(IdempotencyInFlight):
        await act()
    async with uow.read() as tx:
        assert await tx.users.find_by_email(user.email) is None


async def test_what_was_not_done_can_be_given_free_and_what_was_done_cannot(uow: UnitOfWork) -> None:
    request = new_request()
    await claim(uow, request)
    await release(uow, request)
    assert await find(uow, request) is None
    await claim(uow, request)
    await note(uow, request)
    await release(uow, request)
    assert await find(uow, request) == replace(request, acted_at=NOW)


async def test_it_goes_with_the_user_it_was_about(uow: UnitOfWork) -> None:
    user, about, other = new_user(), new_request("about"), new_request("other")
    async with uow.begin() as tx:
        await tx.users.add(user)
    for request in (about, other):
        await claim(uow, request)
    await note(uow, about, user.id)
    async with uow.begin() as tx:
        await tx.users.remove(user.id)
    assert (await find(uow, about), await find(uow, other)) == (None, other)
    with pytest.raises(UserNotFound):
        await note(uow, other, UserId(UUID(int=7)))


async def test_what_is_over_is_forgotten_a_few_at_a_time(uow: UnitOfWork) -> None:
    for number in range(3):
        await claim(uow, new_request(str(number), at=NOW + number * TICK))
    moment = NOW + POLICY.kept_for + 2 * TICK
    removed = []
    for _ in range(3):
        async with uow.begin() as tx:
            removed.append(await tx.idempotent_requests.purge(expired_before=moment, limit=1))
    assert removed == [1, 1, 0]
    assert await find(uow, new_request("2")) is not None


async def test_a_block_of_reads_claims_nothing(uow: UnitOfWork) -> None:
    async with uow.read() as tx:
        with pytest.raises(ReadOnlyBlock):
            await tx.idempotent_requests.claim(new_request(), POLICY)
