"""Proving again who one is."""

from datetime import timedelta

import pytest

from adapters.memory.password_hasher import MemoryPasswordHasher
from application.sessions.authenticate import Authenticate
from application.sessions.expect_fresh_proof import ExpectFreshProof
from application.sessions.issued_tokens import IssuedTokens
from application.sessions.reauthenticate import Reauthenticate
from domain.errors import ConcurrentUpdate
from domain.sessions.session import ReauthenticationRequired, Session
from domain.users.password import Password, PasswordHash, WrongPassword
from domain.users.user import User
from tests.world import PASSWORD, World


async def prove(world: World, user: User, tokens: IssuedTokens, password: str = PASSWORD) -> Session:
    return await world.container.resolve(Reauthenticate).execute(
        user_id=user.id, session_id=tokens.session_id, proof=password
    )


async def is_fresh(world: World, tokens: IssuedTokens) -> bool:
    principal = await world.container.resolve(Authenticate).execute(access_token=tokens.access_token)
    try:
        await world.container.resolve(ExpectFreshProof).execute(principal=principal)
    except ReauthenticationRequired:
        return False
    return True


async def test_a_proof_is_fresh_for_ten_minutes_and_again_after_the_next(world: World) -> None:
    user = await world.register()
    tokens = await world.sign_in()
    world.clock.advance(timedelta(minutes=10) - timedelta(seconds=1))
    assert await is_fresh(world, tokens)
    world.clock.advance(timedelta(seconds=1))
    tokens = await world.refresh(tokens.refresh_token)
    assert not await is_fresh(world, tokens)
    session = await prove(world, user, tokens)
    assert session.authenticated_at == world.clock.now()
    assert await is_fresh(world, tokens)
    assert (await world.events_of(user.id))[0] == "session.reauthenticated"


async def test_a_wrong_password_proves_nothing(world: World) -> None:
    user = await world.register()
    tokens = await world.sign_in()
    world.clock.advance(timedelta(minutes=9))
    with pytest.raises(WrongPassword):
        await prove(world, user, tokens, "not the password")
    async with world.unit_of_work.read() as tx:
        session = await tx.sessions.get(tokens.session_id)
    assert session.authenticated_at == session.created_at
    assert (await world.events_of(user.id))[0] == "session.proof_refused"


async def test_a_session_that_ends_meanwhile_takes_no_proof(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    user = await world.register()
    tokens = await world.sign_in()
    compare = MemoryPasswordHasher.matches

    async def suspend_meanwhile(hasher: MemoryPasswordHasher, password: Password, hashed: PasswordHash | None) -> bool:
        await world.suspend(user.id)
        return await compare(hasher, password, hashed)

    monkeypatch.setattr(MemoryPasswordHasher, "matches", suspend_meanwhile)
    with pytest.raises(ConcurrentUpdate):
        await prove(world, user, tokens)
