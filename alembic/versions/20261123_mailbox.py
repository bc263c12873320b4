"""One-time tokens, changes of address, messages, and users who are about to be deleted.

Revision: 573679c77998, after 84606be7818c. Made on 2026-11-23 08:20:26.139893+00:00.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "573679c77998"
down_revision = "84606be7818c"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables of what passes through a mailbox, and when a user's deletion is due."""
    op.create_table(
        "email_changes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("security_epoch", sa.Integer(), nullable=False),
        sa.Column("old_email", sa.Text(), nullable=False),
        sa.Column("old_email_canonical", sa.Text(), nullable=False),
        sa.Column("old_is_verified", sa.Boolean(), nullable=False),
        sa.Column("new_email", sa.Text(), nullable=False),
        sa.Column("new_email_canonical", sa.Text(), nullable=False),
        sa.Column("requested_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("char_length(new_email) <= 254", name=op.f("ck_email_changes_new_email_length")),
        sa.CheckConstraint(
            "char_length(new_email_canonical) <= 254", name=op.f("ck_email_changes_new_email_canonical_length")
        ),
        sa.CheckConstraint("char_length(old_email) <= 254", name=op.f("ck_email_changes_old_email_length")),
        sa.CheckConstraint(
            "char_length(old_email_canonical) <= 254", name=op.f("ck_email_changes_old_email_canonical_length")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_email_changes_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_email_changes")),
    )
    op.create_index(op.f("ix_email_changes_requested_at"), "email_changes", ["requested_at"], unique=False)
    op.create_index(op.f("ix_email_changes_user_id"), "email_changes", ["user_id"], unique=False)
    op.create_table(
        "messages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("recipient_canonical", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=True),
        sa.Column("sealed_content", sa.Text(), nullable=True),
        sa.Column("good_until", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('queued', 'sent', 'failed', 'dead')", name=op.f("ck_messages_state")),
        sa.CheckConstraint("char_length(last_error) <= 200", name=op.f("ck_messages_last_error_length")),
        sa.CheckConstraint("char_length(recipient) <= 254", name=op.f("ck_messages_recipient_length")),
        sa.CheckConstraint(
            "char_length(recipient_canonical) <= 254", name=op.f("ck_messages_recipient_canonical_length")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_messages_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sa.UniqueConstraint("event_id", "kind", name=op.f("uq_messages_event_id_kind")),
    )
    op.create_index("ix_messages_state_id", "messages", ["state", "id"], unique=False)
    op.create_index(
        "ix_messages_recipient_canonical_kind_created_at",
        "messages",
        ["recipient_canonical", "kind", "created_at"],
        unique=False,
    )
    op.create_index(op.f("ix_messages_updated_at"), "messages", ["updated_at"], unique=False)
    op.create_index(op.f("ix_messages_user_id"), "messages", ["user_id"], unique=False)
    op.create_table(
        "mailbox",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("received_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_mailbox_message_id_messages"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_mailbox")),
    )
    op.create_table(
        "one_time_tokens",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("security_epoch", sa.Integer(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("issued_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("spent_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("code_hash", sa.Text(), nullable=True),
        sa.Column("code_expires_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("code_attempts_left", sa.Integer(), nullable=True),
        sa.Column("email_change_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("char_length(address) <= 254", name=op.f("ck_one_time_tokens_address_length")),
        sa.CheckConstraint(
            "purpose IN ('verify_email', 'reset_password', 'confirm_email_change', 'revert_email_change')",
            name=op.f("ck_one_time_tokens_purpose"),
        ),
        sa.CheckConstraint(
            "(code_hash IS NULL) = (code_expires_at IS NULL) AND (code_hash IS NULL) = (code_attempts_left IS NULL)",
            name=op.f("ck_one_time_tokens_code_whole"),
        ),
        sa.CheckConstraint("code_attempts_left >= 0", name=op.f("ck_one_time_tokens_code_attempts")),
        sa.ForeignKeyConstraint(
            ["email_change_id"],
            ["email_changes.id"],
            name=op.f("fk_one_time_tokens_email_change_id_email_changes"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_one_time_tokens_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_one_time_tokens")),
        sa.UniqueConstraint("digest", name=op.f("uq_one_time_tokens_digest")),
    )
    op.create_index(op.f("ix_one_time_tokens_email_change_id"), "one_time_tokens", ["email_change_id"], unique=False)
    op.create_index(op.f("ix_one_time_tokens_expires_at"), "one_time_tokens", ["expires_at"], unique=False)
    op.create_index("ix_one_time_tokens_user_id_purpose", "one_time_tokens", ["user_id", "purpose"], unique=False)
    op.create_index(
        "uq_one_time_tokens_unspent",
        "one_time_tokens",
        ["user_id", "purpose"],
        unique=True,
        postgresql_where=sa.text("spent_at IS NULL AND purpose <> 'revert_email_change'"),
    )
    op.add_column("users", sa.Column("deletion_due_at", postgresql.TIMESTAMP(timezone=True), nullable=True))
    op.create_index(
        "ix_users_deletion_due_at",
        "users",
        ["deletion_due_at"],
        unique=False,
        postgresql_where=sa.text("deletion_due_at IS NOT NULL"),
    )


def downgrade() -> None:
    """Drop them, with every message that is not sent yet; who is about to be deleted stays."""
    op.drop_index(
        "ix_users_deletion_due_at", table_name="users", postgresql_where=sa.text("deletion_due_at IS NOT NULL")
    )
    op.drop_column("users", "deletion_due_at")
    op.drop_index(
        "uq_one_time_tokens_unspent",
        table_name="one_time_tokens",
        postgresql_where=sa.text("spent_at IS NULL AND purpose <> 'revert_email_change'"),
    )
    op.drop_index("ix_one_time_tokens_user_id_purpose", table_name="one_time_tokens")
    op.drop_index(op.f("ix_one_time_tokens_expires_at"), table_name="one_time_tokens")
    op.drop_index(op.f("ix_one_time_tokens_email_change_id"), table_name="one_time_tokens")
    op.drop_table("one_time_tokens")
    op.drop_table("mailbox")
    op.drop_index(op.f("ix_messages_user_id"), table_name="messages")
    op.drop_index(op.f("ix_messages_updated_at"), table_name="messages")
    op.drop_index("ix_messages_recipient_canonical_kind_created_at", table_name="messages")
    op.drop_index("ix_messages_state_id", table_name="messages")
    op.drop_table("messages")
    op.drop_index(op.f("ix_email_changes_user_id"), table_name="email_changes")
    op.drop_index(op.f("ix_email_changes_requested_at"), table_name="email_changes")
    op.drop_table("email_changes")
