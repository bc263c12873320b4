"""What the repository of refresh tokens promises about families, and what a sealer promises."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.crypto.token_sealer import AesTokenSealer
from adapters.memory.token_sealer import MemoryTokenSealer
from application.ports.token_sealer import TokenSealer
from application.ports.unit_of_work import ReadOnlyBlock, UnitOfWork
from domain.sessions.refresh_token import RefreshToken, RefreshTokenSecret
from domain.sessions.session import Session
from domain.sessions.token_family import TokenFamily
from domain.users.user import User
from tests.world import new_session, new_user


def secret(number: int) -> RefreshTokenSecret:
    return RefreshTokenSecret.from_random(number.to_bytes(32))


async def family_of(uow: UnitOfWork) -> tuple[User, Session, RefreshToken]:
    user = new_user()
    session = new_session(user)
    token = RefreshToken.first(secret(1), session_id=session.id, at=session.created_at)
    async with uow.begin() as tx:
        await tx.users.add(user)
        await tx.sessions.add(session)
        await tx.refresh_tokens.add(token)
    return user, session, token


async def test_a_family_is_a_token_its_session_and_its_user(uow: UnitOfWork) -> None:
    user, session, token = await family_of(uow)
    async with uow.begin() as tx:
        assert await tx.refresh_tokens.lock_family(token.digest) == TokenFamily(token=token, session=session, user=user)
        assert await tx.refresh_tokens.lock_family(secret(2).digest()) is None


async def test_a_family_is_locked_in_transactions_only(uow: UnitOfWork) -> None:
    _, _, token = await family_of(uow)

    async def lock() -> None:
        async with uow.read() as tx:
            await tx.refresh_tokens.lock_family(token.digest)

    with pytest.raises(ReadOnlyBlock):
        await lock()


async def rotate(uow: UnitOfWork, old: RefreshTokenSecret, new: RefreshTokenSecret) -> bool:
    """Rotate if it is the youngest."""
    async with uow.begin() as tx:
        family = await tx.refresh_tokens.lock_family(old.digest())
        assert family is not None
        if family.token.generation != family.session.generation:
            return False
        at = family.session.last_used_at + timedelta(microseconds=1)
        await tx.refresh_tokens.rotate(*family.rotate(new, sealed_answer=f"under {old.text}", at=at))
        await tx.sessions.save(family.session)
        return True


async def test_a_rotation_is_kept_and_only_the_last_answer_with_it(uow: UnitOfWork) -> None:
    _, session, token = await family_of(uow)
    assert await rotate(uow, secret(1), secret(2))
    at = session.created_at + timedelta(microseconds=1)
    async with uow.read() as tx:
        assert await tx.refresh_tokens.find(token.digest) == replace(
            token, rotated_at=at, sealed_answer=f"under {secret(1).text}"
        )
        assert await tx.refresh_tokens.find(secret(2).digest()) == RefreshToken(
            digest=secret(2).digest(), session_id=session.id, generation=2, issued_at=at
        )
        assert (await tx.sessions.get(session.id)).generation == 2
    assert await rotate(uow, secret(2), secret(3))
    async with uow.read() as tx:
        first = await tx.refresh_tokens.find(token.digest)
    assert first == replace(token, rotated_at=at)


async def test_one_of_twenty_parallel_rotations_wins(uow: UnitOfWork) -> None:
    await family_of(uow)
    barrier = asyncio.Barrier(20)

    async def attempt(number: int) -> bool:
        await barrier.wait()
        return await rotate(uow, secret(1), secret(number))

    assert sum(await asyncio.gather(*(attempt(number) for number in range(10, 30)))) == 1


@pytest.fixture(params=["memory", "aes"])
def sealer(request: pytest.FixtureRequest) -> TokenSealer:
    return MemoryTokenSealer() if request.param == "memory" else AesTokenSealer()


def test_what_was_sealed_opens_under_the_same_token_and_session_only(sealer: TokenSealer) -> None:
    """SK-04."""
    session, other = new_session(new_user()), new_session(new_user())
    sealed = sealer.seal("the answer", under=secret(1), session_id=session.id)
    assert sealer.open(sealed, under=secret(1), session_id=session.id) == "the answer"
    assert sealer.open(sealed, under=secret(2), session_id=session.id) is None
    assert sealer.open(sealed, under=secret(1), session_id=other.id) is None
    assert sealer.open("", under=secret(1), session_id=session.id) is None


def test_what_is_at_rest_shows_nothing_of_it() -> None:
    session = new_session(new_user())
    sealed = AesTokenSealer().seal("the answer", under=secret(1), session_id=session.id)
    assert "answer" not in sealed
    assert sealed != AesTokenSealer().seal("the answer", under=secret(1), session_id=session.id)
