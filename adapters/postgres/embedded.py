"""A PostgreSQL of our own, for trying things out and for tests.

Whoever uses the server holds a shared lock on one file for as long. The kernel takes the lock away from a process that
is killed, so the last one to leave can always be told, and stops the server. Starting and stopping are serialised by an
exclusive lock on a second file.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adapters.postgres.own_server import EmbeddedPostgresError, OwnServer


@contextmanager
def embedded_postgres(home: Path, *, durable: bool = True) -> Iterator[str]:
    """The URL of a running server whose data is in `home`; started if need be, stopped when the last user leaves.

    `durable=False` gives the data's safety up for speed; for tests.

    Raises: EmbeddedPostgresError.
    """
    with embedded_server(home, durable=durable) as server:
        yield server.url()


@contextmanager
def embedded_server(home: Path, *, durable: bool = True) -> Iterator[OwnServer]:
    """The same, for whoever has to do with the server itself.

    Raises: EmbeddedPostgresError.
    """
    server = OwnServer(home.expanduser().absolute(), durable=durable)
    with _open_lock_file(server.home / "postgres.users") as users:
        try:
            with _locked(server.home / "postgres.lock"):
                # Only who is alone may conclude from a silent server that it is dead: it may live where its number
                # means nothing to us, as in another container on the same volume.
                alone = _take_alone(users)
                fcntl.flock(users, fcntl.LOCK_SH)
                try:
                    server.ensure_running(may_clean_up=alone)
                except OSError as error:
                    message = f"{server.home} cannot be used ({error}). Mend it, or set HALLPORTER_HOME to another."
                    raise EmbeddedPostgresError(message) from error
            yield server
        finally:
            with _locked(server.home / "postgres.lock"):
                fcntl.flock(users, fcntl.LOCK_UN)
                if _take_alone(users):
                    server.stop()


def _take_alone(users: int) -> bool:
    """Whether nobody else has a place; if so, it is ours alone now."""
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with _open_lock_file(path) as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


@contextmanager
def _open_lock_file(path: Path) -> Iterator[int]:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        message = f"{path} cannot be opened ({error.strerror}). Run as the owner of its folder, or set HALLPORTER_HOME."
        raise EmbeddedPostgresError(message) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)
