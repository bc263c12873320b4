"""Guessing passwords and second factors."""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID, uuid5

from application.ports.clock import Clock
from application.ports.password_hasher import HashingBusy
from application.ports.rate_limiter import RateLimiter, ThrottlesUnavailable
from application.throttling.throttle_policy import ThrottlePolicy
from application.throttling.visit import Used, Visit, give_back, use
from domain.errors import Unavailable
from domain.ids import DeviceId, SessionId, UserId
from domain.throttling.network import network_of
from domain.throttling.throttle import Limit, Throttle, Throttled
from domain.users.user import User

_log = logging.getLogger(__name__)

_OF_STRANGERS = "guesses of strangers"

# Any will do: it only keeps these ids from being those of something else.
_ADDRESSES = UUID("6c0f4c3e-7c58-4b8e-9a63-0d0c6a1f2b57")


@dataclass(frozen=True, slots=True)
class Stranger:
    """Somebody of whom nothing is known but where they are, and which address they name.

    The address in its canonical form and nothing else: who has it, if anybody, must make no difference (LG-03).
    """

    address: str
    network_address: str | None


@dataclass(frozen=True, slots=True)
class KnownDevice:
    """Somebody at a device on which this very user has signed in, and nothing that guards the user changed since."""

    user_id: UserId
    device_id: DeviceId


@dataclass(frozen=True, slots=True)
class FormerDevice:
    """The same before a change of what guards the user: perhaps the user, perhaps whom the change was to shut out."""

    user_id: UserId
    device_id: DeviceId


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody with a live session of this very user."""

    user_id: UserId
    session_id: SessionId


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """Somebody who shows a second factor of this user, wherever and in however many ways at once (MF-05)."""

    user_id: UserId


@dataclass(frozen=True, slots=True)
class WrongPasskey:
    """Somebody who shows wrong passkeys of this user. They cannot be guessed, only written down too often."""

    user_id: UserId


type Guesser = Stranger | KnownDevice | FormerDevice | SignedIn | SecondFactor | WrongPasskey


@dataclass(slots=True)
class Guess:
    """One guess. Say if it `was_right`; `was_last` tells that there is none left for now.

    As long as it `is_unseen` nobody has looked at what was guessed: if that cannot be done, it does not count.
    """

    was_last: bool
    was_right: bool = False
    is_unseen: bool = False


class GuessBudget:
    """Bounds the guesses at one user's password and second factors, whichever way they come (LG-04, LG-08).

    A guess is spent before it is checked, and comes back if it was right: whoever knows the password is never counted,
    and nobody's success is another one's further guess (LG-07).
    """

    def __init__(self, limiter: RateLimiter, clock: Clock, policy: ThrottlePolicy) -> None:
        self._limiter = limiter
        self._clock = clock
        self._policy = policy

    @asynccontextmanager
    async def guess(
        self, *, by: Guesser, otherwise: Stranger | None = None, visit: Visit | None = None
    ) -> AsyncIterator[Guess]:
        """Check one guess in the block. Whoever has none left may go on as the stranger that they are `otherwise`.

        The `visit` in which it is made is counted with it, and comes back with it. Where its network has nothing left
        that is the end for strangers, and others have guesses of their own.

        Raises: Throttled, ThrottlesUnavailable.
        """
        used = await self._use(by, otherwise, visit)
        guess = Guess(was_last=not all(one.allowance.remaining for one in used))
        try:
            yield guess
        except Unavailable as error:
            if guess.is_unseen or isinstance(error, HashingBusy):
                await self._give_back(used, visit)
            raise
        if guess.was_right:
            await self._give_back(used, visit)

    async def is_worth_noting(self, wrong: WrongPasskey) -> bool:
        """Whether this one is to be written down, or so many were that it tells nothing more."""
        try:
            await self._limiter.use(*self._throttles(wrong), at=self._clock.now())
        except (Throttled, ThrottlesUnavailable):
            return False
        return True

    def is_used_up_by_strangers(self, refusal: Throttled) -> bool:
        """Whether it was all strangers together who left nothing, and perhaps not those who were refused."""
        return refusal.throttle.name == _OF_STRANGERS

    async def forget(self, user: User) -> None:
        """Let everybody guess at this user's password and factors anew, strangers among them.

        Raises: ThrottlesUnavailable.
        """
        await self._limiter.forget(str(user.id), _owner_of(user.email.canonical))

    async def _use(self, by: Guesser, otherwise: Stranger | None, visit: Visit | None) -> Sequence[Used]:
        now = self._clock.now()
        try:
            return await use(self._limiter, *self._throttles(by), visit=visit, at=now)
        except Throttled as refusal:
            if visit is None or refusal is not visit.refusal:
                instead: Guesser | None = otherwise
            else:
                instead = None if isinstance(by, Stranger) else by
            if instead is None:
                raise
        return await use(self._limiter, *self._throttles(instead), visit=visit, at=now)

    async def _give_back(self, used: Sequence[Used], visit: Visit | None) -> None:
        visited = visit.take_back() if visit is not None else ()
        try:
            await give_back(self._limiter, [*visited, *used], at=self._clock.now())
        except ThrottlesUnavailable:
            _log.warning("a guess that should not count stays counted")

    def _throttles(self, by: Guesser) -> Sequence[Throttle]:
        policy = self._policy
        match by:
            case Stranger(address, network_address):
                owner = _owner_of(address)
                network = f"guesses from {network_of(network_address)}"
                return [
                    Throttle(owner=owner, name=network, limit=policy.guesses),
                    Throttle(owner=owner, name=_OF_STRANGERS, limit=policy.all_guesses),
                ]
            case KnownDevice(user_id, device_id):
                return [_of(user_id, f"guesses on device {device_id}", policy.guesses_on_known_device)]
            case FormerDevice(user_id):
                # All of them share one: whoever knew the password once may have made any number.
                return [_of(user_id, "guesses on former devices", policy.all_guesses)]
            case SignedIn(user_id, session_id):
                return [_of(user_id, f"guesses in session {session_id}", policy.guesses_on_known_device)]
            case SecondFactor(user_id):
                return [_of(user_id, "guesses at second factors", policy.factor_guesses)]
            case WrongPasskey(user_id):
                return [_of(user_id, "wrong passkeys", policy.factor_guesses)]


def _owner_of(address: str) -> str:
    return str(uuid5(_ADDRESSES, address))


def _of(user_id: UserId, name: str, limit: Limit) -> Throttle:
    return Throttle(owner=str(user_id), name=name, limit=limit)
