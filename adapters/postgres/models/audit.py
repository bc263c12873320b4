"""The audit log."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from adapters.postgres.models.base import Base

# What any reader can read, and the sealer seal: one row of another shape, which nobody may take away again, would stop
# both for good. Whoever adds a source makes room for it here first.
_READABLE_ENTRY = {
    "outcome": "outcome IN ('success', 'refused')",
    "source": "source IN ('http', 'cli', 'worker')",
    "occurred_at": "occurred_at BETWEEN '0001-01-02 00:00:00+00' AND '9999-12-30 00:00:00+00'",
    "details": (
        "jsonb_typeof(details) = 'object' AND NOT jsonb_path_exists(details, 'strict $.* ? "
        '(@.type() == "object" || @.type() == "number" && @ != @.floor())\') AND NOT jsonb_path_exists(details, '
        '\'strict $.* ? (@.type() == "array")[*] ? (@.type() != "string")\')'
    ),
    "commitments": (
        "jsonb_typeof(commitments) = 'object' AND NOT jsonb_path_exists(commitments, 'strict $.* ? "
        '(@.type() != "string" || !(@ like_regex "^[0-9a-f]{64}$"))\')'
    ),
}
_READABLE_PROOF = {
    "personal": (
        "jsonb_typeof(personal) = 'object' AND NOT jsonb_path_exists(personal, 'strict $.*.value ? "
        "(@.type() != \"string\")') AND NOT jsonb_path_exists(personal, 'strict $.*.salt ? "
        '(@.type() != "string" || !(@ like_regex "^([0-9a-f]{2})+$"))\')'
    ),
}


class AuditEntryModel(Base):
    """One row an event, in the order of writing, never changed. Outlives the user it is about.

    `details` are null in place of what is personal, and `commitments` has a hash of each that was there.
    """

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("ix_audit_entries_user_id_sequence", "user_id", "sequence"),
        Index("ix_audit_entries_actor_id_sequence", "actor_id", "sequence"),
        Index("ix_audit_entries_event_sequence", "event", "sequence"),
        Index("ix_audit_entries_occurred_at_sequence", "occurred_at", "sequence"),
        Index("ix_audit_entries_refused", "sequence", postgresql_where=text("outcome = 'refused'")),
        *(CheckConstraint(rule, name=f"{name}_readable") for name, rule in _READABLE_ENTRY.items()),
    )

    sequence: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    id: Mapped[UUID] = mapped_column(unique=True)
    event: Mapped[str]
    outcome: Mapped[str] = mapped_column(server_default="success")
    source: Mapped[str | None]
    actor_id: Mapped[UUID | None]
    user_id: Mapped[UUID | None]
    occurred_at: Mapped[datetime]
    request_id: Mapped[UUID | None]
    details: Mapped[dict[str, Any]] = mapped_column(JSONB)
    # Null on its way in from the release before, for which a trigger fills it.
    commitments: Mapped[dict[str, Any] | None] = mapped_column(JSONB)

    proof: Mapped["AuditProofModel"] = relationship(back_populates="entry", lazy="raise")


class AuditProofModel(Base):
    """One row an entry: what of it can be destroyed, and its place in the chain once it is sealed."""

    __tablename__ = "audit_proofs"
    __table_args__ = (
        Index("ix_audit_proofs_unsealed", "sequence", postgresql_where=text("position IS NULL")),
        Index("ix_audit_proofs_personal", "sequence", postgresql_where=text("personal IS NOT NULL")),
        *(CheckConstraint(rule, name=f"{name}_readable") for name, rule in _READABLE_PROOF.items()),
    )

    # Deferred, so that the trigger can write this row before the entry's is there.
    sequence: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("audit_entries.sequence", deferrable=True, initially="DEFERRED"), primary_key=True
    )
    personal: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    position: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    chain_hash: Mapped[bytes | None]

    entry: Mapped[AuditEntryModel] = relationship(back_populates="proof", lazy="raise")


class AuditCheckpointModel(Base):
    """One row a checkpoint: what it says, and the statement that says it, signed."""

    __tablename__ = "audit_checkpoints"

    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    sequence: Mapped[int] = mapped_column(BigInteger)
    chain_hash: Mapped[bytes]
    made_at: Mapped[datetime]
    key_id: Mapped[str]
    statement: Mapped[str]
    issuer: Mapped[str]
