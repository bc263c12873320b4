"""Resets of second factors that are held.

Revision: 7d20c4be91a3, after 3a9e5d7c20f1. Made on 2026-11-23 17:40:21.310555+00:00.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "7d20c4be91a3"
down_revision = "3a9e5d7c20f1"
branch_labels = None
depends_on = None

_MOMENT = postgresql.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Add the table of second factors that operators are to take away."""
    op.create_table(
        "factor_resets",
        sa.Column("factor_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("requested_at", _MOMENT, nullable=False),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.CheckConstraint("char_length(reason) <= 500", name=op.f("ck_factor_resets_reason_length")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_factor_resets_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("factor_id", name=op.f("pk_factor_resets")),
    )
    op.create_index(op.f("ix_factor_resets_user_id"), "factor_resets", ["user_id"], unique=False)
    op.create_index(op.f("ix_factor_resets_due_at"), "factor_resets", ["due_at"], unique=False)


def downgrade() -> None:
    """Undo it."""
    op.drop_table("factor_resets")
