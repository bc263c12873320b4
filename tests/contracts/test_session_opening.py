"""What opening a session promises."""

import secrets
from dataclasses import replace
from datetime import timedelta

import pytest

from application.ports.sessions import AsUsual
from application.ports.unit_of_work import UnitOfWork
from domain.sessions.refresh_token import RefreshToken, RefreshTokenSecret
from domain.sessions.session import Device, EndReason, Session, SessionNotFound
from domain.sessions.token_family import TokenFamily
from domain.users.user import User, UserNotFound
from tests.contracts.test_erasure import FIREFOX, SCRIPT, SILENT
from tests.world import new_session, new_user


async def saved_user(uow: UnitOfWork) -> User:
    user = new_user()
    async with uow.begin() as tx:
        await tx.users.add(user)
    return user


async def open_session(
    uow: UnitOfWork, session: Session, *, most: int | None = None, first_is_new: bool = False
) -> RefreshToken | None:
    """The first token of a session that there was room for."""
    at = session.created_at
    first = RefreshToken.first(RefreshTokenSecret.from_random(secrets.token_bytes(32)), session_id=session.id, at=at)
    async with uow.write() as tx:
        is_open = await tx.sessions.open(
            session,
            first,
            only_if=AsUsual(most=most, first_is_new=first_is_new) if most is not None else None,
            used_after=at - timedelta(days=14),
            seen_unless_after=at - timedelta(hours=1),
        )
    return first if is_open else None


async def test_a_session_is_opened_with_its_token_and_its_entry_in_one_write(uow: UnitOfWork) -> None:
    user = await saved_user(uow)
    session = new_session(user)
    first = await open_session(uow, session, most=1)
    assert first is not None
    async with uow.read() as tx:
        family = await tx.refresh_tokens.find_family(first.digest)
        assert family == TokenFamily(token=first, session=session, user=user)
        assert [entry.event for entry in await tx.audit.of_user(user.id)] == ["session.started", "user.registered"]
    assert session.collect_events() == ()


async def test_where_there_is_no_room_no_session_is_opened_and_nothing_is_left_of_it(uow: UnitOfWork) -> None:
    user = await saved_user(uow)
    at = user.created_at
    over = new_session(user)
    over.end(reason=EndReason.SIGNED_OUT, at=at)
    for session in (over, new_session(user)):
        assert await open_session(uow, session, most=2) is not None
    refused = new_session(user)
    assert await open_session(uow, refused, most=1) is None
    assert len(refused.collect_events()) == 1
    async with uow.read() as tx:
        with pytest.raises(SessionNotFound):
            await tx.sessions.get(refused.id)
        events = [entry.event for entry in await tx.audit.of_user(user.id)]
        assert events.count("session.started") == 2
    assert await open_session(uow, new_session(user), most=2) is not None
    assert await open_session(uow, new_session(user)) is not None


@pytest.mark.parametrize("device", [FIREFOX, replace(FIREFOX, name="Firefox on Linux"), SCRIPT, SILENT])
@pytest.mark.parametrize("known", [None, FIREFOX, SCRIPT, SILENT])
@pytest.mark.parametrize("first_is_new", [True, False])
async def test_on_a_new_device_no_session_is_opened_as_usual(
    uow: UnitOfWork, device: Device, known: Device | None, *, first_is_new: bool
) -> None:
    user = await saved_user(uow)
    if known is not None:
        assert await open_session(uow, replace(new_session(user), device=known)) is not None
    async with uow.read() as tx:
        is_new = await tx.sessions.is_new_device(user.id, device, first_is_new=first_is_new)
    session = replace(new_session(user), device=device)
    assert (await open_session(uow, session, most=9, first_is_new=first_is_new) is None) is is_new
    assert await open_session(uow, replace(new_session(user), device=device), first_is_new=first_is_new) is not None


async def test_a_session_of_nobody_is_not_opened(uow: UnitOfWork) -> None:
    with pytest.raises(UserNotFound):
        await open_session(uow, new_session(new_user()), most=1)


async def test_opening_a_session_notes_that_the_user_was_seen_unless_that_was_a_moment_ago(uow: UnitOfWork) -> None:
    user = await saved_user(uow)
    seen = user.created_at
    for later, noted in ((timedelta(minutes=59), seen), (timedelta(hours=1), seen + timedelta(hours=1))):
        session = new_session(user)
        session.created_at = seen + later
        assert await open_session(uow, session) is not None
        async with uow.read() as tx:
            found = await tx.users.get(user.id)
        assert (found.last_seen_at, found.version) == (noted, user.version)


@pytest.mark.parametrize("uow", ["postgres"], indirect=True)
async def test_whoever_comes_in_does_not_wait_for_whoever_changes_the_user(uow: UnitOfWork) -> None:
    user = await saved_user(uow)
    session = new_session(user)
    session.created_at = user.created_at + timedelta(days=1)
    async with uow.begin() as tx:
        await tx.users.lock(user.id)
        assert await open_session(uow, session) is not None
    async with uow.read() as tx:
        assert (await tx.users.get(user.id)).last_seen_at == user.last_seen_at
