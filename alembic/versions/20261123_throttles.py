"""Throttles.

Revision: b71934814908, after 3b6a0f7c21de. Made on 2026-11-23 11:12:59.762075+00:00.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "b71934814908"
down_revision = "3b6a0f7c21de"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table of counters."""
    op.create_table(
        "throttles",
        sa.Column("owner", sa.Text(collation="C"), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("full_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("char_length(name) <= 80", name=op.f("ck_throttles_name_length")),
        sa.CheckConstraint("char_length(owner) <= 64", name=op.f("ck_throttles_owner_length")),
        sa.PrimaryKeyConstraint("owner", "name", name=op.f("pk_throttles")),
    )


def downgrade() -> None:
    """Undo it."""
    op.drop_table("throttles")
