"""Invitations, addresses that operators set, and messages that they have tried again.

Revision: 7c0d9b1f4e2a, after 5b7b4cb0d3bc. Made on 2026-11-23 14:50:00.000000+00:00.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "7c0d9b1f4e2a"
down_revision = "5b7b4cb0d3bc"
branch_labels = None
depends_on = None

_BEFORE = "'verify_email', 'reset_password', 'confirm_email_change', 'revert_email_change'"


def upgrade() -> None:
    """Allow tokens that accept an invitation and moves without a session, and note when a message was tried again."""
    op.drop_constraint(op.f("ck_one_time_tokens_purpose"), "one_time_tokens")
    op.create_check_constraint(
        op.f("ck_one_time_tokens_purpose"), "one_time_tokens", f"purpose IN ({_BEFORE}, 'accept_invitation')"
    )
    op.alter_column("email_changes", "session_id", nullable=True)
    op.add_column("messages", sa.Column("retried_at", postgresql.TIMESTAMP(timezone=True), nullable=True))


def downgrade() -> None:
    """Undo it; invitations that are not accepted yet are void."""
    op.drop_column("messages", "retried_at")
    op.execute("DELETE FROM email_changes WHERE session_id IS NULL")
    op.alter_column("email_changes", "session_id", nullable=False)
    op.execute("DELETE FROM one_time_tokens WHERE purpose = 'accept_invitation'")
    op.drop_constraint(op.f("ck_one_time_tokens_purpose"), "one_time_tokens")
    op.create_check_constraint(op.f("ck_one_time_tokens_purpose"), "one_time_tokens", f"purpose IN ({_BEFORE})")
