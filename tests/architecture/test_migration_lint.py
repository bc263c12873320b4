"""No migration stops others for long, or takes away what the release before uses (fault 29)."""

import pytest
from sqlalchemy import Connection

from adapters.postgres import schema
from tests.made_up import INDEX, Release
from tests.migration_lint import Step, made, objections

# Nothing was released before it: there is no database that is in use and lacks any of these.
BASELINE = "2c9f1e60d7a4"


async def steps_on(url: str) -> list[Step]:
    def make(connection: Connection) -> list[Step]:
        return made(connection, after=BASELINE)

    async with schema.connected(url) as connection:
        return await connection.run_sync(make)


async def test_fault_29_every_migration_since_the_first_release_lets_others_work(blank_database: str) -> None:
    found = {step.revision: [*objections(step)] for step in await steps_on(blank_database)}
    assert {revision: told for revision, told in found.items() if told} == {}


OTHER_INDEX = INDEX.replace("ix_users_locale", "ix_users_tongue")
# What it does, and the rule that refuses it.
UNSAFE = {
    f'op.add_column("users", sa.Column("gloves", sa.Integer()))\n{OTHER_INDEX}': "beside",
    'op.create_index("ix_users_display_name", "users", ["display_name"])': "require-concurrent-index-creation",
    'op.drop_index("ix_users_suspended_until", "users")': "require-concurrent-index-deletion",
    'op.add_column("audit_checkpoints", sa.Column("size", sa.Integer(), nullable=False))': "adding-required-field",
    'op.add_column("users", sa.Column("at", sa.Text(), server_default=sa.text("clock_timestamp()::text")))': (
        "adding-field-with-default"
    ),
    'op.alter_column("users", "version", type_=sa.BigInteger())': "changing-column-type",
    'op.create_check_constraint("ck_users_name", "users", "display_name <> \'x\'")': "constraint-missing-not-valid",
    'op.add_column("users", sa.Column("by", sa.UUID(), sa.ForeignKey("users.id", name="fk_by")))': (
        "adding-foreign-key-constraint"
    ),
    'op.create_unique_constraint("uq_users_name", "users", ["display_name"])': "disallowed-unique-constraint",
    'op.alter_column("users", "email_verified_at", nullable=False)': "adding-not-nullable-field",
    'op.drop_column("users", "locale")': "ban-drop-column",
    'op.alter_column("users", "display_name", new_column_name="called")': "renaming-column",
    'op.rename_table("mailbox", "letters")': "renaming-table",
    'op.drop_table("throttles")': "ban-drop-table",
    'op.execute("UPDATE users SET source_id = NULL")': "rows",
    'op.execute("LOCK TABLE users")': "rows",
}
SAFE = (
    'op.add_column("users", sa.Column("shoe_size", sa.Integer()))',
    'op.add_column("users", sa.Column("hats", sa.Integer(), server_default="0", nullable=False))',
    'op.create_check_constraint(op.f("ck_users_lang"), "users", "locale <> \'x\'", postgresql_not_valid=True)',
    'op.execute("ALTER TABLE users VALIDATE CONSTRAINT ck_users_lang")',
    'op.create_table("hooks", sa.Column("user_id", sa.UUID(), sa.ForeignKey("users.id"), index=True))',
    INDEX,
)


async def test_the_lint_refuses_what_would_stop_or_break_others_and_nothing_else(
    release: Release, blank_database: str
) -> None:
    safe = {release.add(does) for does in SAFE}
    named = {release.add(does): rule for does, rule in UNSAFE.items()}
    told = {step.revision: [*objections(step)] for step in await steps_on(blank_database)}
    assert told.keys() == named.keys() | safe
    assert {revision for revision in safe if told[revision]} == set()
    missed = {
        rule for revision, rule in named.items() if not any(each.startswith(f"{rule}: ") for each in told[revision])
    }
    assert missed == set()


async def test_what_nobody_uses_any_more_goes_one_release_later(release: Release, blank_database: str) -> None:
    release.add('op.drop_column("users", "locale")', marks='contracts_after = "1.9.0"')
    (step,) = await steps_on(blank_database)
    assert [*objections(step, release="1.10.0")] == []
    (told,) = objections(step, release="1.9.0")
    assert "Release 1.9.0 still uses it" in told


@pytest.mark.parametrize(("reason", "refused"), [("three rows", False), ("", True)])
async def test_a_rule_is_waived_for_a_reason(
    release: Release, blank_database: str, reason: str, *, refused: bool
) -> None:
    release.add('op.execute("UPDATE users SET locale = NULL")', marks=f'waived = {{"rows": "{reason}"}}')
    (step,) = await steps_on(blank_database)
    assert bool([*objections(step)]) is refused
