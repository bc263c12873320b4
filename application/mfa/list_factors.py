"""Looking at second factors."""

from collections.abc import Sequence
from dataclasses import dataclass

from application.ports.unit_of_work import UnitOfWork
from domain.ids import UserId
from domain.mfa.totp_factor import TotpFactor


@dataclass(frozen=True, slots=True, kw_only=True)
class Factors:
    """A user's second factors, oldest first, without what makes them; and how many recovery codes are left."""

    totp: Sequence[TotpFactor]
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
            factors = await tx.totp_factors.of_user(user_id)
            left = await tx.recovery_codes.count(user_id)
        return Factors(totp=[factor for factor in factors if factor.is_active], recovery_codes_left=left)
