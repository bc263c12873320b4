"""A message to a user, from being due to having arrived."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from domain.errors import Conflict, NotFound
from domain.events import Aggregate, Event, Outcome
from domain.ids import AuditEntryId, MessageId, UserId
from domain.users.email_address import EmailAddress

MAX_ERROR_LENGTH = 200


class MessageKind(StrEnum):
    """What a message is about. Templates are called so."""

    VERIFY_EMAIL = "verify_email"
    ALREADY_REGISTERED = "already_registered"
    RESET_PASSWORD = "reset_password"  # noqa: S105  (a kind, not a secret)
    CHOOSE_PASSWORD = "choose_password"  # noqa: S105  (a kind, not a secret)
    PASSWORD_CHANGED = "password_changed"  # noqa: S105  (a kind, not a secret)
    CONFIRM_EMAIL_CHANGE = "confirm_email_change"
    EMAIL_CHANGE_REQUESTED = "email_change_requested"
    EMAIL_CHANGED = "email_changed"
    NEW_DEVICE = "new_device"
    TOKEN_REUSE_DETECTED = "token_reuse_detected"  # noqa: S105  (a kind, not a secret)
    DELETION_SCHEDULED = "deletion_scheduled"
    INVITATION = "invitation"
    EMAIL_SET = "email_set"
    FACTOR_ENROLLED = "factor_enrolled"
    FACTOR_REMOVED = "factor_removed"
    FACTOR_RESET = "factor_reset"
    PASSKEY_ADDED = "passkey_added"
    PASSKEY_REMOVED = "passkey_removed"
    PASSKEY_COPY_SUSPECTED = "passkey_copy_suspected"
    FACTOR_RESET_REQUESTED = "factor_reset_requested"
    FACTOR_RESET_CANCELLED = "factor_reset_cancelled"
    RECOVERY_CODES_MADE = "recovery_codes_made"
    RECOVERY_CODE_USED = "recovery_code_used"
    FACTOR_GUESSES_USED_UP = "factor_guesses_used_up"


class MessageState(StrEnum):
    """How far a message has come."""

    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"
    """Not sent yet; it is tried again."""
    DEAD = "dead"
    """Not sent, and not tried again by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDied(Event):
    """A message could not be sent and is not tried again by itself."""

    name = "message.died"
    outcome = Outcome.REFUSED
    message_id: MessageId
    kind: MessageKind


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRetried(Event):
    """An operator had a dead message tried again."""

    name = "message.retried"
    message_id: MessageId
    kind: MessageKind
    by: UserId | None


class MessageNotDead(Conflict):
    """What is sent is not sent again, and what waits is tried again by itself."""

    code = "message_not_dead"
    title = "Only dead messages are sent again"


class MessageExpired(Conflict):
    """The link in the message opens nothing any more."""

    code = "message_expired"
    title = "The link in this message has expired; have another one sent"


class MessageNotFound(NotFound):
    """No such message, or not any more."""

    code = "message_not_found"
    title = "There is no such message"


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagePolicy:
    """When a message is tried again, when no more, and how many one mailbox gets.

    Waits double from the first to the longest, with jitter. `per_hour` is for messages of one kind to one address,
    whoever asked for them (RC-09); `ways_in_per_hour` for links to a new password where no earlier one works any more.
    """

    first_wait: timedelta = timedelta(seconds=5)
    longest_wait: timedelta = timedelta(minutes=10)
    give_up_after: timedelta = timedelta(days=3)
    per_hour: int = 5
    ways_in_per_hour: int = 20

    def wait(self, attempts: int, *, chance: float) -> timedelta:
        """How long to wait after that many attempts, 1 or more. `chance`, from 0 to 1, keeps retries apart."""
        doubled = self.first_wait * (1 << min(attempts - 1, 30))
        return min(doubled, self.longest_wait) * (0.5 + chance / 2)


@dataclass(slots=True, kw_only=True)
class Message(Aggregate):
    """One message. An event makes at most one of each kind, however often it is acted on.

    `sealed_content` is what goes into the template, links and codes among it; it is dropped once the message is sent.
    After `good_until` the link in it opens nothing, and it is not sent any more. `retried_at` is when an operator last
    had it tried again.
    `last_error` is for operators and holds nothing personal.
    """

    id: MessageId
    event_id: AuditEntryId
    kind: MessageKind
    user_id: UserId
    recipient: EmailAddress
    locale: str | None
    sealed_content: str | None = field(repr=False)
    good_until: datetime | None = None
    state: MessageState = MessageState.QUEUED
    attempts: int = 0
    last_error: str | None = None
    retried_at: datetime | None = None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def queued(
        cls,
        *,
        id: MessageId,
        event_id: AuditEntryId,
        kind: MessageKind,
        user_id: UserId,
        recipient: EmailAddress,
        locale: str | None,
        sealed_content: str,
        at: datetime,
        good_until: datetime | None = None,
    ) -> Self:
        """A message that is due."""
        return cls(
            id=id,
            event_id=event_id,
            kind=kind,
            user_id=user_id,
            recipient=recipient,
            locale=locale,
            sealed_content=sealed_content,
            good_until=good_until,
            created_at=at,
            updated_at=at,
        )

    @property
    def is_waiting(self) -> bool:
        """Whether it is still to be sent."""
        return self.state in {MessageState.QUEUED, MessageState.FAILED}

    def attempt(self, *, at: datetime) -> bool:
        """Count an attempt, before it is made: whoever dies in the middle has tried. False where it is too late."""
        if self.good_until is not None and at >= self.good_until:
            self.refused("not sent before its link expired", at=at)
            return False
        self.attempts += 1
        self.updated_at = at
        return True

    def sent(self, *, at: datetime) -> None:
        """The next hop has taken it."""
        self.state = MessageState.SENT
        self.sealed_content = self.last_error = None
        self.updated_at = at

    def failed(self, error: str, *, policy: MessagePolicy, at: datetime) -> None:
        """It could not be sent this time; dead if it has been tried for too long."""
        self.state, self.last_error, self.updated_at = MessageState.FAILED, error[:MAX_ERROR_LENGTH], at
        if at >= (self.retried_at or self.created_at) + policy.give_up_after:
            self.refused(error, at=at)

    def retry(self, *, at: datetime, by: UserId | None = None) -> None:
        """Be tried again from the start.

        Raises: MessageNotDead, MessageExpired.
        """
        if self.state is not MessageState.DEAD:
            raise MessageNotDead
        if self.good_until is not None and at >= self.good_until:
            raise MessageExpired
        self.state, self.attempts, self.retried_at, self.updated_at = MessageState.QUEUED, 0, at, at
        self.record(MessageRetried(user_id=self.user_id, occurred_at=at, message_id=self.id, kind=self.kind, by=by))

    def refused(self, error: str, *, at: datetime) -> None:
        """It will never be taken."""
        self.state, self.last_error, self.updated_at = MessageState.DEAD, error[:MAX_ERROR_LENGTH], at
        self.record(MessageDied(user_id=self.user_id, occurred_at=at, message_id=self.id, kind=self.kind))
