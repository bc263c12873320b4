"""Using a one-time token up."""

from datetime import datetime

from application.ports.unit_of_work import Transaction
from domain.recovery.one_time_token import OneTimeToken, Purpose, invalid_token
from domain.users.email_change import EmailChange
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


async def use_token_of_change(
    tx: Transaction, digest: bytes, purpose: Purpose, *, at: datetime
) -> tuple[User, EmailChange]:
    """The same for a token that is about a change of address: that change in its place.

    Raises: InvalidToken.
    """
    user, token = await use_token(tx, digest, purpose, at=at)
    change = await tx.email_changes.find(token.email_change_id) if token.email_change_id is not None else None
    if change is None:
        raise invalid_token()
    return user, change
