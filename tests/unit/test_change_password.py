"""Changing the password (PW-08)."""

import pytest

from adapters.memory.password_hasher import MemoryPasswordHasher
from application.sessions.authenticate import Authenticate
from application.sessions.issued_tokens import IssuedTokens
from application.users.change_password import ChangePassword
from domain.errors import ConcurrentUpdate
from domain.sessions.session import InvalidAccessToken, InvalidCredentials, InvalidRefreshToken
from domain.users.password import Password, PasswordHash, WrongPassword
from domain.users.password_policy import PasswordRejected
from domain.users.user import User
from tests.world import PASSWORD, World

NEW = "a louder harbour at noon"


async def change(world: World, user: User, session: IssuedTokens, current: str = PASSWORD, new: str = NEW) -> None:
    await world.container.resolve(ChangePassword).execute(
        user_id=user.id, session_id=session.session_id, current=current, new=new
    )


async def is_known(world: World, tokens: IssuedTokens) -> bool:
    try:
        await world.container.resolve(Authenticate).execute(access_token=tokens.access_token)
    except InvalidAccessToken:
        return False
    return True


async def test_from_now_on_the_new_one_opens_the_door_and_the_old_one_does_not(world: World) -> None:
    user = await world.register()
    await change(world, user, await world.sign_in())
    await world.sign_in(password=NEW)
    with pytest.raises(InvalidCredentials):
        await world.sign_in(password=PASSWORD)
    assert "user.password_changed" in await world.events_of(user.id)


async def test_every_other_session_is_dead_at_once_and_this_one_goes_on(world: World) -> None:
    user = await world.register()
    this, other = await world.sign_in(), await world.sign_in()
    await change(world, user, this)
    assert await is_known(world, this)
    assert not await is_known(world, other)
    await world.refresh(this.refresh_token)
    with pytest.raises(InvalidRefreshToken):
        await world.refresh(other.refresh_token)


async def test_whoever_does_not_know_the_password_changes_nothing(world: World) -> None:
    user = await world.register()
    this, other = await world.sign_in(), await world.sign_in()
    with pytest.raises(WrongPassword):
        await change(world, user, this, current="not the password")
    assert await is_known(world, other)
    assert (await world.events_of(user.id))[0] == "session.proof_refused"
    await world.sign_in()


async def test_a_weak_new_password_is_pointed_at(world: World) -> None:
    user = await world.register()
    with pytest.raises(PasswordRejected) as refusal:
        await change(world, user, await world.sign_in(), new="short")
    assert {violation.field for violation in refusal.value.violations} == {"new_password"}


async def test_a_password_that_was_changed_meanwhile_is_not_changed_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fault 18."""
    user = await world.register()
    this = await world.sign_in()
    compare = MemoryPasswordHasher.matches

    async def change_meanwhile(hasher: MemoryPasswordHasher, password: Password, hashed: PasswordHash | None) -> bool:
        matched = await compare(hasher, password, hashed)
        monkeypatch.setattr(MemoryPasswordHasher, "matches", compare)
        await change(world, user, this, new="somebody was faster here")
        return matched

    monkeypatch.setattr(MemoryPasswordHasher, "matches", change_meanwhile)
    with pytest.raises(ConcurrentUpdate):
        await change(world, user, this)
    await world.sign_in(password="somebody was faster here")


async def test_st_05_a_suspension_meanwhile_is_not_survived_by_the_session_that_changes_the_password(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fault 18."""
    user = await world.register()
    this = await world.sign_in()
    compare = MemoryPasswordHasher.matches

    async def suspend_meanwhile(hasher: MemoryPasswordHasher, password: Password, hashed: PasswordHash | None) -> bool:
        await world.suspend(user.id)
        return await compare(hasher, password, hashed)

    monkeypatch.setattr(MemoryPasswordHasher, "matches", suspend_meanwhile)
    with pytest.raises(ConcurrentUpdate):
        await change(world, user, this)
    monkeypatch.setattr(MemoryPasswordHasher, "matches", compare)
    async with world.unit_of_work.begin() as tx:
        stored = await tx.users.get(user.id)
        stored.reinstate(at=world.clock.now())
        await tx.users.save(stored)
    assert not await is_known(world, this)
    await world.sign_in(password=PASSWORD)
