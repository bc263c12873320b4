"""How far the chain went at a moment, signed. Kept elsewhere, it proves that nothing up to there has changed since."""

from dataclasses import dataclass, field
from datetime import datetime

from domain.ids import KeyId


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointClaims:
    """What a checkpoint says: the chain hash at a position, and how many entries there were up to it.

    `sequence` is that of the entry at the position. The chain hash is in hex.
    """

    issuer: str
    position: int
    sequence: int
    chain_hash: str
    made_at: datetime
    entries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """Claims, and the statement by which a signing key of ours vouches for them: a JWS in compact form."""

    claims: CheckpointClaims
    key_id: KeyId
    statement: str = field(repr=False)
