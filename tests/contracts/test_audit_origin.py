"""Who, whom, from where, in which request: what the audit log adds to events (LA-01), and how it goes (PR-02)."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from application.audit.origin import Origin, acting_from, note_actor, present_origin
from application.ports.audit import AuditFilter
from application.ports.unit_of_work import UnitOfWork
from domain.audit.audit_entry import AuditEntry, Source
from domain.audit.chain import commitment
from domain.events import Event, Outcome
from domain.ids import KeyId, UserId
from domain.recovery.recovery_events import PasswordResetRequested
from domain.sessions.session import RefusalReason, SessionStarted, SignInRefused
from domain.signing.signing_key import SigningKeyActivated
from domain.users.user_events import PasswordChanged, UserReinstated, UserSuspended
from tests.world import new_session, new_user

ADA, PORTER = new_user(), new_user("porter@example.com")
SESSION = new_session(ADA)
NOW = ADA.created_at
REQUEST = UUID(int=7)
HTTP = Origin(source=Source.HTTP, request_id=REQUEST, network_address="192.0.2.7")


async def written(uow: UnitOfWork, event: Event, origin: Origin | None) -> AuditEntry:
    async with uow.begin() as tx:
        if origin is None:
            await tx.audit.append(event)
        else:
            with acting_from(origin):
                await tx.audit.append(event)
    async with uow.read() as tx:
        ((entry, *_), _) = await tx.audit.page(AuditFilter(), limit=1)
    return entry


def refused(user_id: UserId | None = ADA.id, address: str | None = None, at: datetime = NOW) -> SignInRefused:
    return SignInRefused(user_id=user_id, occurred_at=at, reason=RefusalReason.WRONG_PASSWORD, network_address=address)


def suspended(by: UserId | None = None) -> UserSuspended:
    return UserSuspended(user_id=ADA.id, occurred_at=NOW, by=by, until=None, explanation="Sends spam")


SIGNED_IN = SessionStarted(user_id=ADA.id, occurred_at=NOW, session_id=SESSION.id, methods=SESSION.methods)
CHANGED = PasswordChanged(user_id=ADA.id, occurred_at=NOW)


async def test_la_01_an_entry_says_who_did_what_to_whom_when_and_from_where(uow: UnitOfWork) -> None:
    entry = await written(uow, suspended(by=PORTER.id), replace(HTTP, actor_id=PORTER.id))
    assert (entry.event, entry.outcome, entry.source) == ("user.suspended", Outcome.SUCCESS, Source.HTTP)
    assert (entry.actor_id, entry.user_id, entry.occurred_at) == (PORTER.id, ADA.id, NOW)
    assert (entry.request_id, entry.network_address) == (REQUEST, "192.0.2.7")
    assert entry.details == {"by": str(PORTER.id), "until": None, "explanation": "Sends spam"}


@pytest.mark.parametrize(
    ("event", "origin", "actor"),
    [
        (SIGNED_IN, HTTP, ADA.id),
        (refused(), HTTP, None),
        (CHANGED, HTTP, None),
        (CHANGED, replace(HTTP, actor_id=ADA.id), ADA.id),
        (suspended(by=PORTER.id), replace(HTTP, actor_id=ADA.id), PORTER.id),
        (suspended(), Origin(source=Source.CLI), None),
        (SIGNED_IN, Origin(source=Source.CLI), None),
        (UserReinstated(user_id=ADA.id, occurred_at=NOW, by=None), Origin(source=Source.WORKER), None),
        (SIGNED_IN, None, None),
    ],
)
async def test_la_01_whoever_is_known_to_act_is_named_and_nobody_else(
    uow: UnitOfWork, event: Event, origin: Origin | None, actor: UserId | None
) -> None:
    entry = await written(uow, event, origin)
    assert entry.actor_id == actor
    assert entry.source is (origin.source if origin is not None else None)


async def test_la_01_what_was_refused_is_told_from_what_was_done(uow: UnitOfWork) -> None:
    assert (await written(uow, refused(), HTTP)).outcome is Outcome.REFUSED
    assert (await written(uow, CHANGED, HTTP)).outcome is Outcome.SUCCESS


def test_the_actor_may_become_known_within_and_is_forgotten_without() -> None:
    note_actor(PORTER.id)
    assert present_origin() == Origin()
    with acting_from(HTTP):
        note_actor(ADA.id)
        assert present_origin() == replace(HTTP, actor_id=ADA.id)
        with acting_from(Origin(source=Source.WORKER)):
            assert present_origin() == Origin(source=Source.WORKER)
        assert present_origin().actor_id == ADA.id
    assert present_origin() == Origin()


async def test_what_the_event_says_of_the_address_goes_before_what_the_request_says(uow: UnitOfWork) -> None:
    entry = await written(uow, refused(address="2001:db8::1"), HTTP)
    assert entry.network_address == entry.details["network_address"] == "2001:db8::1"
    assert (await written(uow, refused(), HTTP)).network_address == "192.0.2.7"


async def test_an_address_that_is_nobodys_is_not_kept(uow: UnitOfWork) -> None:
    """PR-02: it could be forgotten with nobody."""
    made = SigningKeyActivated(user_id=None, occurred_at=NOW, key_id=KeyId("aa"))
    entry = await written(uow, made, HTTP)
    assert (entry.network_address, entry.request_id) == (None, REQUEST)


async def test_ad_02_where_an_operator_acts_from_is_not_told_to_the_user(uow: UnitOfWork) -> None:
    by_operator = PasswordResetRequested(
        user_id=ADA.id, occurred_at=NOW, network_address=None, security_epoch=0, by=PORTER.id
    )
    entry = await written(uow, by_operator, HTTP)
    assert (entry.network_address, entry.own_address) == ("192.0.2.7", None)
    assert entry.details["network_address"] is None
    own = await written(uow, replace(by_operator, by=None), HTTP)
    assert own.own_address == own.details["network_address"] == "192.0.2.7"


async def test_la_05_what_is_personal_is_not_in_the_entry_itself_but_a_commitment_to_it(uow: UnitOfWork) -> None:
    entry, again = [await written(uow, suspended(by=PORTER.id), HTTP) for _ in range(2)]
    assert entry.public == {"by": str(PORTER.id), "until": None, "explanation": None}
    assert {name: kept.value for name, kept in entry.personal.items()} == {
        "explanation": "Sends spam",
        "network_address": "192.0.2.7",
    }
    assert entry.commitments == {name: commitment(kept) for name, kept in entry.personal.items()}
    assert {len(kept.salt) for kept in entry.personal.values()} == {64}
    # The same said twice looks different, or it could be found by trying.
    assert set(entry.commitments.values()).isdisjoint(again.commitments.values())


async def test_pr_02_who_is_forgotten_takes_their_address_along_and_what_was_said_of_them(uow: UnitOfWork) -> None:
    by_porter = await written(uow, suspended(by=PORTER.id), replace(HTTP, actor_id=PORTER.id))
    by_nobody = await written(uow, refused(), HTTP)
    by_ada = await written(uow, CHANGED, replace(HTTP, actor_id=ADA.id))
    of_porter = replace(suspended(by=ADA.id), user_id=PORTER.id)
    about_porter = await written(uow, of_porter, replace(HTTP, actor_id=ADA.id))

    async def left() -> list[list[str]]:
        async with uow.read() as tx:
            found = [await tx.audit.find(entry.id) for entry in (by_porter, by_nobody, by_ada, about_porter)]
        return [sorted(entry.personal) for entry in found if entry is not None]

    both = ["explanation", "network_address"]
    assert await left() == [both, ["network_address"], ["network_address"], both]
    async with uow.begin() as tx:
        await tx.audit.forget(ADA.id)
    assert await left() == [["network_address"], [], [], ["explanation"]]
    async with uow.read() as tx:
        found = await tx.audit.find(by_nobody.id)
    assert found == replace(by_nobody, personal={})
    async with uow.begin() as tx:
        await tx.audit.forget(PORTER.id)
    assert await left() == [[], [], [], []]


async def test_pr_01_what_is_personal_is_forgotten_after_its_time(uow: UnitOfWork) -> None:
    for number in range(5):
        await written(uow, refused(at=NOW + timedelta(days=number)), HTTP)
        await written(uow, refused(at=NOW + timedelta(days=number)), None)
    purged = []
    for limit in (2, 2, 2):
        async with uow.begin() as tx:
            purged.append(await tx.audit.purge_personal(occurred_before=NOW + timedelta(days=3), limit=limit))
    assert purged == [2, 1, 0]
    async with uow.read() as tx:
        entries, _ = await tx.audit.page(AuditFilter(), limit=10)
    assert [entry.occurred_at for entry in entries if entry.personal] == [NOW + timedelta(days=4), NOW + timedelta(3)]
    assert all(entry.commitments for entry in entries[1::2])
