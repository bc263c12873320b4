"""Why a sign-in was refused: for operators, who are asked by somebody on the telephone."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Self
from uuid import UUID

from domain import crockford
from domain.crockford import ALPHABET, grouped, written
from domain.errors import NotFound
from domain.events import Event
from domain.ids import UserId

_CHARACTERS = 12
REFERENCE_LENGTH = len(grouped("0" * _CHARACTERS))
REFERENCE_BYTES = 8


class Check(StrEnum):
    """What is decided about a sign-in, in this order."""

    NETWORK_LIMIT = "network_limit"
    ADDRESS = "address"
    DEVICE = "device"
    GUESSES = "guesses"
    PASSWORD = "password"  # noqa: S105  (a check, not a secret)
    PASSKEY = "passkey"
    SUSPENSION = "suspension"
    DELETION = "deletion"
    MAILBOX = "mailbox"
    SECOND_FACTOR = "second_factor"
    VERDICT = "verdict"


class Outcome(StrEnum):
    """How it was decided. The values are stable; there may be more of them one day."""

    NOT_REACHED = "not_reached"
    NONE = "none"
    """There is none: no device token was sent, no password is set, no suspension is in force."""

    LEFT = "left"
    LAST = "last"
    """It was let through, and nothing is left."""
    USED_UP = "used_up"
    USED_UP_BY_STRANGERS = "used_up_by_strangers"
    """By all of them together, from however many networks."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    NOT_AN_ADDRESS = "not_an_address"
    GONE = "gone"
    """The user was erased while the password was looked at."""
    DIFFERS = "differs"
    """Not the same for everybody who was given this reference."""

    FORMER = "former"
    """Known from before a change of what guards the user."""
    STRANGER = "stranger"
    """With a token that is not of this user's signing in."""
    NOT_KNOWN = "not_known"
    """With a token or without one."""

    RIGHT = "right"
    WRONG = "wrong"
    IN_FORCE = "in_force"
    DUE = "due"
    NOT_DUE = "not_due"
    PROVEN = "proven"
    UNPROVEN = "unproven"
    NOT_ASKED = "not_asked"
    """This service lets users in who have not proven their mailbox."""

    REFUSED = "refused"
    TOLD_TO_WAIT = "told_to_wait"


@dataclass(frozen=True, slots=True)
class Step:
    """One decision."""

    check: Check
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Reference:
    """What an attempt is found by: `7F3K-Q2MX-9RTB`, 60 bits in Crockford's base32. Says nothing, and opens nothing."""

    PATTERN: ClassVar = rf"^[{ALPHABET}]{{4}}(-[{ALPHABET}]{{4}}){{2}}$"

    text: str

    @classmethod
    def of(cls, bits: bytes) -> Self:
        """From the first 60 of these bits."""
        return cls(grouped(written(bits[:REFERENCE_BYTES], characters=_CHARACTERS)))

    @classmethod
    def parse(cls, heard: str) -> Self | None:
        """As people say and write it: in either case, with dashes and blanks or without, and O for 0, I or L for 1."""
        characters = crockford.heard(heard, characters=_CHARACTERS)
        return cls(grouped(characters)) if characters is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInAttempt:
    """A sign-in that was refused, and every step up to that. Never the password, and never the address that was typed.

    One that was told to wait is `shared`: everybody whom the same limit refused within the same hour has the same
    reference. Then time, request and network address are those of the first of them.
    """

    reference: Reference
    occurred_at: datetime
    user_id: UserId | None
    request_id: UUID | None
    network_address: str | None
    steps: tuple[Step, ...]

    @property
    def shared(self) -> bool:
        """Whether others may have been given the same reference."""
        return Step(Check.VERDICT, Outcome.TOLD_TO_WAIT) in self.steps


@dataclass(slots=True, kw_only=True)
class SignInTrace:
    """A sign-in while it is decided about."""

    network_address: str | None
    request_id: UUID | None = None
    user_id: UserId | None = None
    _outcomes: dict[Check, Outcome] = field(default_factory=lambda: dict.fromkeys(Check, Outcome.NOT_REACHED))

    def note(self, check: Check, outcome: Outcome) -> None:
        """Say how it was decided."""
        self._outcomes[check] = outcome

    def outcome(self, check: Check) -> Outcome:
        """How it was decided, if it was."""
        return self._outcomes[check]

    def closed(self, verdict: Outcome, *, reference: Reference, at: datetime) -> SignInAttempt:
        """The attempt, refused."""
        self.note(Check.VERDICT, verdict)
        return SignInAttempt(
            reference=reference,
            occurred_at=at,
            user_id=self.user_id,
            request_id=self.request_id,
            network_address=self.network_address,
            steps=tuple(Step(check, outcome) for check, outcome in self._outcomes.items()),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInAttemptOpened(Event):
    """An operator looked at why a sign-in was refused."""

    name = "sign_in_attempt.opened"
    by: UserId | None
    reference: str


class SignInAttemptNotFound(NotFound):
    """No refused sign-in has this reference, or it was too long ago."""

    code = "sign_in_attempt_not_found"
    title = "There is no such refused sign-in; they are kept for 30 days"
