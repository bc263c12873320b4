"""Letting somebody try again."""

from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from application.throttling.guess_budget import GuessBudget
from domain.ids import UserId
from domain.throttling.throttle_events import ThrottlesCleared


class ClearThrottles:
    """Forget how often anybody has guessed at a user's password."""

    def __init__(self, unit_of_work: UnitOfWork, guesses: GuessBudget, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._guesses = guesses
        self._clock = clock

    async def execute(self, *, user_id: UserId, by: UserId | None = None) -> None:
        """Forget it. It is written down first: what could not be would not be done.

        Raises: UserNotFound, ThrottlesUnavailable.
        """
        async with self._unit_of_work.begin() as tx:
            user = await tx.users.get(user_id)
            await tx.audit.append(ThrottlesCleared(user_id=user_id, occurred_at=self._clock.now(), by=by))
        await self._guesses.forget(user)
