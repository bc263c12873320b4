"""Hashes of passwords at rest: text within a seal that opens for its owner alone."""

import structlog

from adapters.crypto.sealing import SealBroken, Sealer
from domain.ids import UserId
from domain.users.password import PasswordHash

_log = structlog.get_logger(__name__)

_PURPOSE = "password hash"


def seal_hash(text: str, *, owner: UserId, sealer: Sealer) -> PasswordHash:
    """A hash as it is kept."""
    return PasswordHash(owner=owner, encoded=sealer.seal(text.encode(), purpose=_PURPOSE, owner=str(owner)))


def open_hash(hashed: PasswordHash, *, sealer: Sealer) -> str | None:
    """What was sealed, or None where it cannot be opened."""
    try:
        return sealer.open(hashed.encoded, purpose=_PURPOSE, owner=str(hashed.owner)).decode()
    except SealBroken:
        # One damaged row shuts one door; the operator must hear of it.
        _log.error("password_hash.unreadable", user_id=str(hashed.owner))
        return None
