"""A copy of a database to try things on, made by PostgreSQL's own programs while work on the original goes on."""

import asyncio
import os
import re
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import DBAPIError

from adapters.postgres.errors import NOT_PERMITTED, sqlstate_of
from adapters.postgres.own_server import EmbeddedPostgresError, program
from adapters.postgres.problems import DatabaseProblem
from adapters.postgres.schema import connected

_MAJOR = re.compile(r"\b(\d+)(?:\.\d+|devel|beta\d+|rc\d+)")
# Of libpq's variables, those that say how to prove who one is; the others would lead elsewhere.
_KEPT = ("PGSSL", "PGPASSFILE", "PGGSS", "PGKRB")


@contextmanager
def copied(url: str, *, on: str | None = None) -> Iterator[str]:
    """The URL of a copy of a database, on the same server or on another; dropped at the end.

    Owners and rights are not copied.

    Raises: DatabaseProblem.
    """
    server = make_url(on or url)
    # The name says that it may go.
    copy = server.set(database=f"hallporter_rehearsal_{secrets.token_hex(4)}")
    dump, restore = (_program(name, asyncio.run(_major(url))) for name in ("pg_dump", "pg_restore"))
    try:
        asyncio.run(_say(server, f"CREATE DATABASE {copy.database} TEMPLATE template0"))
        _pass_on([dump, "--format=custom"], make_url(url), [restore, f"--dbname={copy.database}"], copy)
        yield copy.render_as_string(hide_password=False)
    finally:
        # Also where making it was interrupted, and nobody knows how far it got.
        asyncio.run(_say(server, f"DROP DATABASE IF EXISTS {copy.database} WITH (FORCE)"))


def _pass_on(dump: list[str], source: URL, restore: list[str], target: URL) -> None:
    """Let the one write what the other reads: nothing of it gets onto a disk in between."""
    rights = ("--no-owner", "--no-privileges")
    with tempfile.TemporaryFile("w+") as said:
        dumping = subprocess.Popen([*dump, *rights], stdout=subprocess.PIPE, stderr=said, env=environment_for(source))
        assert dumping.stdout is not None  # noqa: S101  (for the type checker)
        try:
            restored = subprocess.run(
                [*restore, *rights, "--exit-on-error"],
                check=False,
                stdin=dumping.stdout,
                stdout=said,
                stderr=said,
                env=environment_for(target),
            )
            dumping.stdout.close()
            dumped = dumping.wait()
        finally:
            dumping.kill()
            dumping.wait()
            dumping.stdout.close()
        said.seek(0)
        if dumped or restored.returncode:
            message = f"The database cannot be copied: {said.read().strip()}"
            raise DatabaseProblem(message)


def environment_for(url: URL) -> dict[str, str]:
    """How libpq's programs find the database; not as arguments, which everybody on the machine can read."""
    hosts = [url.host] if url.host else _listed(url.query.get("host", "localhost"))
    port = str(url.port or _listed(url.query.get("port", "5432"))[0])
    # Several are listed as host:port; a folder, and an address of IPv6, are something else.
    placed = [host.split(":") if host.count(":") == 1 and "/" not in host else [host, port] for host in hosts]
    told = {
        "PGHOST": ",".join(host for host, _ in placed),
        "PGPORT": ",".join(port for _, port in placed),
        "PGDATABASE": url.database,
        "PGUSER": url.username,
        "PGPASSWORD": str(url.password) if url.password is not None else None,
        "PGSSLMODE": next(iter(_listed(url.query.get("ssl", ()))), None),
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG") or name.startswith(_KEPT)}
    return kept | {name: value for name, value in told.items() if value is not None}


def _listed(value: str | tuple[str, ...]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _program(name: str, server: int) -> str:
    """One of PostgreSQL's programs that understands a server of this version: ours if we bring it, or the system's."""
    try:
        brought = program(name, at_least=server)
    except EmbeddedPostgresError:
        brought = None
    if brought is not None:
        return str(brought)
    found = shutil.which(name)
    if found is None or _version_of(Path(found)) < server:
        message = (
            f"A copy takes {name} of PostgreSQL {server} or later, which is not here. Install it (postgresql-client), "
            "or run this where it is."
        )
        raise DatabaseProblem(message)
    return found


def _version_of(binary: Path) -> int:
    told = subprocess.run([binary, "--version"], check=False, capture_output=True, text=True).stdout
    found = _MAJOR.search(told)
    return int(found[1]) if found else 0


async def _major(url: str) -> int:
    async with connected(url) as connection:
        return int((await connection.exec_driver_sql("SHOW server_version_num")).scalar_one()) // 10_000


async def _say(server: URL, statement: str) -> None:
    async with connected(server.render_as_string(hide_password=False)) as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        try:
            await connection.exec_driver_sql(statement)
        except DBAPIError as error:
            if sqlstate_of(error) != NOT_PERMITTED:
                raise
            user = (await connection.exec_driver_sql("SELECT quote_ident(session_user)")).scalar_one()
            message = (
                f"The user {user} may not make a database for the copy. Have an administrator of the server run: ALTER "
                f"ROLE {user} CREATEDB; or name another server: hallporter upgrade --rehearse --on postgresql://…"
            )
            raise DatabaseProblem(message) from error
