"""What the repository of refresh tokens promises about families, and what a sealer promises."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.crypto.token_sealer import AesTokenSealer
from adapters.memory.token_sealer import MemoryTokenSealer
from application.ports.token_sealer import TokenSealer
from application.ports.unit_of_work import UnitOfWork
from domain.errors import ConcurrentUpdate
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
    async with uow.read() as tx:
        assert await tx.refresh_tokens.find_family(token.digest) == TokenFamily(token=token, session=session, user=user)
        assert await tx.refresh_tokens.find_family(secret(2).digest()) is None


async def rotate(uow: UnitOfWork, old: RefreshTokenSecret, new: RefreshTokenSecret) -> None:
    """Rotate what was read a moment ago."""
    async with uow.read() as tx:
        family = await tx.refresh_tokens.find_family(old.digest())
    assert family is not None
    await rotate_read(uow, family, new)


async def rotate_read(uow: UnitOfWork, family: TokenFamily, new: RefreshTokenSecret) -> None:
    at, version = family.session.last_used_at + timedelta(microseconds=1), family.session.version
    rotated, successor = family.rotate(new, sealed_answer=f"under {family.token.generation}", at=at)
    async with uow.write() as tx:
        await tx.refresh_tokens.rotate(rotated, successor, family.session)
    assert family.session.version == version + 1


async def test_a_rotation_of_what_has_changed_since_is_refused_and_changes_nothing(uow: UnitOfWork) -> None:
    _, session, token = await family_of(uow)
    async with uow.read() as tx:
        family = await tx.refresh_tokens.find_family(token.digest)
    assert family is not None
    async with uow.begin() as tx:
        changed = await tx.sessions.get(session.id)
        await tx.sessions.save(changed)
    with pytest.raises(ConcurrentUpdate):
        await rotate_read(uow, family, secret(2))
    async with uow.read() as tx:
        assert await tx.refresh_tokens.find_family(token.digest) == replace(family, session=changed)
        assert await tx.refresh_tokens.find(secret(2).digest()) is None


async def test_a_rotation_moves_nothing_but_what_it_is_about(uow: UnitOfWork) -> None:
    _, session, token = await family_of(uow)
    await rotate(uow, secret(1), secret(2))
    async with uow.read() as tx:
        kept = await tx.sessions.get(session.id)
    at = token.issued_at + timedelta(microseconds=1)
    assert kept == replace(session, version=session.version + 1, generation=2, last_used_at=at)


async def test_a_rotation_can_be_part_of_a_transaction(uow: UnitOfWork) -> None:
    _, _, token = await family_of(uow)

    async def rotate_and_fail() -> None:
        async with uow.begin() as tx:
            family = await tx.refresh_tokens.find_family(token.digest)
            assert family is not None
            rotation = family.rotate(secret(2), sealed_answer="", at=token.issued_at)
            await tx.refresh_tokens.rotate(*rotation, family.session)
            assert await tx.refresh_tokens.find(secret(2).digest()) is not None
            raise LookupError

    with pytest.raises(LookupError):
        await rotate_and_fail()
    async with uow.read() as tx:
        assert await tx.refresh_tokens.find(secret(2).digest()) is None


async def test_a_rotation_is_kept_and_only_the_last_answer_with_it(uow: UnitOfWork) -> None:
    _, session, token = await family_of(uow)
    await rotate(uow, secret(1), secret(2))
    at = session.created_at + timedelta(microseconds=1)
    async with uow.read() as tx:
        assert await tx.refresh_tokens.find(token.digest) == replace(token, rotated_at=at, sealed_answer="under 1")
        assert await tx.refresh_tokens.find(secret(2).digest()) == RefreshToken(
            digest=secret(2).digest(), session_id=session.id, generation=2, issued_at=at
        )
        assert (await tx.sessions.get(session.id)).generation == 2
    await rotate(uow, secret(2), secret(3))
    async with uow.read() as tx:
        first = await tx.refresh_tokens.find(token.digest)
    assert first == replace(token, rotated_at=at)


async def test_one_of_twenty_parallel_rotations_wins(uow: UnitOfWork) -> None:
    await family_of(uow)
    barrier = asyncio.Barrier(20)

    async def attempt(number: int) -> bool:
        async with uow.read() as tx:
            family = await tx.refresh_tokens.find_family(secret(1).digest())
        assert family is not None
        await barrier.wait()
        try:
            await rotate_read(uow, family, secret(number))
        except ConcurrentUpdate:
            return False
        return True

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
