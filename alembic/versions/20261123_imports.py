"""Imports of users, and the ids that users had in the systems that they come from.

Revision: 5080252ac7b9, after c3e8a15f7d90. Made on 2026-11-23 14:29:50.300985+00:00.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "5080252ac7b9"
down_revision = "c3e8a15f7d90"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables of imports, and a column for ids of former systems."""
    op.create_table(
        "import_claims",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("import_id", "digest", name=op.f("pk_import_claims")),
    )
    op.create_table(
        "import_parts",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("import_id", "number", name=op.f("pk_import_parts")),
    )
    op.create_index(op.f("ix_import_parts_created_at"), "import_parts", ["created_at"], unique=False)
    op.create_table(
        "import_rows",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("field", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("password_format", sa.Text(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("verdict IN ('accepted', 'exists', 'invalid')", name=op.f("ck_import_rows_verdict")),
        sa.CheckConstraint("char_length(field) <= 64", name=op.f("ck_import_rows_field_length")),
        sa.PrimaryKeyConstraint("import_id", "number", name=op.f("pk_import_rows")),
    )
    op.create_index(
        "ix_import_rows_others",
        "import_rows",
        ["import_id", "verdict", "number"],
        unique=False,
        postgresql_where=sa.text("verdict <> 'accepted'"),
    )
    op.create_table(
        "imports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("tally", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_key", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("started_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("finished_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("format IN ('ndjson', 'csv')", name=op.f("ck_imports_format")),
        sa.CheckConstraint("mode IN ('dry_run', 'apply')", name=op.f("ck_imports_mode")),
        sa.CheckConstraint("state IN ('waiting', 'running', 'finished', 'failed')", name=op.f("ck_imports_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports")),
    )
    op.create_index(op.f("ix_imports_updated_at"), "imports", ["updated_at"], unique=False)
    op.add_column("users", sa.Column("source_id", sa.Text(), nullable=True))
    op.create_check_constraint(op.f("ck_users_source_id_length"), "users", "char_length(source_id) <= 255")
    op.create_unique_constraint(op.f("uq_users_source_id"), "users", ["source_id"])


def downgrade() -> None:
    """Drop them, with the reports of every import."""
    op.drop_constraint(op.f("uq_users_source_id"), "users", type_="unique")
    op.drop_constraint(op.f("ck_users_source_id_length"), "users")
    op.drop_column("users", "source_id")
    op.drop_index(op.f("ix_imports_updated_at"), table_name="imports")
    op.drop_table("imports")
    op.drop_index("ix_import_rows_others", table_name="import_rows", postgresql_where=sa.text("verdict <> 'accepted'"))
    op.drop_table("import_rows")
    op.drop_index(op.f("ix_import_parts_created_at"), table_name="import_parts")
    op.drop_table("import_parts")
    op.drop_table("import_claims")
