"""Resets of second factors while they are held."""

from datetime import datetime

from application.ports.unit_of_work import Transaction, UnitOfWork
from domain.errors import NotFound
from domain.ids import FactorId, UserId
from domain.mfa.factor_reset import FactorReset


async def held_reset_of(tx: Transaction, user_id: UserId, factor_id: FactorId) -> FactorReset | None:
    """The reset that is held for this factor, if any. Lock the user first: all who change resets do."""
    return next((reset for reset in await tx.factor_resets.of_user(user_id) if reset.factor_id == factor_id), None)


async def forget_held_reset(tx: Transaction, user_id: UserId, factor_id: FactorId) -> None:
    """The factor goes, or has gone: there is nothing left to be reset."""
    held = await held_reset_of(tx, user_id, factor_id)
    if held is not None:
        await tx.factor_resets.remove(held)


async def keep_factors(unit_of_work: UnitOfWork, user_id: UserId, *, at: datetime) -> None:
    """End every hold on factors of a user who has just used one: they have not lost it."""
    async with unit_of_work.read() as tx:
        if not await tx.factor_resets.of_user(user_id):
            return
    try:
        async with unit_of_work.begin() as tx:
            await tx.users.lock(user_id)
            for held in await tx.factor_resets.of_user(user_id):
                held.cancel(at=at)
                await tx.factor_resets.remove(held)
    except NotFound:
        # Erased meanwhile, and their resets with them.
        return
