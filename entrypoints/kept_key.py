"""The development key: made once, and kept."""

import os
import secrets
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from entrypoints.settings_problem import SettingsProblem

MIN_SECRET_KEY_LENGTH = 32


def kept_key(path: Path) -> bytes:
    """The key in this file. The first process to ask writes it, whole and readable for its owner alone."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _write_new_key(path)
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        with open(descriptor, "rb") as file:  # noqa: PTH123  (of a descriptor: what is judged is what is read)
            found = os.fstat(descriptor)
            key = file.read().strip()
    except OSError as error:
        problem = f"SECRET_KEY is not set, and none can be kept in {path} ({error.strerror}). Set HALLPORTER_HOME"
        raise SettingsProblem([problem]) from error
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        problem = f"{path} could be read or written by others. Make it yours alone: chmod 600, and chown to this user"
        raise SettingsProblem([problem])
    if len(key) < MIN_SECRET_KEY_LENGTH:
        problem = f"{path} does not hold a key. Restore it, or remove it: what it protected is lost then"
        raise SettingsProblem([problem])
    return key


def _write_new_key(path: Path) -> None:
    # Made aside, complete and on disk, before it gets its name: nobody ever reads half a key.
    descriptor, aside = tempfile.mkstemp(dir=path.parent, prefix="secret-key.")
    with open(descriptor, "w") as file:  # noqa: PTH123  (mkstemp gives a descriptor)
        file.write(secrets.token_urlsafe(48) + "\n")
        file.flush()
        os.fsync(descriptor)
    with suppress(FileExistsError):  # another process was faster; its key is as good
        path.hardlink_to(aside)
    Path(aside).unlink()
