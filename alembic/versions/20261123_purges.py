"""Indexes by which what is over is found, however much there is.

While they are built nobody writes sessions or messages: seconds for millions. Where that is too long, build them
beforehand, while everything goes on, by the statements below with CONCURRENTLY: what is there is not built anew.

Revision: 2c9f1e60d7a4, after b7c41e08d2a9. Made on 2026-11-23.
"""

from alembic import op

revision = "2c9f1e60d7a4"
down_revision = "b7c41e08d2a9"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Build the indexes."""
    op.execute("CREATE INDEX IF NOT EXISTS ix_sessions_over ON sessions (least(ended_at, expires_at))")
    op.execute(
        "CREATE INDEX IF NOT EXISTS ix_messages_waiting ON messages (updated_at) WHERE state IN ('queued', 'failed')"
    )


def downgrade() -> None:
    """Undo it."""
    op.drop_index("ix_messages_waiting", table_name="messages")
    op.drop_index("ix_sessions_over", table_name="sessions")
