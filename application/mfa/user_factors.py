"""All second factors of a user, of whatever kind."""

from collections.abc import Sequence

from application.mfa.held_resets import forget_held_reset
from application.ports.unit_of_work import Transaction
from domain.ids import FactorId, UserId
from domain.mfa.factor import Factor, FactorKind, FactorNotFound
from domain.mfa.passkey import Passkey
from domain.mfa.totp_factor import TotpFactor


async def factors_of(tx: Transaction, user_id: UserId) -> Sequence[Factor]:
    """All of them, oldest first; those that wait to be activated too."""
    factors = [*await tx.totp_factors.of_user(user_id), *await tx.passkeys.of_user(user_id)]
    return sorted(factors, key=lambda factor: factor.id)


async def active_factors_of(tx: Transaction, user_id: UserId) -> Sequence[Factor]:
    """Those that count, oldest first."""
    return [factor for factor in await factors_of(tx, user_id) if factor.is_active]


async def factor_of(tx: Transaction, user_id: UserId, factor_id: FactorId, *, kind: FactorKind | None = None) -> Factor:
    """The factor, if it is the user's, and of that kind.

    Raises: FactorNotFound.
    """
    for factor in await factors_of(tx, user_id):
        if factor.id == factor_id and kind in {None, factor.kind}:
            return factor
    raise FactorNotFound


async def forget_factor(tx: Transaction, factor: Factor) -> None:
    """Forget a loaded one, and the recovery codes with the last: without a factor they open nothing.

    They must not wait for the next one. With the user locked.
    """
    await forget_held_reset(tx, factor.user_id, factor.id)
    match factor:
        case TotpFactor():
            await tx.totp_factors.remove(factor)
        case Passkey():
            await tx.passkeys.remove(factor)
    if factor.is_active and not await active_factors_of(tx, factor.user_id):
        await tx.recovery_codes.replace(factor.user_id, [])
