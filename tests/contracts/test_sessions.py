"""What the repositories of sessions, refresh tokens and signing keys promise."""

import asyncio
from datetime import timedelta

import pytest

from application.ports.unit_of_work import UnitOfWork
from domain.errors import ConcurrentUpdate
from domain.ids import KeyId
from domain.sessions.principal import Principal
from domain.sessions.refresh_token import RefreshToken, RefreshTokenSecret
from domain.sessions.session import Device, EndReason, Session, SessionNotFound
from domain.signing.signing_key import ActiveSigningKeyExists, KeyState, SigningKey
from domain.users.user import User, UserNotFound
from tests.world import new_session, new_user


async def signed_in(uow: UnitOfWork) -> tuple[User, Session]:
    user = new_user()
    session = new_session(user)
    async with uow.begin() as tx:
        await tx.users.add(user)
        await tx.sessions.add(session)
    return user, session


async def save(uow: UnitOfWork, session: Session) -> None:
    async with uow.begin() as tx:
        await tx.sessions.save(session)


async def test_every_field_comes_back_as_it_went_in(uow: UnitOfWork) -> None:
    _, session = await signed_in(uow)
    session.device = Device(user_agent=None, network_address="2001:db8::1", name="Firefox on Windows")
    session.last_used_at += timedelta(microseconds=1)
    session.end(reason=EndReason.SIGNED_OUT, at=session.created_at + timedelta(hours=1))
    await save(uow, session)
    async with uow.read() as tx:
        assert await tx.sessions.get(session.id) == session
    async with uow.begin() as tx:
        assert await tx.sessions.lock(session.id) == session
    assert session.version == 2


async def test_a_session_that_is_not_there_is_not_found(uow: UnitOfWork) -> None:
    unknown = new_session(new_user()).id
    async with uow.begin() as tx:
        with pytest.raises(SessionNotFound):
            await tx.sessions.get(unknown)
        with pytest.raises(SessionNotFound):
            await tx.sessions.lock(unknown)
        assert await tx.sessions.find_live(unknown, at=new_user().created_at) is None


async def test_a_session_belongs_to_an_existing_user(uow: UnitOfWork) -> None:
    async def add() -> None:
        async with uow.begin() as tx:
            await tx.sessions.add(new_session(new_user()))

    with pytest.raises(UserNotFound):
        await add()


async def test_a_stale_copy_cannot_be_saved(uow: UnitOfWork) -> None:
    _, session = await signed_in(uow)
    async with uow.read() as tx:
        copy = await tx.sessions.get(session.id)
    await save(uow, session)
    with pytest.raises(ConcurrentUpdate):
        await save(uow, copy)


async def test_a_live_session_is_found_with_its_user(uow: UnitOfWork) -> None:
    user, session = await signed_in(uow)
    async with uow.read() as tx:
        assert await tx.sessions.find_live(session.id, at=session.created_at) == Principal(user=user, session=session)


@pytest.mark.parametrize("suspended", [False, True])
@pytest.mark.parametrize("reinstated", [False, True])
@pytest.mark.parametrize("ended", [False, True])
@pytest.mark.parametrize("microseconds_before_the_end", [-1, 0, 1])
async def test_st_05_what_is_live_is_what_the_session_says(
    uow: UnitOfWork, *, suspended: bool, reinstated: bool, ended: bool, microseconds_before_the_end: int
) -> None:
    user, session = await signed_in(uow)
    at = session.expires_at - timedelta(microseconds=microseconds_before_the_end)
    if suspended:
        user.suspend(reason="spam", at=user.created_at)
    if suspended and reinstated:
        user.reinstate(at=user.created_at)
    if ended:
        session.end(reason=EndReason.SIGNED_OUT, at=session.created_at)
    async with uow.begin() as tx:
        await tx.users.save(user)
        await tx.sessions.save(session)
    async with uow.read() as tx:
        found = await tx.sessions.find_live(session.id, at=at)
    assert (found is not None) is session.is_live(user=user, at=at)
    assert (found is not None) is (not suspended and not ended and microseconds_before_the_end > 0)


@pytest.mark.parametrize("microseconds_before_the_end", [-1, 0, 1])
async def test_st_05_a_suspension_holds_until_its_end_and_not_a_moment_longer(
    uow: UnitOfWork, microseconds_before_the_end: int
) -> None:
    user, before = await signed_in(uow)
    until = user.created_at + timedelta(hours=1)
    user.suspend(reason="spam", until=until, at=user.created_at)
    within = new_session(user)
    async with uow.begin() as tx:
        await tx.users.save(user)
        await tx.sessions.add(within)
    at = until - timedelta(microseconds=microseconds_before_the_end)
    async with uow.read() as tx:
        found = await tx.sessions.find_live(within.id, at=at)
        assert await tx.sessions.find_live(before.id, at=at) is None
    assert (found is not None) is within.is_live(user=user, at=at) is (microseconds_before_the_end <= 0)


async def test_the_live_sessions_of_a_user_come_last_signed_in_first(uow: UnitOfWork) -> None:
    user, first = await signed_in(uow)
    second, ended, idle = new_session(user), new_session(user), new_session(user)
    ended.end(reason=EndReason.SIGNED_OUT, at=ended.created_at)
    idle.last_used_at -= timedelta(days=14)
    async with uow.begin() as tx:
        for session in (second, ended, idle):
            await tx.sessions.add(session)
    at, used_after = first.created_at, first.created_at - timedelta(days=14)
    async with uow.begin() as tx:
        assert await tx.sessions.live_of(user.id, at=at, used_after=used_after) == [second, first]
        assert await tx.sessions.lock_live_of(user.id, at=at, used_after=used_after) == [second, first]
        assert await tx.sessions.live_of(user.id, at=first.expires_at, used_after=used_after) == []
        assert await tx.sessions.live_of(new_user().id, at=at, used_after=used_after) == []
        user.suspend(reason="spam", at=at)
        await tx.users.save(user)
        assert await tx.sessions.live_of(user.id, at=at, used_after=used_after) == []


