"""What is asked of a large installation, by the repositories themselves, in a transaction that never counts."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product

from application.paging.page import MOST_EXAMINED
from application.ports.audit import EXAMINED_AT_ONCE, AuditFilter, AuditPlace
from application.ports.unit_of_work import Transaction
from application.ports.user_search import UserFilter, UserOrder, UserPosition, UserStatus
from domain.events import Outcome
from domain.ids import ChallengeId, SessionId, UserId
from domain.messages.message import MessageKind, MessageState
from domain.recovery.one_time_token import Purpose
from domain.sessions.session import Device
from domain.sessions.sign_in_attempt import Reference
from domain.users.email_address import EmailAddress
from domain.users.roles import ADMIN

_PAGE = 50
_AT_ONCE = 1_000
_LONG_AGO = timedelta(days=3650)


type Ask = Callable[[Transaction], Awaitable[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Somebody and something in the middle of everything that is there."""

    now: datetime
    user_id: UserId
    email: str
    joined_at: datetime
    first_joined_at: datetime
    session_id: SessionId
    digest: bytes
    reference: str
    entry_at: datetime
    sequence: int
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Something asked, and how many rows may be looked at for it beside those that are found."""

    ask: Ask
    examined: int = 0


def questions(of: Sample) -> Mapping[str, Question]:
    """All of them, by their names."""
    return {**_of_callers(of), **_of_lists(of), **_of_the_audit_log(of), **_of_upkeep(of)}


def _of_callers(of: Sample) -> Mapping[str, Question]:
    email, day = EmailAddress(canonical=of.email, display=of.email), of.now - timedelta(days=1)
    asked: Mapping[str, Ask] = {
        "who am I": lambda tx: tx.sessions.find_live(of.session_id, at=of.now),
        "find by email": lambda tx: tx.users.find_by_email(email),
        "get and lock a user": lambda tx: tx.users.lock(of.user_id),
        "refresh: the token, its session and its user": lambda tx: tx.refresh_tokens.find_family(of.digest),
        "live sessions of a user": lambda tx: tx.sessions.live_of(
            of.user_id, at=of.now, used_after=of.now - timedelta(days=14)
        ),
        "all sessions of a user": lambda tx: tx.sessions.all_of(of.user_id),
        "is it a new device": lambda tx: tx.sessions.is_new_device(
            of.user_id, Device(user_agent="Firefox", network_address=None, name=None), first_is_new=False
        ),
        "second factors of a user": lambda tx: tx.totp_factors.of_user(of.user_id),
        "passkeys of a user": lambda tx: tx.passkeys.of_user(of.user_id),
        "recovery codes of a user": lambda tx: tx.recovery_codes.count(of.user_id),
        "messages to an address in a day": lambda tx: tx.messages.count(
            email, MessageKind.VERIFY_EMAIL, created_after=day
        ),
        "messages of a user": lambda tx: tx.messages.of_user(of.user_id),
        "a one-time token": lambda tx: tx.one_time_tokens.find_good(of.digest, Purpose.VERIFY_EMAIL, at=of.now),
        "a sign-in that waits for a second factor": lambda tx: tx.sign_in_challenges.find_good(
            ChallengeId(of.user_id), at=of.now
        ),
        "a request with a key": lambda tx: tx.idempotent_requests.find(of.digest),
        "security events of a user": lambda tx: tx.audit.of_user(of.user_id, limit=_PAGE),
        "a sign-in attempt by its reference": lambda tx: tx.sign_in_attempts.find(Reference(of.reference)),
        "sign-in attempts of a user": lambda tx: tx.sign_in_attempts.of_user(of.user_id),
    }
    return {name: Question(ask=ask) for name, ask in asked.items()}


def _of_lists(of: Sample) -> Mapping[str, Question]:
    long_ago = of.first_joined_at + timedelta(days=1)
    filters = {
        "everybody": UserFilter(),
        **{status.value: UserFilter(status=status) for status in UserStatus},
        "operators": UserFilter(role=ADMIN),
        "unverified": UserFilter(email_verified=False),
        "a prefix": UserFilter(email_prefix=of.email[:9]),
        "created long ago": UserFilter(created_before=long_ago),
        "long unseen": UserFilter(last_seen_before=long_ago),
    }
    users = {
        f"list of users: {name}, by {order.value}, {where}": Question(
            ask=_page_of_users(only, order, _middle(of, order) if where == "deep" else None), examined=MOST_EXAMINED
        )
        for (name, only), order, where in product(filters.items(), UserOrder, ("first", "deep"))
    }
    messages = {
        f"list of messages: {state.value if state is not None else 'all'}": Question(ask=_page_of_messages(state))
        for state in (None, *MessageState)
    }
    return {**users, **messages}


def _page_of_users(only: UserFilter, order: UserOrder, after: UserPosition | None) -> Ask:
    return lambda tx: tx.users.page(only=only, order=order, after=after, limit=_PAGE)


def _page_of_messages(state: MessageState | None) -> Ask:
    return lambda tx: tx.messages.page(state=state, limit=_PAGE)


def _page_of_entries(wanted: AuditFilter, after: AuditPlace | None) -> Ask:
    return lambda tx: tx.audit.page(wanted, after=after, limit=_PAGE)


def _middle(of: Sample, order: UserOrder) -> UserPosition:
    return UserPosition(of.email if order.key == "email" else of.joined_at, of.user_id)


def _of_the_audit_log(of: Sample) -> Mapping[str, Question]:
    after, before = of.entry_at, of.entry_at + timedelta(days=1)
    filters = {
        "everything": AuditFilter(),
        "of a user": AuditFilter(user_id=of.user_id),
        "by an actor": AuditFilter(actor_id=of.user_id),
        "of an event": AuditFilter(event="factor.used"),
        "of an event that never was": AuditFilter(event="nothing.happened"),
        "refused": AuditFilter(outcome=Outcome.REFUSED),
        "of a day": AuditFilter(occurred_after=after, occurred_before=before),
        "of an event on a day": AuditFilter(event="factor.used", occurred_after=after, occurred_before=before),
        "refused, of a user": AuditFilter(user_id=of.user_id, outcome=Outcome.REFUSED),
    }
    place = AuditPlace(sequence=of.sequence, occurred_at=of.entry_at)
    lists = {
        f"audit log: {name}, {where}": Question(
            ask=_page_of_entries(wanted, place if where == "deep" else None),
            # With a look at what belongs to each.
            examined=2 * EXAMINED_AT_ONCE if wanted != wanted.looked_up else 0,
        )
        for (name, wanted), where in product(filters.items(), ("first", "deep"))
    }
    return {
        **lists,
        "audit log: verify and export, from the middle": Question(
            ask=lambda tx: tx.audit_chain.sealed(after=of.position, limit=250)
        ),
        "audit log: verify, beside the chain": Question(
            ask=lambda tx: tx.audit_chain.kept_out(after=of.sequence, up_to=of.sequence + 250), examined=2 * 250
        ),
        "audit log: verify, beside the chain, at the beginning": Question(
            ask=lambda tx: tx.audit_chain.kept_out(after=None, up_to=250), examined=2 * 250
        ),
        "audit log: what is to be sealed": Question(ask=lambda tx: tx.audit_chain.unsealed(limit=_AT_ONCE)),
        "audit log: how much is to be sealed": Question(ask=lambda tx: tx.audit_chain.count_unsealed()),
        "audit log: end of the chain": Question(ask=lambda tx: tx.audit_chain.lock()),
        "audit log: checkpoints": Question(ask=lambda tx: tx.audit_chain.checkpoints(limit=_PAGE)),
        "audit log: forget a user": Question(ask=lambda tx: tx.audit.forget(of.user_id)),
    }


def _of_upkeep(of: Sample) -> Mapping[str, Question]:
    asked: dict[str, Ask] = {
        "who is to be erased": lambda tx: tx.users.due_for_erasure(at=of.now, limit=100),
        "whose suspension is over": lambda tx: tx.users.over_suspended(at=of.now, limit=100),
        "all operators": lambda tx: tx.users.lock_admins(),
        "factor resets that are due": lambda tx: tx.factor_resets.due(at=of.now, limit=100),
        "erase a user": lambda tx: tx.users.remove(of.user_id),
        "messages that nobody cares for": lambda tx: tx.messages.requeue(
            untouched_since=of.now, at=of.now, limit=_AT_ONCE
        ),
    }
    for name, moment in {"nothing to purge": of.now - _LONG_AGO, "a backlog to purge": of.now + _LONG_AGO}.items():
        asked |= {f"{name}: {what}": ask for what, ask in _purges(moment).items()}
    # A thousand of the oldest are looked at, to see that none is old.
    return {name: Question(ask=ask, examined=2 * _AT_ONCE) for name, ask in asked.items()}


def _purges(at: datetime) -> Mapping[str, Ask]:
    return {
        "sessions": lambda tx: tx.sessions.purge(over_since=at, limit=_AT_ONCE),
        "one-time tokens": lambda tx: tx.one_time_tokens.purge(expired_before=at, limit=_AT_ONCE),
        "sign-in challenges": lambda tx: tx.sign_in_challenges.purge(expired_before=at, limit=_AT_ONCE),
        "passkey ceremonies": lambda tx: tx.passkey_ceremonies.purge(expired_before=at, limit=_AT_ONCE),
        "factors never finished": lambda tx: tx.totp_factors.purge(pending_since=at, limit=_AT_ONCE),
        "messages": lambda tx: tx.messages.purge(updated_before=at, limit=_AT_ONCE),
        "idempotent requests": lambda tx: tx.idempotent_requests.purge(expired_before=at, limit=_AT_ONCE),
        "changes of address": lambda tx: tx.email_changes.purge(requested_before=at, limit=_AT_ONCE),
        "sign-in attempts": lambda tx: tx.sign_in_attempts.purge(occurred_before=at, limit=_AT_ONCE),
        "personal details": lambda tx: tx.audit.purge_personal(occurred_before=at, limit=_AT_ONCE),
        "imports": lambda tx: tx.user_imports.purge(untouched_since=at, limit=_AT_ONCE),
    }
