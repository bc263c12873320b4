"""What all second factors have in common."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from domain.errors import Conflict, NotAllowed, NotAuthenticated, NotFound
from domain.events import Aggregate, Event, Outcome
from domain.ids import FactorId, UserId
from domain.mfa.requirement import MfaRequirement
from domain.sessions.authentication_method import AuthenticationMethod
from domain.users.profile import shown_name
from domain.users.user import User

MAX_FACTOR_NAME_LENGTH = 64


class FactorKind(StrEnum):
    """What a second factor is. The values are stable; there may be more of them one day."""

    TOTP = "totp"
    PASSKEY = "passkey"
    RECOVERY_CODE = "recovery_code"

    @property
    def method(self) -> AuthenticationMethod:
        """What a session says that was opened with one."""
        match self:
            case FactorKind.TOTP:
                return AuthenticationMethod.ONE_TIME_PASSWORD
            case FactorKind.PASSKEY:
                return AuthenticationMethod.POSSESSION_OF_KEY
            case FactorKind.RECOVERY_CODE:
                return AuthenticationMethod.RECOVERY_CODE


@dataclass(frozen=True, slots=True, kw_only=True)
class MfaPolicy:
    """What holds for second factors. `issuer` is what apps show beside the codes of ours."""

    issuer: str
    most_factors: int = 10
    enrolment: timedelta = timedelta(hours=1)
    challenge: timedelta = timedelta(minutes=10)
    required: MfaRequirement = MfaRequirement.NONE
    reset_hold: timedelta = timedelta()

    def binds(self, user: User) -> bool:
        """Whether this user has to have one."""
        return self.required.binds(user)


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorEnrolmentBegun(Event):
    """A user was shown the secret of a factor that is none yet."""

    name = "factor.enrolment_begun"
    factor_id: FactorId
    kind: FactorKind


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorEnrolled(Event):
    """A user has one more second factor; every other session ended with that."""

    name = "factor.enrolled"
    factor_id: FactorId
    kind: FactorKind


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorRemoved(Event):
    """A user has one second factor less; every other session ended with that.

    `by` is the operator who took it away, if one did, and `explanation` why.
    """

    name = "factor.removed"
    factor_id: FactorId
    kind: FactorKind
    by: UserId | None = None
    by_operator: bool = False
    explanation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorRenamed(Event):
    """A user calls a second factor otherwise."""

    name = "factor.renamed"
    factor_id: FactorId
    kind: FactorKind


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorUsed(Event):
    """Somebody proved to be the user by a second factor. Codes of an app are good once: this one no longer is."""

    name = "factor.used"
    is_own_act = True
    factor_id: FactorId
    kind: FactorKind


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorRefused(Event):
    """Somebody who knows the password, or has a session, showed a second factor that is none of the user's.

    `fault` is what was wrong with the answer of a passkey.
    """

    name = "factor.refused"
    outcome = Outcome.REFUSED
    kind: FactorKind
    fault: str | None = None


@dataclass(slots=True, kw_only=True)
class Factor(Aggregate):
    """Something that a user has, and can show that they have."""

    kind: ClassVar[FactorKind]

    id: FactorId
    user_id: UserId
    name: str | None
    created_at: datetime
    last_used_at: datetime | None = None

    @property
    def is_active(self) -> bool:
        """Whether it counts."""
        return True

    def remove(
        self, *, at: datetime, by: UserId | None = None, by_operator: bool = False, explanation: str | None = None
    ) -> None:
        """Say that it goes. `by` is the operator who takes it away; from the command line nobody knows who."""
        if not self.is_active:
            return
        self.record(
            FactorRemoved(
                user_id=self.user_id,
                occurred_at=at,
                factor_id=self.id,
                kind=self.kind,
                by=by,
                by_operator=by_operator,
                explanation=explanation,
            )
        )


def factor_name(name: str | None) -> str | None:
    """What its owner calls a factor.

    Raises: InvalidFields.
    """
    return shown_name(name, field="name", longest=MAX_FACTOR_NAME_LENGTH) if name is not None else None


def expect_proven_address(user: User) -> None:
    """Make sure that whoever has the session has the mailbox too.

    Raises: EmailNotVerified.
    """
    if not user.email_verified:
        raise EmailNotVerified


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorGuessesUsedUp(Event):
    """Second factors were guessed wrong so often that no further guess is looked at for a while."""

    name = "factor.guesses_used_up"
    outcome = Outcome.REFUSED
    network_address: str | None


class InvalidFactor(NotAuthenticated):
    """The one answer to every second factor that proves nothing, whatever its cause."""

    code = "invalid_factor"
    title = "The second factor is wrong or was used already, or what it was asked for is over"


class FactorNotFound(NotFound):
    """No such factor, or not one of the user's."""

    code = "factor_not_found"
    title = "There is no such second factor"


class TooManyFactors(Conflict):
    """There is no need for so many."""

    code = "too_many_factors"
    title = "There are as many second factors as anybody may have; remove one first"


class FactorAlreadyActive(Conflict):
    """It was activated before, and its recovery codes have been shown."""

    code = "factor_already_active"
    title = "This second factor is active already"


class NoFactor(Conflict):
    """Recovery codes stand in for a second factor; without one they would be for nothing."""

    code = "no_factor"
    title = "There is no second factor that recovery codes could stand in for; enrol one first"


class EmailNotVerified(NotAllowed):
    """Whoever enrols a second factor at somebody else's address would keep its owner out (LG-09)."""

    code = "email_not_verified"
    title = "Prove that the e-mail address is yours first"


class FactorProofRequired(NotAllowed):
    """A user with second factors proves who they are by one of those: the password alone is not as much."""

    code = "factor_proof_required"
    title = "You have a second factor; prove who you are with that"
