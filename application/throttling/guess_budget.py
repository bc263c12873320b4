"""Guessing passwords."""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID, uuid5

from application.ports.clock import Clock
from application.ports.password_hasher import HashingBusy
from application.ports.rate_limiter import RateLimiter, ThrottlesUnavailable
from application.throttling.throttle_policy import ThrottlePolicy
from domain.ids import DeviceId, SessionId
from domain.throttling.network import network_of
from domain.throttling.throttle import Throttle
from domain.users.user import User

_log = logging.getLogger(__name__)

# Any will do: it only keeps these ids from being those of something else.
_ADDRESSES = UUID("6c0f4c3e-7c58-4b8e-9a63-0d0c6a1f2b57")


@dataclass(frozen=True, slots=True)
class Stranger:
    """Somebody of whom nothing is known but where they are."""

    network_address: str | None


@dataclass(frozen=True, slots=True)
class KnownDevice:
    """Somebody at a device on which this very user has signed in before."""

    device_id: DeviceId


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody with a live session of this very user."""

    session_id: SessionId


type Guesser = Stranger | KnownDevice | SignedIn


@dataclass(slots=True)
class Guess:
    """One guess. Say if it `was_right`; `was_last` tells that there is none left for now."""

    was_last: bool
    was_right: bool = False


def guessed_at(user: User | None, address: str) -> UUID:
    """Whose budget a guess comes out of. An address that nobody has got one as well, so that nothing tells it apart."""
    return user.id if user is not None else uuid5(_ADDRESSES, address)


class GuessBudget:
    """Bounds the guesses at one user's password, whichever way they come (LG-04, LG-08).

    A guess is spent before it is checked, and comes back if it was right: whoever knows the password is never counted,
    and nobody's success is another one's further guess (LG-07).
    """

    def __init__(self, limiter: RateLimiter, clock: Clock, policy: ThrottlePolicy) -> None:
        self._limiter = limiter
        self._clock = clock
        self._policy = policy

    @asynccontextmanager
    async def guess(self, at_whom: UUID, *, by: Guesser) -> AsyncIterator[Guess]:
        """Check one guess in the block.

        Raises: Throttled, ThrottlesUnavailable.
        """
        throttles = self._throttles(at_whom, by)
        allowances = await self._limiter.use(*throttles, at=self._clock.now())
        guess = Guess(was_last=not all(allowance.remaining for allowance in allowances))
        try:
            yield guess
        except HashingBusy:
            # It was never looked at.
            await self._give_back(throttles)
            raise
        if guess.was_right:
            await self._give_back(throttles)

    async def _give_back(self, throttles: Sequence[Throttle]) -> None:
        try:
            await self._limiter.give_back(*throttles)
        except ThrottlesUnavailable:
            _log.warning("a guess that was right stays counted")

    def _throttles(self, at_whom: UUID, by: Guesser) -> Sequence[Throttle]:
        owner, policy = str(at_whom), self._policy
        match by:
            case Stranger(network_address):
                from_there = Throttle(
                    owner=owner, name=f"guesses from {network_of(network_address)}", limit=policy.guesses
                )
                return [from_there, Throttle(owner=owner, name="guesses of strangers", limit=policy.all_guesses)]
            case KnownDevice(device_id):
                return [_of_their_own(owner, f"device {device_id}", policy)]
            case SignedIn(session_id):
                return [_of_their_own(owner, f"session {session_id}", policy)]


def _of_their_own(owner: str, where: str, policy: ThrottlePolicy) -> Throttle:
    return Throttle(owner=owner, name=f"guesses on {where}", limit=policy.guesses_on_known_device)
