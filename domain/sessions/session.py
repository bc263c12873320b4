"""The session: one sign-in on one device."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from domain.errors import NotAuthenticated, NotFound
from domain.events import Aggregate, Event, Outcome
from domain.ids import SessionId, UserId
from domain.sessions.authentication_method import AuthenticationMethod, with_factor
from domain.users.user import User

MAX_USER_AGENT_LENGTH = 512
MAX_DEVICE_NAME_LENGTH = 100
MAX_NETWORK_ADDRESS_LENGTH = 45  # IPv6 with an IPv4 address at its end (RFC 4291 section 2.2)


class EndReason(StrEnum):
    """Why a session is over before its time."""

    SIGNED_OUT = "signed_out"
    ENDED_BY_USER = "ended_by_user"
    ENDED_BY_OPERATOR = "ended_by_operator"
    TOO_MANY = "too_many"
    REFRESH_TOKEN_REUSED = "refresh_token_reused"  # noqa: S105  (a reason, not a secret)


class RefusalReason(StrEnum):
    """Why a sign-in was refused. For operators; the caller is told nothing of it (LG-01)."""

    UNKNOWN_USER = "unknown_user"
    NO_PASSWORD = "no_password"  # noqa: S105  (a reason, not a secret)
    WRONG_PASSWORD = "wrong_password"  # noqa: S105  (a reason, not a secret)
    WRONG_PASSKEY = "wrong_passkey"
    SUSPENDED = "suspended"
    DELETED = "deleted"
    UNVERIFIED = "unverified"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStarted(Event):
    """A user signed in."""

    name = "session.started"
    is_own_act = True
    session_id: SessionId
    methods: tuple[AuthenticationMethod, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDeviceSeen(Event):
    """A user signed in from a kind of device that they had not signed in from before (LG-11)."""

    name = "session.new_device"
    is_own_act = True
    session_id: SessionId


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEnded(Event):
    """A session ended before its time; `by` is the operator who ended it, if one did."""

    name = "session.ended"
    session_id: SessionId
    reason: EndReason
    by: UserId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenReuseDetected(Event):
    """A refresh token of before was presented: two parties hold keys to one session, which ended with that."""

    name = "session.token_reuse_detected"
    outcome = Outcome.REFUSED
    session_id: SessionId


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionReauthenticated(Event):
    """A user proved again who they are, on a session that had begun before."""

    name = "session.reauthenticated"
    session_id: SessionId
    methods: tuple[AuthenticationMethod, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofRefused(Event):
    """Somebody with a live session did not know the password: perhaps not the user whose session it is."""

    name = "session.proof_refused"
    outcome = Outcome.REFUSED
    session_id: SessionId


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInRefused(Event):
    """Somebody tried to sign in and was not let in. `fault` is what was wrong with the answer of a passkey."""

    name = "sign_in.refused"
    outcome = Outcome.REFUSED
    reason: RefusalReason
    network_address: str | None
    fault: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GuessesUsedUp(Event):
    """Somebody guessed wrong so often that no further guess of theirs is looked at for a while (LA-01)."""

    name = "sign_in.guesses_used_up"
    outcome = Outcome.REFUSED
    network_address: str | None


class InvalidCredentials(NotAuthenticated):
    """The one answer to every failed sign-in, whatever its cause (LG-01)."""

    code = "invalid_credentials"
    title = "The e-mail address or the password is wrong"


class InvalidAccessToken(NotAuthenticated):
    """The one answer to every access token that opens nothing (RFC 6750 section 3.1)."""

    code = "invalid_access_token"
    title = "The access token is missing, expired, revoked or malformed"


class ReauthenticationRequired(NotAuthenticated):
    """The proof that this session was opened with is too old for what was asked (RFC 9470 section 3)."""

    code = "reauthentication_required"
    title = "This needs a fresh proof of who you are"

    def __init__(self, *, max_age: timedelta) -> None:
        super().__init__()
        self.max_age = max_age


class InvalidRefreshToken(NotAuthenticated):
    """The one answer to every refresh token that opens nothing, whatever its cause."""

    code = "invalid_refresh_token"
    title = "The refresh token is expired, revoked or malformed; sign in again"


class SessionNotFound(NotFound):
    """No such session, or not one of the caller's."""

    code = "session_not_found"
    title = "There is no such session"


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """From where a user signed in, as far as the request tells. Shown to the user, never trusted.

    `name` is what people may recognise the user agent by.
    """

    user_agent: str | None = None
    network_address: str | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        if self.user_agent is not None:
            object.__setattr__(self, "user_agent", self.user_agent[:MAX_USER_AGENT_LENGTH])
        if self.network_address is not None:
            object.__setattr__(self, "network_address", self.network_address[:MAX_NETWORK_ADDRESS_LENGTH])


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPolicy:
    """How long sessions live, and how long a rotated refresh token may be presented again.

    `refresh_grace` of zero is strict: each token once. Beyond `limit_per_user` live sessions the oldest end.
    `fresh_proof_for` is how long a proof counts as recent, for what is worth asking again. `needs_verified_email` keeps
    users out until they have proven theirs: else signing in would tell what registering does not (LG-03).
    """

    absolute_lifetime: timedelta = timedelta(days=30)
    idle_lifetime: timedelta = timedelta(days=14)
    refresh_grace: timedelta = timedelta(seconds=10)
    limit_per_user: int = 100
    fresh_proof_for: timedelta = timedelta(minutes=10)
    needs_verified_email: bool = False


