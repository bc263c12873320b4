"""What refresh rotation keeps: which generation is the youngest, and what was answered to its predecessor.

Revision: 9f0156fed066, after 148ac9f1e6aa. Made on 2026-11-23 06:52:31.932250+00:00.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "9f0156fed066"
down_revision = "148ac9f1e6aa"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns. The release before leaves them alone: each is optional or has a default."""
    op.add_column("refresh_tokens", sa.Column("rotated_at", postgresql.TIMESTAMP(timezone=True), nullable=True))
    op.add_column("refresh_tokens", sa.Column("sealed_answer", sa.Text(), nullable=True))
    op.add_column("sessions", sa.Column("generation", sa.Integer(), server_default="1", nullable=False))


def downgrade() -> None:
    """Drop them. Refresh tokens stay good; what was answered a moment ago is forgotten."""
    op.drop_column("sessions", "generation")
    op.drop_column("refresh_tokens", "sealed_answer")
    op.drop_column("refresh_tokens", "rotated_at")
