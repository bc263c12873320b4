"""Since when a signing key is in its state.

Revision: 947868dd93f5, after 9f0156fed066. Made on 2026-11-23 07:16:29.655696+00:00.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "947868dd93f5"
down_revision = "9f0156fed066"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column. The release before leaves it empty, which is read as the day the key was made."""
    op.add_column("signing_keys", sa.Column("state_since", postgresql.TIMESTAMP(timezone=True), nullable=True))


def downgrade() -> None:
    """Drop the column. Keys stay what they are."""
    op.drop_column("signing_keys", "state_since")
