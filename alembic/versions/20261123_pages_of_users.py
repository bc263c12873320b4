"""When users were last seen, and indexes for lists of them.

Revision: 5b7b4cb0d3bc, after 150215a7edcd. Made on 2026-11-23 14:19:40.000000+00:00.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "5b7b4cb0d3bc"
down_revision = "150215a7edcd"
branch_labels = None
depends_on = None

_RARE = {
    "suspended": "suspended_at IS NOT NULL",
    "leaving": "deletion_due_at IS NOT NULL",
    "with_roles": "roles <> '{}'::text[]",
    "unverified": "email_verified_at IS NULL",
}
_ORDERS = {"created_at": ["created_at", "id"], "email": ["email_canonical"]}


def upgrade() -> None:
    """Add the column, order addresses by their bytes, and build the indexes.

    Whoever is there by now counts as seen now: nobody is called long unseen by mistake.
    """
    seen_at = sa.Column(
        "last_seen_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
    )
    op.add_column("users", seen_at)
    op.execute('ALTER TABLE users ALTER COLUMN email_canonical TYPE text COLLATE "C"')
    op.create_index(op.f("ix_users_created_at_id"), "users", ["created_at", "id"])
    op.create_index(op.f("ix_users_last_seen_at_id"), "users", ["last_seen_at", "id"])
    for name, which in _RARE.items():
        for order, keys in _ORDERS.items():
            op.create_index(f"ix_users_{name}_by_{order}", "users", keys, postgresql_where=sa.text(which))


def downgrade() -> None:
    """Undo it."""
    for name in _RARE:
        for order in _ORDERS:
            op.drop_index(f"ix_users_{name}_by_{order}", table_name="users")
    op.drop_index(op.f("ix_users_last_seen_at_id"), table_name="users")
    op.drop_index(op.f("ix_users_created_at_id"), table_name="users")
    op.execute('ALTER TABLE users ALTER COLUMN email_canonical TYPE text COLLATE "default"')
    op.drop_column("users", "last_seen_at")
