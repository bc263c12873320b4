"""Looking at what migrations do, for what would stop the requests of others or break the release before.

What is read is what they really send to a database. Squawk knows what PostgreSQL locks for it, and for how long; how
our migrations are run (alembic/env.py) is known here.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

from alembic.script import ScriptDirectory
from sqlalchemy import Connection, event

from adapters.postgres import schema

_SQUAWK = Path(sys.executable).with_name("squawk")
_NOT_ASKED = (
    # alembic/env.py sees to them, and tests/integration/test_upgrade.py to that.
    "require-lock-timeout",
    "require-statement-timeout",
    # Of taste, and of taste that is not ours.
    *("prefer-bigint-over-int", "prefer-bigint-over-smallint", "prefer-identity", "prefer-text-field"),
    # Each migration is a transaction of its own.
    "prefer-robust-stmts",
)
_ASKED_TOO = "adding-not-nullable-field"
# What code of the release before may still use: it goes one release after the last that did.
_CONTRACTS = re.compile(r"ban-drop-|renaming-|ban-char-field")
# Squawk leaves these alone. Rows stay locked until the migration ends, and requests wait for no row that long.
_OF_ROWS = re.compile(r"(UPDATE|DELETE|INSERT|TRUNCATE|LOCK|CLUSTER|VACUUM)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Step:
    """A migration, and the statements that it sent."""

    revision: str
    script: ModuleType
    statements: list[str] = field(default_factory=list)

    @property
    def waived(self) -> dict[str, str]:
        """Rules that do not apply to it, each with the reason."""
        return dict(getattr(self.script, "waived", {}))

    @property
    def contracts_after(self) -> str | None:
        """The last release whose code used what it takes away."""
        return getattr(self.script, "contracts_after", None)


def made(connection: Connection, *, after: str) -> list[Step]:
    """Make every migration on an empty database; those after a revision, as they were made."""
    scripts = ScriptDirectory(str(schema.migrations_folder()))
    schema.run_migrations(connection, after)
    steps = []
    for script in reversed([*scripts.iterate_revisions("heads", after)]):
        step = Step(revision=script.revision, script=script.module)

        def note(_1: object, _2: object, statement: str, *_: Any, step: Step = step) -> None:
            if not statement.lstrip().startswith("SELECT") and schema.VERSION_TABLE not in statement:
                step.statements.append(statement)

        connection.rollback()
        event.listen(connection, "before_cursor_execute", note)
        schema.run_migrations(connection, script.revision)
        event.remove(connection, "before_cursor_execute", note)
        steps.append(step)
    return steps


def objections(step: Step, *, release: str | None = None) -> Iterator[str]:
    """What is wrong with a migration that is to be in `release`, or in the present one."""
    present = release or metadata.version("hallporter")
    for rule, told in _told(step):
        if _CONTRACTS.match(rule):
            if step.contracts_after is None:
                yield f"{rule}: {told} Say contracts_after, the last release that used it."
            elif not _number(step.contracts_after) < _number(present):
                yield f"{rule}: {told} Release {step.contracts_after} still uses it, and is not the one before."
        elif not step.waived.get(rule):
            yield f"{rule}: {told}"


def _told(step: Step) -> Iterator[tuple[str, str]]:
    asked = [
        *("--assume-in-transaction", f"--pg-version={schema.OLDEST_SERVER}", "--reporter=json"),
        *(f"--exclude={rule}" for rule in _NOT_ASKED),
        f"--include={_ASKED_TOO}",
        f"--stdin-filepath={step.revision}.sql",
    ]
    sql = ";\n".join(statement.strip().rstrip(";") for statement in step.statements)
    ran = subprocess.run([_SQUAWK, *asked], check=False, input=f"{sql};\n", capture_output=True, text=True)
    assert ran.returncode in {0, 1}, ran.stderr
    for violation in json.loads(ran.stdout or "[]"):
        yield violation["rule_name"], violation["message"]
    beside = ["CONCURRENTLY" in statement for statement in step.statements]
    if any(beside) and not all(beside):
        yield "beside", "What is built concurrently is no part of the transaction: make it a migration of its own."
    for statement in step.statements:
        if _OF_ROWS.match(statement.lstrip()):
            yield (
                "rows",
                f"{statement.split('\n')[0][:60]} …: rows stay locked until it ends. Leave them to the worker.",
            )


def _number(release: str) -> tuple[int, ...]:
    return tuple(map(int, release.split(".")))
