"""The server of our own: killed, shared, moved, and run by root."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from adapters.postgres import schema
from adapters.postgres.embedded import embedded_postgres
from adapters.postgres.own_server import EmbeddedPostgresError
from adapters.postgres.unprivileged import AsNobody, InUserNamespace, NotPermitted, way_around_root

HOLD = """
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from adapters.postgres.embedded import embedded_postgres
with embedded_postgres(Path(sys.argv[1]), durable=False) as url:
    print(url, flush=True)
    sys.stdin.read()
"""


def hold(home: Path) -> "subprocess.Popen[str]":
    """Another process that uses the server until its standard input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("postgresql+asyncpg://")
    return process


def leave(process: "subprocess.Popen[str]") -> None:
    process.communicate(timeout=30)
    assert process.returncode == 0


def is_running(home: Path) -> bool:
    return (home / "postgres" / "postmaster.pid").exists()


async def test_it_is_a_real_postgresql_that_keeps_its_data(tmp_path: Path) -> None:
    with embedded_postgres(tmp_path, durable=False) as url:
        assert await schema.migrate(url) != []
    assert not is_running(tmp_path)
    with embedded_postgres(tmp_path, durable=False) as url:
        assert await schema.migrate(url) == []


def test_it_runs_until_the_last_of_several_processes_leaves(home: Path) -> None:
    first, second = hold(home), hold(home)
    leave(first)
    assert is_running(home)
    leave(second)
    assert not is_running(home)


async def test_a_user_that_is_killed_does_not_keep_it_running_for_ever(home: Path) -> None:
    killed = hold(home)
    killed.kill()
    killed.communicate()
    assert is_running(home)
    with embedded_postgres(home, durable=False) as url:
        await schema.migrate(url)
    assert not is_running(home)


async def test_a_server_that_is_killed_starts_again_with_its_data(home: Path) -> None:
    with embedded_postgres(home) as url:
        await schema.migrate(url)
        pid = int((home / "postgres" / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, signal.SIGKILL)
    with embedded_postgres(home, durable=False) as url:
        assert await schema.migrate(url) == []


async def test_a_pid_file_whose_number_is_another_programs_by_now_is_no_obstacle(home: Path) -> None:
    with embedded_postgres(home, durable=False):
        pass
    (home / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\n{home}/postgres\n")
    with embedded_postgres(home, durable=False) as url:
        await schema.migrate(url)


def test_an_interrupted_first_start_leaves_nothing_that_looks_finished(tmp_path: Path) -> None:
    (tmp_path / "postgres.new").mkdir()
    (tmp_path / "postgres.new" / "PG_VERSION").write_text("18\n")
    with embedded_postgres(tmp_path, durable=False):
        assert is_running(tmp_path)


async def test_a_path_too_long_for_a_socket_is_no_obstacle(tmp_path: Path) -> None:
    with embedded_postgres(tmp_path / ("x" * 120), durable=False) as url:
        await schema.migrate(url)


async def test_a_path_with_odd_characters_is_no_obstacle(tmp_path: Path) -> None:
    with embedded_postgres(tmp_path / "a b%c'é,$(exit 1)\"`", durable=False) as url:
        await schema.migrate(url)


def test_nobody_else_can_enter(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with embedded_postgres(home, durable=False):
        assert home.stat().st_mode & 0o077 == 0
        assert (home / "postgres").stat().st_mode & 0o077 == 0
        assert (home / "postgres.log").stat().st_mode & 0o077 == 0


def test_data_of_a_version_that_is_not_here_is_said_to_be_so(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("12\n")
    with pytest.raises(EmbeddedPostgresError, match="PostgreSQL 12"), embedded_postgres(tmp_path):
        pass


def test_a_home_that_cannot_be_made_is_said_to_be_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddedPostgresError, match="HALLPORTER_HOME"), embedded_postgres(tmp_path / "file" / "home"):
        pass


def test_data_that_is_no_folder_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "postgres").touch()
    with pytest.raises(EmbeddedPostgresError, match="cannot be used"), embedded_postgres(tmp_path):
        pass


def test_a_server_that_does_not_start_says_why(home: Path) -> None:
    with embedded_postgres(home, durable=False):
        pass
    (home / "postgres" / "postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(EmbeddedPostgresError, match="no_such_setting"), embedded_postgres(home):
        pass


@pytest.fixture
def short_path() -> Iterator[Path]:
    """Short enough for a socket, unlike pytest's own."""
    with tempfile.TemporaryDirectory(dir="/tmp") as path:
        yield Path(path)


def test_a_strangers_folder_is_not_listened_in(
    tmp_path: Path, short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(short_path))
    home = tmp_path / ("x" * 120)
    with embedded_postgres(home, durable=False) as url:
        folder = Path(make_url(url).query["host"])  # type: ignore[arg-type]  # one host, so no tuple
    folder.rmdir()

    def refused() -> None:
        with pytest.raises(EmbeddedPostgresError, match="not ours alone"), embedded_postgres(home, durable=False):
            pass

    folder.symlink_to(tmp_path)
    refused()
    folder.unlink()
    folder.mkdir(mode=0o755)
    refused()


def test_whoever_is_not_alone_does_not_clean_up_behind_a_silent_server(home: Path) -> None:
    other = hold(home)
    pid_file = home / "postgres" / "postmaster.pid"
    server = int(pid_file.read_text().splitlines()[0])
    socket = home / "postgres" / ".s.PGSQL.5432"
    socket.rename(home / "hidden")
    try:
        with pytest.raises(EmbeddedPostgresError, match="lock file"), embedded_postgres(home, durable=False):
            pass
        assert int(pid_file.read_text().splitlines()[0]) == server
    finally:
        (home / "hidden").rename(socket)
        leave(other)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to run as somebody else")
class TestRoot:
    """PostgreSQL refuses to run as root."""

    def test_a_user_namespace_is_preferred(self) -> None:
        if not InUserNamespace().works():
            pytest.skip("this system lets nobody make user namespaces")
        assert isinstance(way_around_root(), InUserNamespace)

    async def test_without_one_the_server_runs_as_nobody(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(InUserNamespace, "works", lambda _: False)
        home = Path(f"/var/tmp/hallporter-test-{os.getpid()}")  # noqa: S108  (pytest's own folder is closed to others)
        try:
            with embedded_postgres(home, durable=False) as url:
                await schema.migrate(url)
                assert (home / "postgres").stat().st_uid != 0
        finally:
            shutil.rmtree(home)

    def test_where_nobody_may_not_enter_the_way_out_is_said(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o700)
        (tmp_path / "home").mkdir()
        with pytest.raises(NotPermitted, match="cannot enter"):
            AsNobody().prepare(tmp_path / "home", Path("/usr"), home_is_new=False)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to")
def test_threads_that_libraries_start_in_every_child_stand_in_nobodys_way() -> None:
    namespace = InUserNamespace()
    if not namespace.works():
        pytest.skip("this system lets nobody enter a namespace")
    busy = True

    def start_thread() -> None:
        if busy:
            threading.Thread(target=threading.Event().wait, daemon=True).start()

    os.register_at_fork(after_in_child=start_thread)
    try:
        assert namespace.works()
    finally:
        busy = False
