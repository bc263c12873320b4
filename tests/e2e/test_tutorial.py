"""Every command of docs/tutorial.md, as it stands there and in that order, from the first one to the last."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.test_service import TOP, environment, processes_of

PAGE = (TOP / "docs" / "tutorial.md").read_text("utf-8")
_BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
_END = "-- that was it"
# What a terminal is kept busy by: the one of the service, and not that in which everything else is typed.
_SERVES = ("hallporter serve", "uvicorn ")
# What a clone brings along beside its files, or its user does.
_NOT_CLONED = {".env", ".git", ".hallporter", "harbour.py", "test_harbour.py"}


@dataclass(frozen=True)
class Block:
    """What stands between two fences."""

    language: str
    file: str | None
    text: str


BLOCKS = [Block(language, file or None, text) for language, file, text in _BLOCK.findall(PAGE)]


@pytest.fixture
def clone(tmp_path: Path, made_home: Path) -> Path:
    """A clone that somebody works in: our files by links, and an empty database, for making one takes long."""
    folder = tmp_path / "clone"
    folder.mkdir()
    for entry in TOP.iterdir():
        if entry.name not in _NOT_CLONED:
            (folder / entry.name).symlink_to(entry)
    shutil.copytree(made_home, folder / ".hallporter")
    return folder


class Terminals:
    """Two of them, in one folder. What is typed is taken as it is, but for the port, which may be taken here."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = str(free.getsockname()[1])
        self._folder = folder
        # uv is told that everything is installed, and where: what it does by itself is not for us to test.
        told = {"UV_NO_SYNC": "1", "UV_FROZEN": "1", "UV_PROJECT_ENVIRONMENT": sys.prefix}
        uv = str(Path(os.environ.get("UV", sys.executable)).parent)
        home = environment(folder / ".hallporter")
        path = os.pathsep.join([os.environ["PATH"], uv])
        self._environment = {
            name: value for name, value in home.items() if name not in {"HALLPORTER_HOME", "UV_PYTHON", "CI"}
        } | {"PATH": path, "PUBLIC_URL": f"http://127.0.0.1:{self._port}", **told}
        self._shell = self._open("bash", "-e")
        self._service: subprocess.Popen[str] | None = None

    def type(self, text: str) -> str:
        """What it says to that, or the test fails where a command does."""
        text = text.replace(":8000", f":{self._port}").replace("--port 8000", f"--port {self._port}")
        if any(name in text for name in _SERVES):
            self._serve(text)
            return ""
        assert self._shell.stdin is not None
        self._shell.stdin.write(f"{text}\necho; echo '{_END}'\n")
        self._shell.stdin.flush()
        said = [*self._said(self._shell, _END)]
        return "".join(said)

    def close(self) -> None:
        """Stop whatever runs."""
        self._stop_service()
        self._shell.communicate(timeout=30)

    def _serve(self, command: str) -> None:
        self._stop_service()
        self._service = self._open("bash", "-c", f"exec {command}")
        started = re.compile(r"Application startup complete|startup.*complete", re.IGNORECASE)
        for line in self._said(self._service):
            if started.search(line):
                return

    def _stop_service(self) -> None:
        if self._service is not None:
            self._service.send_signal(signal.SIGINT)
            self._service.communicate(timeout=30)
            self._service = None

    def _open(self, *command: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            command,
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def _said(self, process: "subprocess.Popen[str]", end: str | None = None) -> Iterator[str]:
        assert process.stdout is not None
        before = ""
        for line in process.stdout:
            if line.rstrip() == end:
                return
            before += line
            yield line
        raise AssertionError(before)


@pytest.fixture
def terminals(clone: Path) -> Iterator[Terminals]:
    opened = Terminals(clone)
    yield opened
    opened.close()


def as_shown(said: str, shown: dict[str, Any]) -> dict[str, Any]:
    """What was answered, as far as it is shown; `…` stands for anything."""
    (answer,) = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    return {name: "…" if value == "…" and name in answer else answer.get(name) for name, value in shown.items()}


def test_the_tutorial_can_be_followed_to_its_end(clone: Path, terminals: Terminals) -> None:
    said = ""
    for block in BLOCKS:
        match block.language:
            case "sh":
                said = terminals.type(block.text)
            case "json":
                shown = json.loads(block.text)
                assert as_shown(said, shown) == shown, said
            case "python":
                assert block.file is not None
                (clone / block.file).write_text(block.text)
    assert "2 passed" in said
    terminals.close()
    assert processes_of(clone) == []


def test_nothing_on_the_page_is_left_out() -> None:
    assert PAGE.count("```") == 2 * len(BLOCKS)
    assert {block.language for block in BLOCKS} == {"sh", "json", "python"}
    assert [block.file for block in BLOCKS if block.language == "python"] == ["harbour.py", "test_harbour.py"]
