"""Looking at second factors."""

from collections.abc import Sequence
from dataclasses import dataclass

from application.mfa.user_factors import active_factors_of
from application.ports.unit_of_work import UnitOfWork
from domain.ids import UserId
from domain.mfa.factor import Factor


@dataclass(frozen=True, slots=True, kw_only=True)
class Factors:
    """A user's second factors, oldest first, without what makes them; and how many recovery codes are left."""

    items: Sequence[Factor]
    recovery_codes_left: int


class ListFactors:
    """Show which second factors a user has. What waits for its first code is none."""

    def __init__(self, unit_of_work: UnitOfWork) -> None:
        self._unit_of_work = unit_of_work

    async def execute(self, *, user_id: UserId) -> Factors:
        """All of them.

        Raises: UserNotFound.
        """
        async with self._unit_of_work.read() as tx:
            await tx.users.get(user_id)
            factors = await active_factors_of(tx, user_id)
            left = await tx.recovery_codes.count(user_id)
        return Factors(items=factors, recovery_codes_left=left)
