"""Migrations of a release that is still to come, made up for a test."""

import shutil
from pathlib import Path
from textwrap import indent

from adapters.postgres import schema

_SCRIPT = '''"""{title}."""

import sqlalchemy as sa
from alembic import op

from adapters.postgres import indexes

revision = "{revision}"
down_revision = "{down_revision}"
branch_labels = None
depends_on = None
{marks}

def upgrade() -> None:
    """Do it."""
{upgrade}


def downgrade() -> None:
    """Undo it."""
'''
INDEX = """\
with indexes.built_beside(op, ["ix_users_locale"]):
    op.create_index("ix_users_locale", "users", ["locale"], postgresql_concurrently=True, if_not_exists=True)"""
"""A migration that builds an index while others write."""


class Release:
    """A folder with the migrations that there are, and those that a test adds."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(shutil.copytree(schema.migrations_folder(), folder / "alembic"))
        self._number = 0

    def add(self, upgrade: str, *, title: str = "Made up", marks: str = "") -> str:
        """One more, on top of the others; its revision."""
        _, head = schema.own_revisions(self.folder)
        self._number += 1
        revision = f"made_up_{self._number}"
        script = _SCRIPT.format(
            title=title, revision=revision, down_revision=head, marks=marks, upgrade=indent(upgrade, "    ")
        )
        (self.folder / "versions" / f"{revision}.py").write_text(script)
        return revision
