"""Servers that are measured: started, waited for, and held to account."""

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import psutil

from entrypoints.settings import Settings

TOP = Path(__file__).parents[1]
_START_TIMEOUT = 60.0
_EXIT_TIMEOUT = 30.0
_POLL = 0.01
# What would make each start compile everything anew.
_LEFT_OUT = {"PYTHONDONTWRITEBYTECODE"}


class NoStart(Exception):
    """A server did not start. The message has what it said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One that runs."""

    name: str
    port: int
    process: psutil.Process
    seconds_to_answer: float
    processor_seconds_to_answer: float

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def processor_seconds(self) -> float:
        """Processor time so far, that of its children included, those that have ended among them."""
        return processor_seconds(self.process)

    def resident_bytes(self) -> int:
        """Memory that is its own or shared with others, without its children's."""
        resident: int = self.process.memory_info().rss
        return resident


def processor_seconds(process: psutil.Process) -> float:
    """User and system time of a process and all below it, from the kernel's own account (`/proc/<pid>/stat`)."""
    total = 0.0
    for one in (process, *process.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            times = one.cpu_times()
            total += times.user + times.system
            # Of those that have ended; those that live are asked themselves.
            total += times.children_user + times.children_system
    return total


def clean_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Ours, without settings of whoever runs the benchmark."""
    names = {name.upper() for name in Settings.model_fields} | _LEFT_OUT
    return {name: value for name, value in os.environ.items() if name.upper() not in names} | dict(settings)


def free_port() -> int:
    """One that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def serving(
    name: str, command: Sequence[str], *, port: int, settings: Mapping[str, str], folder: Path, probe: str = "/livez"
) -> Iterator[Server]:
    """A server in a process of its own, once it answers at `probe`; told to stop after the block.

    Raises: NoStart.
    """
    log = folder / f"{name.replace(' ', '-')}-{port}.log"
    began = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=clean_environment(settings), stdout=output, stderr=output, stdin=subprocess.DEVNULL
        )
    try:
        while not _answers(port, probe):
            if process.poll() is not None or time.perf_counter() - began > _START_TIMEOUT:
                message = f"{name} did not start:\n{log.read_text(errors='replace')[-2000:]}"
                raise NoStart(message)
            time.sleep(_POLL)
        answered = time.perf_counter() - began
        running = psutil.Process(process.pid)
        yield Server(
            name=name,
            port=port,
            process=running,
            seconds_to_answer=answered,
            processor_seconds_to_answer=processor_seconds(running),
        )
        process.terminate()
        process.wait(_EXIT_TIMEOUT)
    finally:
        process.kill()
        process.wait()


def ask(port: int, method: str, path: str, body: object = None, token: str = "") -> tuple[int, dict[str, object]]:
    """One request, outside of what is measured: the status, and the JSON."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    try:
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else {}
    finally:
        connection.close()


def _answers(port: int, probe: str) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", probe)
        return connection.getresponse().status == 200  # noqa: PLR2004  (it is there)
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
