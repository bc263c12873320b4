"""The audit log."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import Field

from adapters.http.schemas.base import NextCursor, RequestSchema, ResponseSchema, Timestamp, examples
from domain.audit.audit_entry import AuditEntry
from domain.audit.checkpoint import Checkpoint
from domain.audit.verification import Problem, Report
from domain.events import Detail

# Beyond it, numbers of JSON are no longer whole everywhere.
_LAST_POSITION = (1 << 53) - 1
_Position = Annotated[int, Field(ge=1, le=_LAST_POSITION)]


class AuditEntryResponse(ResponseSchema):
    """Who did what to whom, when and from where, and how it ended."""

    model_config = examples(
        {
            "id": "0192f1c4-6f0e-7c3a-9d2b-5e8f7a6b4c3d",
            "sequence": 4711,
            "event": "user.suspended",
            "outcome": "success",
            "source": "http",
            "actor_id": "0192f1c4-6f0e-7c3a-9d2b-5e8f7a6b4c3d",
            "subject_id": "0192f1c4-7d21-7b11-8a3c-1f2e3d4c5b6a",
            "occurred_at": "2026-01-31T12:00:00.000000Z",
            "request_id": "3f0a9b7e-6f0e-4c3a-9d2b-5e8f7a6b4c3d",
            "network_address": "192.0.2.7",
            "details": {"by": None, "until": None, "explanation": "Sends spam"},
        }
    )

    id: UUID
    sequence: int = Field(description="Their order, with gaps.")
    event: str = Field(description="A stable name; there may be more of them than you know.")
    outcome: str = Field(description="`success` or `refused`.")
    source: str | None = Field(description="`http`, `cli`, or `worker` where it was done by itself.")
    actor_id: UUID | None = Field(description="Who; null where nobody is known, and at the command line.")
    subject_id: UUID | None = Field(description="Whom; null where it is about nobody known.")
    occurred_at: Timestamp
    request_id: UUID | None
    network_address: str | None = Field(description="From where; null once it is destroyed.")
    details: dict[str, Detail]

    @classmethod
    def of(cls, entry: AuditEntry) -> Self:
        return cls(
            id=entry.id,
            sequence=entry.sequence,
            event=entry.event,
            outcome=entry.outcome,
            source=entry.source,
            actor_id=entry.actor_id,
            subject_id=entry.user_id,
            occurred_at=entry.occurred_at,
            request_id=entry.request_id,
            network_address=entry.network_address,
            details=dict(entry.details),
        )


class AuditEntryList(ResponseSchema):
    """What happened, newest first."""

    items: list[AuditEntryResponse]
    next_cursor: str | None = Field(description="For the next page, also where this one is empty; null at the end.")


class CheckpointResponse(ResponseSchema):
    """How far the log went at a moment. Keep `statement` elsewhere: it proves that nothing before it changed."""

    model_config = examples(
        {
            "issuer": "https://accounts.example.com",
            "position": 4096,
            "sequence": 4711,
            "chain_hash": "3d708333b92f9d52f086f2d74d1af651a0cdcfa8844d38ba876ce2bb99f17dff",
            "made_at": "2026-01-31T12:00:00.000000Z",
            "entries": 4096,
            "key_id": "a7181e70002e8d084bba9abbea528d5b",
            "statement": "eyJhbGciOiJFUzI1NiJ9.e30.c2ln",
        }
    )

    issuer: str
    position: int
    sequence: int
    chain_hash: str
    made_at: Timestamp
    entries: int
    key_id: str
    statement: str = Field(description="A JWS in compact form over all of this, by a key of `/.well-known/jwks.json`.")

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> Self:
        claims = checkpoint.claims
        return cls(
            issuer=claims.issuer,
            position=claims.position,
            sequence=claims.sequence,
            chain_hash=claims.chain_hash,
            made_at=claims.made_at,
            entries=claims.entries,
            key_id=checkpoint.key_id,
            statement=checkpoint.statement,
        )


class CheckpointList(ResponseSchema):
    """Checkpoints, newest first."""

    items: list[CheckpointResponse]
    next_cursor: NextCursor


class VerificationCreate(RequestSchema):
    """Which part of the log is to be verified."""

    model_config = examples({"from_position": 1, "to_position": 4096})

    from_position: _Position = Field(default=1, description="What stands before is taken on trust.")
    to_position: _Position | None = Field(default=None, description="Left out: the end, or as far as one call goes.")


class ProblemFound(ResponseSchema):
    """The first place at which something is wrong."""

    what: str = Field(
        description="`edited`, `missing`, `out of order`, `checkpoint does not match`, `truncated`, `bad signature`, "
        "`kept out of the chain` or `personal detail does not match its commitment`."
    )
    position: int
    sequence: int | None = Field(description="Of the entry there; null where it is gone.")
    after_sequence: int | None = Field(
        description="Of the last entry that is known to be right; null where that is none."
    )

    @classmethod
    def of(cls, problem: Problem) -> Self:
        return cls(
            what=problem.what,
            position=problem.position,
            sequence=problem.sequence,
            after_sequence=problem.after_sequence,
        )


class VerificationResponse(ResponseSchema):
    """What was verified, and what is wrong first, if anything is."""

    model_config = examples(
        {
            "from_position": 1,
            "to_position": 4096,
            "entries": 4096,
            "checkpoints": 3,
            "unsigned_checkpoints": 0,
            "destroyed": 12,
            "unsealed": 2,
            "next_position": None,
            "problem": None,
        }
    )

    from_position: int
    to_position: int = Field(description="The last position at which all is right; 0 where there is none.")
    entries: int
    checkpoints: int = Field(description="How many checkpoints the entries were held against.")
    unsigned_checkpoints: int = Field(description="Of those, how many whose signature could not be checked.")
    destroyed: int = Field(description="Personal details that are gone, as they may be.")
    unsealed: int | None = Field(description="Entries of the last minute or so, which cannot be verified yet.")
    next_position: int | None = Field(description="Where to go on; null at the end.")
    problem: ProblemFound | None

    @classmethod
    def of(cls, report: Report) -> Self:
        return cls(
            from_position=report.from_position,
            to_position=report.to_position,
            entries=report.entries,
            checkpoints=report.checkpoints,
            unsigned_checkpoints=report.unsigned_checkpoints,
            destroyed=report.destroyed,
            unsealed=report.unsealed,
            next_position=report.next_position,
            problem=ProblemFound.of(report.problem) if report.problem is not None else None,
        )
