"""Names of devices, beside what they say about themselves.

Revision: 84606be7818c, after 947868dd93f5. Made on 2026-11-23 07:31:22.715266+00:00.
"""

import sqlalchemy as sa
from alembic import op

revision = "84606be7818c"
down_revision = "947868dd93f5"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column. The release before leaves it empty."""
    op.add_column("sessions", sa.Column("device_name", sa.Text(), nullable=True))
    op.create_check_constraint(op.f("ck_sessions_device_name_length"), "sessions", "char_length(device_name) <= 100")


def downgrade() -> None:
    """Drop it."""
    op.drop_column("sessions", "device_name")
