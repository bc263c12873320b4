"""Using a one-time token up."""

from datetime import datetime

from application.ports.unit_of_work import Transaction
from domain.recovery.one_time_token import OneTimeToken, Purpose, invalid_token
from domain.users.user import User


async def use_token(tx: Transaction, digest: bytes, purpose: Purpose, *, at: datetime) -> tuple[User, OneTimeToken]:
    """Whose token it is, as they stand now and locked, and the token, which nobody else can use any more.

    Raises: InvalidToken.
    """
    found = await tx.one_time_tokens.find_good(digest, purpose, at=at)
    if found is None:
        raise invalid_token()
    # The user before the token, as everywhere: what guards the user stands still from here on.
    user = await tx.users.lock(found.user_id)
    used = await tx.one_time_tokens.use(digest, purpose, at=at)
    if used is None:
        raise invalid_token()
    return user, used
