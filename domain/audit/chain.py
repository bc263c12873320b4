"""How entries are chained, so that none can be changed, taken away or put in between without a trace (LA-05).

Everything is SHA-256, and can be done anew by anybody, in any language, from an export:

    commitment  of (salt, value):   SHA-256(salt, canonical JSON of the value)
    leaf        of an entry:        SHA-256(canonical JSON of its members)
    chain hash  at position n:      SHA-256("hallporter audit entry v1", 0x00, chain hash at n - 1, n in 8 bytes, leaf)

The chain hash at position 0 is 32 bytes of zero. Canonical JSON is that of RFC 8785; there are no fractions in it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from domain.audit.audit_entry import AuditEntry, PersonalDetail
from domain.events import Detail

BEGINNING = bytes(32)
_DOMAIN = b"hallporter audit entry v1\x00"

type Json = bool | int | str | Sequence[Json] | Mapping[str, Json] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """How far the chain goes: the last position, the sequence of the entry there, and the chain hash."""

    position: int
    sequence: int
    chain_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedEntry:
    """An entry with its place in the chain: positions are 1, 2, 3 and so on, in the order of sealing."""

    entry: AuditEntry
    position: int
    chain_hash: bytes

    @property
    def link(self) -> Link:
        return Link(position=self.position, sequence=self.entry.sequence, chain_hash=self.chain_hash)


def canonical(value: Json) -> bytes:
    """The one text that stands for a value (RFC 8785)."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True).encode()


def commitment(detail: PersonalDetail) -> str:
    """What remains of a personal detail when it is destroyed, as hex: a proof for whoever still has it, and no more."""
    return sha256(bytes.fromhex(detail.salt) + canonical(detail.value)).hexdigest()


def leaf(entry: AuditEntry) -> bytes:
    """The hash of all that an entry says. Of what is personal, the commitment alone."""
    return sha256(canonical(members(entry))).digest()


def members(entry: AuditEntry) -> Mapping[str, Detail | Mapping[str, Detail]]:
    """What the leaf is made of."""
    return {
        "sequence": entry.sequence,
        "id": str(entry.id),
        "event": entry.event,
        "outcome": entry.outcome.value,
        "source": entry.source.value if entry.source is not None else None,
        "actor_id": _text(entry.actor_id),
        "user_id": _text(entry.user_id),
        "occurred_at": moment(entry.occurred_at),
        "request_id": _text(entry.request_id),
        "details": dict(entry.public),
        "commitments": dict(entry.commitments),
    }


def next_hash(before: bytes, position: int, of: bytes) -> bytes:
    """The chain hash at a position, from the one before and the leaf there."""
    return sha256(_DOMAIN + before + position.to_bytes(8, "big") + of).digest()


def seal(entries: Sequence[AuditEntry], after: Link | None) -> Sequence[SealedEntry]:
    """Put entries at the end of the chain, in the order given."""
    position, chain_hash = (after.position, after.chain_hash) if after is not None else (0, BEGINNING)
    sealed = []
    for entry in entries:
        position += 1
        chain_hash = next_hash(chain_hash, position, leaf(entry))
        sealed.append(SealedEntry(entry=entry, position=position, chain_hash=chain_hash))
    return sealed


def moment(at: datetime) -> str:
    """A time in UTC with microseconds and `Z`."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _text(value: object) -> str | None:
    return str(value) if value is not None else None
