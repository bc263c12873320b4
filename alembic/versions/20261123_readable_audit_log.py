"""Nothing stands in the audit log that its readers, and what seals it, cannot read.

The role of the service may add entries and change what is personal, and nobody may take an entry away: one of another
shape would keep the log from being listed, exported and sealed for good.

Revision: c3e8a15f7d90, after 5d1c40e9a7b2. Made on 2026-11-23.
"""

from alembic import op

revision = "c3e8a15f7d90"
down_revision = "5d1c40e9a7b2"
branch_labels = None
depends_on = None

_ENTRIES = {
    "outcome": "outcome IN ('success', 'refused')",
    "source": "source IN ('http', 'cli', 'worker')",
    "occurred_at": "occurred_at BETWEEN '0001-01-02 00:00:00+00' AND '9999-12-30 00:00:00+00'",
    "details": (
        "jsonb_typeof(details) = 'object' AND NOT jsonb_path_exists(details, 'strict $.* ? "
        '(@.type() == "object" || @.type() == "number" && @ != @.floor())\') AND NOT jsonb_path_exists(details, '
        '\'strict $.* ? (@.type() == "array")[*] ? (@.type() != "string")\')'
    ),
    "commitments": (
        "jsonb_typeof(commitments) = 'object' AND NOT jsonb_path_exists(commitments, 'strict $.* ? "
        '(@.type() != "string" || !(@ like_regex "^[0-9a-f]{64}$"))\')'
    ),
}
_PROOFS = {
    "personal": (
        "jsonb_typeof(personal) = 'object' AND NOT jsonb_path_exists(personal, 'strict $.*.value ? "
        "(@.type() != \"string\")') AND NOT jsonb_path_exists(personal, 'strict $.*.salt ? "
        '(@.type() != "string" || !(@ like_regex "^([0-9a-f]{2})+$"))\')'
    ),
}
_RULES = [
    *(("audit_entries", name, rule) for name, rule in _ENTRIES.items()),
    *(("audit_proofs", name, rule) for name, rule in _PROOFS.items()),
]


def upgrade() -> None:
    """Add the constraints, then look at what is there: new rows are held to them meanwhile."""
    for table, name, rule in _RULES:
        op.create_check_constraint(op.f(f"ck_{table}_{name}_readable"), table, rule, postgresql_not_valid=True)
    for table, name, _ in _RULES:
        op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT ck_{table}_{name}_readable")


def downgrade() -> None:
    """Undo it."""
    for table, name, _ in _RULES:
        op.drop_constraint(op.f(f"ck_{table}_{name}_readable"), table)
