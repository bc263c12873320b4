"""Reasons and ends of suspensions.

Revision: 150215a7edcd, after 4396940d169c. Made on 2026-11-23 13:03:42.972268+00:00.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "150215a7edcd"
down_revision = "4396940d169c"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add why users are suspended and until when, and indexes of operators and of suspensions that end."""
    op.add_column("users", sa.Column("suspended_until", postgresql.TIMESTAMP(timezone=True), nullable=True))
    op.add_column("users", sa.Column("suspension_reason", sa.Text(), nullable=True))
    op.create_check_constraint(
        op.f("ck_users_suspension_reason_length"), "users", "char_length(suspension_reason) <= 500"
    )
    op.create_index("ix_users_admins", "users", ["id"], unique=False, postgresql_where=sa.text("'admin' = ANY (roles)"))
    op.create_index(
        "ix_users_suspended_until",
        "users",
        ["suspended_until"],
        unique=False,
        postgresql_where=sa.text("suspended_until IS NOT NULL"),
    )


def downgrade() -> None:
    """Undo it."""
    op.drop_index(
        "ix_users_suspended_until", table_name="users", postgresql_where=sa.text("suspended_until IS NOT NULL")
    )
    op.drop_index("ix_users_admins", table_name="users", postgresql_where=sa.text("'admin' = ANY (roles)"))
    op.drop_constraint(op.f("ck_users_suspension_reason_length"), "users")
    op.drop_column("users", "suspension_reason")
    op.drop_column("users", "suspended_until")