async def test_use_is_noted_unless_it_was_a_moment_ago_and_is_no_change_of_version(uow: UnitOfWork) -> None:
    _, session = await signed_in(uow)
    minute = timedelta(minutes=1)
    for seconds, noted in [(59, 0), (60, 60), (61, 60), (119, 60), (121, 121)]:
        at = session.created_at + timedelta(seconds=seconds)
        async with uow.begin() as tx:
            await tx.sessions.note_use(session.id, at=at, unless_after=at - minute)
            await tx.sessions.note_use(new_session(new_user()).id, at=at, unless_after=at)
        async with uow.read() as tx:
            stored = await tx.sessions.get(session.id)
        assert stored.last_used_at == session.created_at + timedelta(seconds=noted)
        assert stored.version == 1


async def test_whoever_waits_for_live_sessions_finds_those_that_are_left(uow: UnitOfWork) -> None:
    user, session = await signed_in(uow)
    at, used_after = session.created_at, session.created_at - timedelta(days=14)
    ended = 0

    async def end_all() -> None:
        nonlocal ended
        async with uow.begin() as tx:
            for mine in await tx.sessions.lock_live_of(user.id, at=at, used_after=used_after):
                mine.end(reason=EndReason.ENDED_BY_USER, at=at)
                await tx.sessions.save(mine)
                ended += 1

    await asyncio.gather(*(end_all() for _ in range(10)))
    assert ended == 1


async def test_a_refresh_token_is_found_by_its_digest(uow: UnitOfWork) -> None:
    _, session = await signed_in(uow)
    token = RefreshToken.first(RefreshTokenSecret.from_random(bytes(32)), session_id=session.id, at=session.created_at)
    async with uow.begin() as tx:
        await tx.refresh_tokens.add(token)
    async with uow.read() as tx:
        assert await tx.refresh_tokens.find(token.digest) == token
        assert await tx.refresh_tokens.find(bytes(32)) is None


async def test_a_refresh_token_belongs_to_an_existing_session(uow: UnitOfWork) -> None:
    session = new_session(new_user())
    token = RefreshToken.first(RefreshTokenSecret.from_random(bytes(32)), session_id=session.id, at=session.created_at)

    async def add() -> None:
        async with uow.begin() as tx:
            await tx.refresh_tokens.add(token)

    with pytest.raises(SessionNotFound):
        await add()


def new_key(name: str, state: KeyState, minutes: int = 0) -> SigningKey:
    return SigningKey(
        id=KeyId(name),
        algorithm="ES256",
        public_key='{"kty": "EC"}',
        sealed_private_key="v1.sealed",
        state=state,
        created_at=new_user().created_at + timedelta(minutes=minutes),
        state_since=new_user().created_at + timedelta(minutes=minutes, microseconds=1),
    )


async def add_key(uow: UnitOfWork, key: SigningKey) -> None:
    async with uow.begin() as tx:
        await tx.signing_keys.add(key)


async def test_signing_keys_come_back_oldest_first(uow: UnitOfWork) -> None:
    keys = [new_key("c", KeyState.REVOKED, 1), new_key("a", KeyState.ACTIVE, 2), new_key("b", KeyState.NEXT, 2)]
    for key in reversed(keys):
        await add_key(uow, key)
    async with uow.read() as tx:
        assert await tx.signing_keys.all() == keys


async def test_a_key_is_saved_in_its_present_state_and_counted(uow: UnitOfWork) -> None:
    key = new_key("a", KeyState.ACTIVE)
    await add_key(uow, key)
    async with uow.begin() as tx:
        (loaded,) = await tx.signing_keys.lock_all()
        loaded.retire(at=key.created_at + timedelta(days=90))
        await tx.signing_keys.save(loaded)
    async with uow.read() as tx:
        assert await tx.signing_keys.all() == [loaded]
    assert (loaded.version, loaded.state) == (2, KeyState.RETIRING)

    async def save_stale() -> None:
        async with uow.begin() as tx:
            await tx.signing_keys.save(key)

    with pytest.raises(ConcurrentUpdate):
        await save_stale()


async def test_a_second_key_cannot_become_active(uow: UnitOfWork) -> None:
    await add_key(uow, new_key("a", KeyState.ACTIVE))
    second = new_key("b", KeyState.NEXT)
    await add_key(uow, second)
    second.activate(at=second.created_at)

    async def save() -> None:
        async with uow.begin() as tx:
            await tx.signing_keys.save(second)

    with pytest.raises(ActiveSigningKeyExists):
        await save()


async def test_one_of_twenty_parallel_active_keys_wins(uow: UnitOfWork) -> None:
    barrier = asyncio.Barrier(20)

    async def add(number: int) -> bool:
        await barrier.wait()
        try:
            await add_key(uow, new_key(f"key{number}", KeyState.ACTIVE))
        except ActiveSigningKeyExists:
            return False
        return True

    assert sum(await asyncio.gather(*(add(number) for number in range(20)))) == 1
