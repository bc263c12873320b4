"""The audit log as a file: what stands on each line, and back. One line is one JSON object (NDJSON).

A header, the checkpoints, the entries in the order of their positions, and the end. Each line is canonical JSON
(RFC 8785): it has one spelling, and any other is refused.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.audit.audit_entry import AuditEntry, PersonalDetail, Source
from domain.audit.chain import Json, SealedEntry, canonical, members, moment
from domain.audit.checkpoint import Checkpoint, CheckpointClaims
from domain.events import Detail, Outcome
from domain.ids import AuditEntryId, KeyId, UserId

FORMAT = "hallporter audit export"
VERSION = 1
_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)


class MalformedExport(Exception):
    """A line that no export of ours has. The message is for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What an export begins with."""

    issuer: str
    made_at: datetime
    with_personal: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """What an export ends with: how many entries there are."""

    entries: int


type Line = Header | SealedEntry | Checkpoint | End


def written(line: Line, *, with_personal: bool = True) -> str:
    """The text of a line, without its end."""
    return canonical(_members(line, with_personal=with_personal)).decode()


def read(text: str) -> Line:
    """The line that a text is.

    Raises: MalformedExport.
    """
    try:
        value = json.loads(text)
        line = _parsed(value)
        # One spelling, nothing besides: whoever changes a character changes what is said, or is refused.
        with_personal = not isinstance(line, SealedEntry) or "personal" in value
        if written(line, with_personal=with_personal) == text:
            return line
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        pass
    message = "is not a line of an export of the audit log"
    raise MalformedExport(message)


def _members(line: Line, *, with_personal: bool) -> Mapping[str, Json]:
    match line:
        case Header():
            return {
                "type": "header",
                "format": FORMAT,
                "version": VERSION,
                "issuer": line.issuer,
                "made_at": moment(line.made_at),
                "personal": line.with_personal,
            }
        case SealedEntry(entry=entry):
            personal: Mapping[str, Json] = {
                name: {"salt": kept.salt, "value": kept.value} for name, kept in entry.personal.items()
            }
            return {
                "type": "entry",
                "position": line.position,
                "chain_hash": line.chain_hash.hex(),
                **members(entry),
                **({"personal": personal} if with_personal else {}),
            }
        case Checkpoint(claims=claims):
            return {
                "type": "checkpoint",
                "issuer": claims.issuer,
                "position": claims.position,
                "sequence": claims.sequence,
                "chain_hash": claims.chain_hash,
                "made_at": moment(claims.made_at),
                "entries": claims.entries,
                "key_id": line.key_id,
                "statement": line.statement,
            }
        case End():
            return {"type": "end", "entries": line.entries}


def _parsed(value: dict[str, Json]) -> Line:
    match value["type"]:
        case "header" if (value["format"], value["version"]) == (FORMAT, VERSION):
            return Header(
                issuer=_text(value["issuer"]),
                made_at=datetime.fromisoformat(_text(value["made_at"])),
                with_personal=value["personal"] is True,
            )
        case "entry":
            return SealedEntry(
                entry=_entry(value),
                position=_number(value["position"]),
                chain_hash=bytes.fromhex(_hash(value["chain_hash"])),
            )
        case "checkpoint":
            return Checkpoint(
                claims=CheckpointClaims(
                    issuer=_text(value["issuer"]),
                    position=_number(value["position"]),
                    sequence=_number(value["sequence"]),
                    chain_hash=_hash(value["chain_hash"]),
                    made_at=datetime.fromisoformat(_text(value["made_at"])),
                    entries=_number(value["entries"]),
                ),
                key_id=KeyId(_text(value["key_id"])),
                statement=_text(value["statement"]),
            )
        case "end":
            return End(entries=_number(value["entries"]))
    raise ValueError


def _entry(value: Mapping[str, Json]) -> AuditEntry:
    source, request_id = value["source"], value["request_id"]
    return AuditEntry(
        id=AuditEntryId(UUID(_text(value["id"]))),
        sequence=_number(value["sequence"]),
        event=_text(value["event"]),
        outcome=Outcome(_text(value["outcome"])),
        source=Source(_text(source)) if source is not None else None,
        actor_id=_user_id(value["actor_id"]),
        user_id=_user_id(value["user_id"]),
        occurred_at=datetime.fromisoformat(_text(value["occurred_at"])),
        request_id=UUID(_text(request_id)) if request_id is not None else None,
        public={name: _detail(detail) for name, detail in _object(value["details"]).items()},
        commitments={name: _hash(committed) for name, committed in _object(value["commitments"]).items()},
        personal={
            name: PersonalDetail(salt=_hash(_object(kept)["salt"]), value=_detail(_object(kept)["value"]))
            for name, kept in _object(value.get("personal", {})).items()
        },
    )


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _number(value: Json) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 63:
        raise TypeError
    return value


def _hash(value: Json) -> str:
    if not _HEX.fullmatch(_text(value)):
        raise ValueError
    return _text(value)


def _object(value: Json) -> Mapping[str, Json]:
    if not isinstance(value, Mapping):
        raise TypeError
    return value


def _detail(value: Json) -> Detail:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_text(item) for item in value]
    if isinstance(value, Mapping):
        raise TypeError
    return value


def _user_id(value: Json) -> UserId | None:
    return UserId(UUID(_text(value))) if value is not None else None
