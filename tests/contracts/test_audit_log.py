"""What the audit log promises (LA-02)."""

from collections.abc import Sequence

import pytest

from adapters.memory.unit_of_work import MemoryUnitOfWork
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from application.ports.unit_of_work import UnitOfWork
from domain.events import Event
from domain.sessions.session import EndReason, RefusalReason, SignInRefused
from domain.users.registration import EmailAlreadyRegistered
from tests.world import new_session, new_user


async def test_events_of_aggregates_are_written_with_them_once_and_in_order(uow: UnitOfWork) -> None:
    user = new_user()
    session = new_session(user)
    async with uow.begin() as tx:
        await tx.users.add(user)
        await tx.sessions.add(session)
        session.end(reason=EndReason.SIGNED_OUT, at=session.created_at)
        await tx.sessions.save(session)
        await tx.users.save(user)
    async with uow.read() as tx:
        entries = await tx.audit.of_user(user.id, limit=10)
    assert [entry.event for entry in entries] == ["session.ended", "session.started", "user.registered"]
    assert entries[0].details == {"session_id": str(session.id), "reason": "signed_out", "by": None}
    assert entries[0].occurred_at == session.created_at
    assert len({entry.id for entry in entries}) == 3


async def test_an_event_without_an_aggregate_can_be_appended(uow: UnitOfWork) -> None:
    user = new_user()
    known = SignInRefused(
        user_id=user.id, occurred_at=user.created_at, reason=RefusalReason.WRONG_PASSWORD, network_address="::1"
    )
    unknown = SignInRefused(
        user_id=None, occurred_at=user.created_at, reason=RefusalReason.UNKNOWN_USER, network_address=None
    )
    async with uow.begin() as tx:
        await tx.audit.append(known)
        await tx.audit.append(unknown)
    async with uow.read() as tx:
        (entry,) = await tx.audit.of_user(user.id, limit=10)
    details = {"reason": "wrong_password", "network_address": "::1", "fault": None}
    assert (entry.event, entry.details) == ("sign_in.refused", details)


async def test_no_more_entries_come_than_were_asked_for(uow: UnitOfWork) -> None:
    user = new_user()
    event = SignInRefused(
        user_id=user.id, occurred_at=user.created_at, reason=RefusalReason.SUSPENDED, network_address=None
    )
    async with uow.begin() as tx:
        for _ in range(5):
            await tx.audit.append(event)
    async with uow.read() as tx:
        assert len(await tx.audit.of_user(user.id, limit=3)) == 3
        assert await tx.audit.of_user(new_user().id, limit=3) == []


async def test_listeners_hear_of_events_once_they_count_and_never_before(uow: UnitOfWork) -> None:
    heard: list[Event] = []

    def listen(events: Sequence[Event]) -> None:
        heard.extend(events)

    assert isinstance(uow, MemoryUnitOfWork | PostgresUnitOfWork)
    uow._on_commit = listen  # noqa: SLF001  (what the container hands over)
    async with uow.begin() as tx:
        await tx.users.add(new_user())
        assert heard == []
    assert [event.name for event in heard] == ["user.registered"]

    async def refused() -> None:
        async with uow.begin() as tx:
            await tx.users.add(new_user("other@example.com"))
            await tx.users.add(new_user())

    with pytest.raises(EmailAlreadyRegistered):
        await refused()
    assert [event.name for event in heard] == ["user.registered"]


async def test_a_refused_aggregate_keeps_its_events(uow: UnitOfWork) -> None:
    async with uow.begin() as tx:
        await tx.users.add(new_user())
    second = new_user()

    async def refused() -> None:
        async with uow.begin() as tx:
            await tx.users.add(second)

    with pytest.raises(EmailAlreadyRegistered):
        await refused()
    assert len(second.collect_events()) == 1


class ChangeOfMind(Exception):
    """Rolls a block back."""


async def test_la_02_what_is_rolled_back_has_not_happened(uow: UnitOfWork) -> None:
    user = new_user()

    async def register_and_fail() -> None:
        async with uow.begin() as tx:
            await tx.users.add(user)
            await tx.audit.append(
                SignInRefused(
                    user_id=user.id,
                    occurred_at=user.created_at,
                    reason=RefusalReason.SUSPENDED,
                    network_address=None,
                )
            )
            raise ChangeOfMind

    with pytest.raises(ChangeOfMind):
        await register_and_fail()
    async with uow.read() as tx:
        assert await tx.audit.of_user(user.id) == []
