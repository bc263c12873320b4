"""Running PostgreSQL for root, which it refuses by itself."""

import os
import pwd
import subprocess
import sys
from pathlib import Path
from typing import Any

_INSIDE = 1000
# A program of its own, and nothing that is done between fork and exec: what libraries do there may start threads, and
# whoever has those cannot enter a namespace (unshare(2)).
_ENTER = f"""\
import os, sys
os.unshare(os.CLONE_NEWUSER)
for name, content in (("setgroups", "deny"), ("uid_map", "{_INSIDE} 0 1"), ("gid_map", "{_INSIDE} 0 1")):
    with open("/proc/self/" + name, "w") as file:
        file.write(content)
os.execvp(sys.argv[1], sys.argv[1:])
"""


class NotPermitted(Exception):
    """The system leaves no way. The message says what to do."""


class AsMyself:
    """The ordinary case: the server runs as whoever we are."""

    def command(self, *command: str) -> list[str]:
        """How to start one of its programs."""
        return [*command]

    def popen_arguments(self) -> dict[str, Any]:
        """What to start it with."""
        return {}

    def own(self, path: Path) -> None:
        """Let the server have `path`. What we make is ours already."""

    @property
    def uid(self) -> int:
        """Whose files the server's are."""
        return os.geteuid()

    def prepare(self, home: Path, package: Path, *, home_is_new: bool) -> None:
        """Let the server reach its data. Raises NotPermitted where it could not, or not its programs."""


class InUserNamespace(AsMyself):
    """Root outside and somebody else inside: no file changes hands, no permission is widened."""

    def command(self, *command: str) -> list[str]:
        return [sys.executable, "-I", "-S", "-c", _ENTER, *command]

    def works(self) -> bool:
        """Whether the system lets us; containers often do not."""
        try:
            subprocess.run(self.command("true"), check=True, stderr=subprocess.DEVNULL)
        except (OSError, subprocess.SubprocessError):
            return False
        return True


class AsNobody(AsMyself):
    """Root hands the data over to the account `nobody`. Whatever else runs as nobody could enter as well."""

    def __init__(self) -> None:
        account = pwd.getpwnam("nobody")
        self._uid, self._gid = account.pw_uid, account.pw_gid

    def popen_arguments(self) -> dict[str, Any]:
        return {"user": self._uid, "group": self._gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        os.chown(path, self._uid, self._gid, follow_symlinks=False)

    @property
    def uid(self) -> int:
        return self._uid

    def prepare(self, home: Path, package: Path, *, home_is_new: bool) -> None:
        if home_is_new:
            home.chmod(0o711)
        for folder in (home, *home.parents, package, *package.parents):
            if not folder.stat().st_mode & 0o001:
                message = (
                    f"PostgreSQL does not run as root, and the user nobody cannot enter {folder}. "
                    "Run as another user, or set DATABASE_URL to a server that is running."
                )
                raise NotPermitted(message)


def way_around_root() -> AsMyself:
    """How to start the server's programs, given who we are."""
    if os.geteuid() != 0:
        return AsMyself()
    if sys.platform == "linux" and (namespace := InUserNamespace()).works():
        return namespace
    return AsNobody()
