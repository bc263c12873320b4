"""The proof of the audit log in PostgreSQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ARRAY, BigInteger, LargeBinary, bindparam, column, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Row

from adapters.postgres.audit import entry_from
from adapters.postgres.audit_queries import ENTRIES, PROOFS, ROW
from adapters.postgres.models import AuditCheckpointModel, AuditEntryModel, AuditProofModel
from adapters.postgres.statements import Statements
from domain.audit.audit_entry import AuditEntry
from domain.audit.chain import Link, SealedEntry
from domain.audit.checkpoint import Checkpoint, CheckpointClaims
from domain.ids import KeyId

_CHECKPOINTS = AuditCheckpointModel.__table__.c

_given = (
    func.unnest(
        bindparam("sequences", type_=ARRAY(BigInteger)),
        bindparam("positions", type_=ARRAY(BigInteger)),
        bindparam("hashes", type_=ARRAY(LargeBinary)),
    )
    .table_valued(column("sequence", BigInteger), column("position", BigInteger), column("chain_hash", LargeBinary))
    .render_derived(name="given")
)
# A place once given is not given anew, whatever went wrong before.
_ADD = (
    update(AuditProofModel)
    .where(PROOFS.sequence == _given.c.sequence, PROOFS.position.is_(None))
    .values(position=_given.c.position, chain_hash=_given.c.chain_hash)
)


class PostgresAuditChain:
    """`AuditChain` on the statements of a block."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def lock(self) -> Link | None:
        await self._statements.lock(text("SELECT pg_advisory_xact_lock(hashtext('hallporter.seal_audit_entries'))"))
        last = select(PROOFS.position, PROOFS.sequence, PROOFS.chain_hash).where(PROOFS.position.is_not(None))
        return await self._statements.find(last.order_by(PROOFS.position.desc()).limit(1), _link)

    async def unsealed(self, *, limit: int) -> Sequence[AuditEntry]:
        query = (
            select(*ROW)
            .join_from(AuditProofModel, AuditEntryModel, ENTRIES.sequence == PROOFS.sequence)
            .where(PROOFS.position.is_(None))
        )
        return [entry_from(row) for row in await self._statements.rows(query.order_by(PROOFS.sequence).limit(limit))]

    async def add(self, sealed: Sequence[SealedEntry]) -> None:
        await self._statements.write(
            _ADD,
            {
                "sequences": [one.entry.sequence for one in sealed],
                "positions": [one.position for one in sealed],
                "hashes": [one.chain_hash for one in sealed],
            },
        )

    async def sealed(self, *, after: int, limit: int) -> Sequence[SealedEntry | Link]:
        query = (
            select(*ROW, PROOFS.sequence.label("proof_sequence"), PROOFS.position, PROOFS.chain_hash)
            .join_from(AuditProofModel, AuditEntryModel, ENTRIES.sequence == PROOFS.sequence, isouter=True)
            .where(PROOFS.position > after)
            .order_by(PROOFS.position)
            .limit(limit)
        )
        return [
            SealedEntry(entry=entry_from(row), position=row.position, chain_hash=row.chain_hash or b"")
            if row.id is not None
            else Link(position=row.position, sequence=row.proof_sequence, chain_hash=row.chain_hash or b"")
            for row in await self._statements.rows(query)
        ]

    async def count_unsealed(self) -> int:
        query = select(func.count().label("unsealed")).select_from(AuditProofModel).where(PROOFS.position.is_(None))
        row = await self._statements.row(query)
        return int(row.unsealed) if row is not None else 0

    async def kept_out(self, *, after: int | None, up_to: int | None) -> int | None:
        query = (
            select(ENTRIES.sequence)
            .join_from(AuditEntryModel, AuditProofModel, ENTRIES.sequence == PROOFS.sequence, isouter=True)
            # Both rows are written together, and places begin with 1.
            .where(or_(PROOFS.sequence.is_(None), PROOFS.position < 1))
            .order_by(ENTRIES.sequence)
            .limit(1)
        )
        if after is not None:
            query = query.where(ENTRIES.sequence > after)
        if up_to is not None:
            query = query.where(ENTRIES.sequence <= up_to)
        row = await self._statements.row(query)
        return int(row.sequence) if row is not None else None

    async def add_checkpoint(self, checkpoint: Checkpoint) -> None:
        claims = checkpoint.claims
        statement = insert(AuditCheckpointModel).values(
            position=claims.position,
            sequence=claims.sequence,
            chain_hash=bytes.fromhex(claims.chain_hash),
            made_at=claims.made_at,
            key_id=checkpoint.key_id,
            statement=checkpoint.statement,
            issuer=claims.issuer,
        )
        await self._statements.write(statement.on_conflict_do_nothing(index_elements=["position"]))

    async def checkpoints(self, *, before: int | None = None, limit: int | None = None) -> Sequence[Checkpoint]:
        query = select(AuditCheckpointModel.__table__).order_by(_CHECKPOINTS.position.desc()).limit(limit)
        if before is not None:
            query = query.where(_CHECKPOINTS.position < before)
        return [_checkpoint(row) for row in await self._statements.rows(query)]


def _link(row: Row[*tuple[Any, ...]]) -> Link:
    return Link(position=row.position, sequence=row.sequence, chain_hash=row.chain_hash or b"")


def _checkpoint(row: Row[*tuple[Any, ...]]) -> Checkpoint:
    claims = CheckpointClaims(
        issuer=row.issuer,
        position=row.position,
        sequence=row.sequence,
        chain_hash=row.chain_hash.hex(),
        made_at=row.made_at,
        entries=row.position,
    )
    return Checkpoint(claims=claims, key_id=KeyId(row.key_id), statement=row.statement)
