"""Imports of users."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from adapters.postgres.models.base import Base, at_most, one_of
from domain.transfer.user_import import MAX_FIELD_LENGTH, ImportMode, ImportState, RowFormat, Verdict


class ImportModel(Base):
    """One row a file of users. Nothing refers to it: a reference would be looked up once for each row of the file."""

    __tablename__ = "imports"
    __table_args__ = (
        one_of("mode", ImportMode),
        one_of("format", RowFormat),
        one_of("state", ImportState),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    mode: Mapped[str]
    format: Mapped[str]
    by: Mapped[UUID | None]
    state: Mapped[str]
    failure: Mapped[str | None]
    rows: Mapped[int] = mapped_column(BigInteger)
    tally: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    fingerprint: Mapped[bytes]
    sealed_key: Mapped[str]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    updated_at: Mapped[datetime] = mapped_column(index=True)


class ImportRowModel(Base):
    """One row a row of a file: what became of it."""

    __tablename__ = "import_rows"
    __table_args__ = (
        one_of("verdict", Verdict),
        at_most("field", MAX_FIELD_LENGTH),
        # Most are accepted, and found without.
        Index(
            "ix_import_rows_others", "import_id", "verdict", "number", postgresql_where=text("verdict <> 'accepted'")
        ),
    )

    import_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    line: Mapped[int] = mapped_column(BigInteger)
    verdict: Mapped[str]
    code: Mapped[str | None]
    field: Mapped[str | None]
    detail: Mapped[str | None]
    password_format: Mapped[str | None]
    user_id: Mapped[UUID | None]


class ImportClaimModel(Base):
    """One row an address, an id, or an id of a former system that a dry run would have taken, as a keyed digest."""

    __tablename__ = "import_claims"

    import_id: Mapped[UUID] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(primary_key=True)


class ImportPartModel(Base):
    """One row a part of a file that was sent to us, sealed, for as long as it takes to read it."""

    __tablename__ = "import_parts"

    import_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    sealed: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(index=True)
