"""Idempotent requests.

Revision: f9bdbacd89eb, after b71934814908. Made on 2026-11-23 11:37:58.617777+00:00.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "f9bdbacd89eb"
down_revision = "b71934814908"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table of requests with an idempotency key."""
    op.create_table(
        "idempotent_requests",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("claimed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("sealed_request", sa.Text(), nullable=False),
        sa.Column("acted_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("sealed_answer", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "char_length(sealed_answer) <= 200000", name=op.f("ck_idempotent_requests_sealed_answer_length")
        ),
        sa.CheckConstraint(
            "char_length(sealed_request) <= 200000", name=op.f("ck_idempotent_requests_sealed_request_length")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_idempotent_requests_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_idempotent_requests")),
    )
    op.create_index(op.f("ix_idempotent_requests_expires_at"), "idempotent_requests", ["expires_at"], unique=False)
    op.create_index(op.f("ix_idempotent_requests_user_id"), "idempotent_requests", ["user_id"], unique=False)


def downgrade() -> None:
    """Undo it."""
    op.drop_index(op.f("ix_idempotent_requests_user_id"), table_name="idempotent_requests")
    op.drop_index(op.f("ix_idempotent_requests_expires_at"), table_name="idempotent_requests")
    op.drop_table("idempotent_requests")
