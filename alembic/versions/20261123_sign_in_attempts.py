"""Refused sign-ins.

Revision: 8d2f6c91b7e4, after 7c0d9b1f4e2a. Made on 2026-11-23 14:20:11.318402+00:00.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "8d2f6c91b7e4"
down_revision = "7c0d9b1f4e2a"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table of why sign-ins were refused."""
    op.create_table(
        "sign_in_attempts",
        sa.Column("reference", sa.Text(collation="C"), nullable=False),
        sa.Column("occurred_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("request_id", sa.Uuid(), nullable=True),
        sa.Column("network_address", sa.Text(), nullable=True),
        sa.Column("steps", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint("char_length(reference) <= 14", name=op.f("ck_sign_in_attempts_reference_length")),
        sa.CheckConstraint(
            "char_length(network_address) <= 45", name=op.f("ck_sign_in_attempts_network_address_length")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_sign_in_attempts_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("reference", name=op.f("pk_sign_in_attempts")),
    )
    op.create_index(op.f("ix_sign_in_attempts_occurred_at"), "sign_in_attempts", ["occurred_at"], unique=False)
    op.create_index(op.f("ix_sign_in_attempts_user_id"), "sign_in_attempts", ["user_id"], unique=False)


def downgrade() -> None:
    """Undo it."""
    op.drop_index(op.f("ix_sign_in_attempts_user_id"), table_name="sign_in_attempts")
    op.drop_index(op.f("ix_sign_in_attempts_occurred_at"), table_name="sign_in_attempts")
    op.drop_table("sign_in_attempts")
