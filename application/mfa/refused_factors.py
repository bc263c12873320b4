"""Refusing second factors."""

from datetime import datetime

from application.ports.unit_of_work import Transaction
from domain.ids import UserId
from domain.mfa.factor import FactorGuessesUsedUp, FactorKind, FactorRefused


async def write_down_refused_factor(
    tx: Transaction,
    user_id: UserId,
    kind: FactorKind,
    *,
    was_last: bool,
    at: datetime,
    network_address: str | None,
    fault: str | None = None,
) -> None:
    """Write down that somebody showed a second factor that was none. Commit that before refusing them."""
    await tx.audit.append(FactorRefused(user_id=user_id, occurred_at=at, kind=kind, fault=fault))
    if was_last:
        await tx.audit.append(FactorGuessesUsedUp(user_id=user_id, occurred_at=at, network_address=network_address))
