"""A real Redis on this machine, for as long as a test needs one."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pytest
from redis import Redis

_MISSING = "redis-server is not installed: nothing is known of how we get along with Redis"


@dataclass(frozen=True)
class RedisServer:
    """One that keeps nothing, at a socket which nobody else looks for."""

    socket: Path
    process: "subprocess.Popen[bytes]"

    @classmethod
    @contextmanager
    def running(cls, folder: Path, *options: str) -> Iterator[Self]:
        """A server in this folder, with options of redis.conf such as `--requirepass`."""
        program = shutil.which("redis-server") or shutil.which("valkey-server")
        if program is None:
            (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(_MISSING)
        socket = folder / "redis.sock"
        command = [program, "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(folder), *options]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            try:
                assert process.stdout is not None
                said = b""
                while b"ready to accept connections" not in said.lower():
                    line = process.stdout.readline()
                    assert line, said.decode()
                    said += line
                yield cls(socket, process)
            finally:
                process.kill()

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def say(self, *command: str) -> Any:
        """Send one command of the operator's, and see the answer."""
        # Without `driver_info` each connection looks for the library's version on the disk.
        with Redis(unix_socket_path=str(self.socket), driver_info=None, decode_responses=True) as client:
            return client.execute_command(*command)
