"""A real PgBouncer on this machine, for as long as a test needs one."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pytest
from sqlalchemy import make_url

from adapters.postgres.database import wanted_settings
from adapters.postgres.roles import APPLICATION_ROLE
from adapters.postgres.unprivileged import way_around_root

_MISSING = "pgbouncer is not installed: nothing is known of how we get along with it"
_PORT = 6432


@dataclass(frozen=True)
class PgBouncer:
    """One that hands a connection on after each transaction."""

    url: str

    @classmethod
    @contextmanager
    def running(cls, folder: Path, server: str, *, connections: int, is_set_up: bool = True) -> Iterator[Self]:
        """A pooler in this folder with so many connections to the database of an embedded server."""
        # Where Debian puts it is on the path of root alone.
        program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
        if program is None:
            (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(_MISSING)
        url = make_url(server)
        at_first = "; ".join(f"SET {name} = {value}" for name, value in wanted_settings(APPLICATION_ROLE).items())
        where = f"host={url.query['host']} dbname={url.database} user={url.username}"
        options = {
            "listen_port": _PORT,
            "unix_socket_dir": folder,
            "auth_type": "any",
            "pool_mode": "transaction",
            "default_pool_size": connections,
            # Nobody reads what it says after the first lines.
            "log_connections": 0,
            "log_disconnections": 0,
            "log_stats": 0,
        }
        configuration = folder / "pgbouncer.ini"
        configuration.write_text(
            f"[databases]\n{url.database} = {where}"
            + (f" connect_query='{at_first}'" if is_set_up else "")
            + "\n[pgbouncer]\n"
            + "".join(f"{name} = {value}\n" for name, value in options.items())
        )
        # As PostgreSQL, it does not run as root.
        run_as = way_around_root()
        run_as.own(folder)
        with subprocess.Popen(
            run_as.command(program, str(configuration)), stderr=subprocess.PIPE, **run_as.popen_arguments()
        ) as process:
            try:
                assert process.stderr is not None
                said = b""
                while b"process up" not in said:
                    line = process.stderr.readline()
                    assert line, said.decode()
                    said += line
                query = {"host": str(folder), "port": str(_PORT)}
                yield cls(url.set(query=query).render_as_string(hide_password=False))
            finally:
                process.kill()
