"""Whether the release before works on the schema of this one: `python -m tests.previous_release FOLDER [TEST …]`.

FOLDER has its sources, with an environment in `.venv`. Its own HTTP tests run, on a server of ours whose new databases
all have the schema of this release already, for it is in the template that they are made of. So its tests need know
nothing of all this: to the code that they make a database with, that is the schema of a later release.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url

from adapters.postgres import schema
from adapters.postgres.embedded import embedded_postgres

_TESTS = ("tests/http",)
# What runs on fakes says nothing of a schema.
_CHOSEN = ("-k", "not memory")


@contextmanager
def server_of_this_release(home: Path) -> Iterator[str]:
    """The URL of a server on which every new database has the present schema."""
    with embedded_postgres(home, durable=False) as url:
        template = make_url(url).set(database="template1").render_as_string(hide_password=False)
        asyncio.run(schema.migrate(template))
        yield url


def run_tests(folder: Path, python: Path, url: str, tests: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    """The tests of the sources in `folder`, on that server."""
    # We may be run by tests ourselves.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
    return subprocess.run(
        [python, "-m", "pytest", "-q", *_CHOSEN, *tests],
        check=False,
        cwd=folder,
        env=inherited | {"TEST_DATABASE_URL": url},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def main() -> None:
    """Run them, and end as they do."""
    folder, tests = Path(sys.argv[1]).absolute(), sys.argv[2:] or _TESTS
    with tempfile.TemporaryDirectory() as home, server_of_this_release(Path(home) / "home") as url:
        ran = run_tests(folder, folder / ".venv" / "bin" / "python", url, tests)
    sys.stdout.write(ran.stdout)
    sys.exit(ran.returncode)


if __name__ == "__main__":
    main()
