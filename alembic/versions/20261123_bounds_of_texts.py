"""Bounds of the last texts that come from callers (IN-04).

Revision: 4396940d169c, after f9bdbacd89eb. Made on 2026-11-23 11:39:35.845115+00:00.
"""

from alembic import op

revision = "4396940d169c"
down_revision = "f9bdbacd89eb"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bound them as the users' own columns are, whence they come: no row of the release before is longer."""
    op.create_check_constraint(op.f("ck_messages_locale_length"), "messages", "char_length(locale) <= 35")
    op.create_check_constraint(op.f("ck_mailbox_recipient_length"), "mailbox", "char_length(recipient) <= 254")


def downgrade() -> None:
    """Let them be."""
    op.drop_constraint(op.f("ck_mailbox_recipient_length"), "mailbox")
    op.drop_constraint(op.f("ck_messages_locale_length"), "messages")