@dataclass(slots=True, kw_only=True)
class Session(Aggregate):
    """One sign-in on one device; at the same time the family of all refresh tokens that come from it.

    `security_epoch` is the user's at the time of signing in. `methods` and `authenticated_at` are the proof that was
    given and when. `generation` is that of the youngest refresh token, and `last_used_at` is right to a minute or so.
    """

    id: SessionId
    user_id: UserId
    security_epoch: int
    methods: tuple[AuthenticationMethod, ...]
    device: Device
    authenticated_at: datetime
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    generation: int = 1
    ended_at: datetime | None = None
    end_reason: EndReason | None = None

    @classmethod
    def start(
        cls,
        *,
        id: SessionId,
        user: User,
        methods: tuple[AuthenticationMethod, ...],
        device: Device,
        policy: SessionPolicy,
        at: datetime,
    ) -> Self:
        """A new session of a user whose proof has just been checked."""
        session = cls(
            id=id,
            user_id=user.id,
            security_epoch=user.security_epoch,
            methods=methods,
            device=device,
            authenticated_at=at,
            created_at=at,
            last_used_at=at,
            expires_at=at + policy.absolute_lifetime,
        )
        session.record(SessionStarted(user_id=user.id, occurred_at=at, session_id=id, methods=methods))
        return session

    def see_new_device(self, *, at: datetime) -> None:
        """The user never came on such a device before."""
        self.record(NewDeviceSeen(user_id=self.user_id, occurred_at=at, session_id=self.id))

    def is_live(self, *, user: User, at: datetime) -> bool:
        """Whether this session still opens doors: the one rule that every way in applies (ST-05).

        Repositories may state the same rule in their own language; the contract suite holds them to it.
        """
        return (
            self.ended_at is None
            and at < self.expires_at
            and user.may_come_in(at=at)
            and self.security_epoch == user.security_epoch
        )

    def is_idle(self, *, at: datetime, policy: SessionPolicy) -> bool:
        """Whether nobody has come back for too long. Asked on refreshing: access tokens do not live that long."""
        return at >= self.last_used_at + policy.idle_lifetime

    def reauthenticate(self, *, methods: tuple[AuthenticationMethod, ...], at: datetime) -> None:
        """Take a new proof of the user in place of the old one."""
        self.methods = methods
        self.authenticated_at = at
        self.record(SessionReauthenticated(user_id=self.user_id, occurred_at=at, session_id=self.id, methods=methods))

    def prove_factor(self, factor: AuthenticationMethod, *, at: datetime) -> None:
        """Take a second factor beside what the session began with."""
        self.reauthenticate(methods=with_factor(self.methods, factor), at=at)

    @property
    def has_second_factor(self) -> bool:
        """Whether a second factor is among the proofs."""
        return any(method.is_second_factor for method in self.methods)

    def expect_fresh_proof(self, *, at: datetime, policy: SessionPolicy, with_factor: bool = False) -> None:
        """Make sure that the user proved who they are a short while ago, where need be with a second factor.

        Raises: ReauthenticationRequired.
        """
        if at >= self.authenticated_at + policy.fresh_proof_for or (with_factor and not self.has_second_factor):
            raise ReauthenticationRequired(max_age=policy.fresh_proof_for)

    def carry_on(self, user: User) -> None:
        """Follow the user into a new security epoch: this is the session through which they opened it."""
        self.security_epoch = user.security_epoch

    def rotate(self, *, at: datetime) -> None:
        """Count a new refresh token. The end of the session stays where it is."""
        self.generation += 1
        self.last_used_at = at

    def end(self, *, reason: EndReason, at: datetime, by: UserId | None = None) -> bool:
        """End the session at once. False when it was over already."""
        if self.ended_at is not None:
            return False
        self.ended_at = at
        self.end_reason = reason
        self.record(SessionEnded(user_id=self.user_id, occurred_at=at, session_id=self.id, reason=reason, by=by))
        if reason is EndReason.REFRESH_TOKEN_REUSED:
            self.record(TokenReuseDetected(user_id=self.user_id, occurred_at=at, session_id=self.id))
        return True
