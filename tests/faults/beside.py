"""The release before under load, and this one beside it: `python -m tests.faults.beside FOLDER`.

FOLDER has the sources of the release before, with an environment in `.venv`. It goes as docs/upgrading.md has it: the
release before serves on a database that it made; `hallporter upgrade` of this one runs, and this one is started; both
serve; the release before is stopped. People use the service all the while, and remember what they were told. Where the
schemas do not differ there would be little to see, so that migrations of a release still to come are made as well.
"""

import asyncio
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from adapters.postgres import schema
from adapters.postgres.embedded import embedded_postgres
from tests.e2e.test_service import HALLPORTER, TOP, environment
from tests.faults.callers import Caller
from tests.faults.invariants import half_written, lost
from tests.faults.processes import SETTINGS, free_port, is_ready, looking_at
from tests.made_up import INDEX, Release

_CALLERS = 4
_PATIENCE = 60.0
# So many requests are answered in each stage, on the way to the next.
_ENOUGH = 50
LATER = ('op.add_column("users", sa.Column("shoe_size", sa.Integer(), server_default="0", nullable=False))', INDEX)
"""What the release after this one does, by default: it expands."""


@dataclass
class Report:
    """How it went: what was done in which order, and what must not be."""

    stages: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Installed:
    """A release that is installed somewhere."""

    command: Path
    folder: Path
    environment: dict[str, str]

    async def run(self, *arguments: str) -> str:
        """What a command says. It has to end well."""
        process = await asyncio.create_subprocess_exec(
            self.command,
            *arguments,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        assert process.returncode == 0, said.decode()
        return said.decode().strip()

    def serve(self, port: int) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [self.command, "serve", "--port", str(port)],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.DEVNULL,
        )


class Crowd:
    """People who call without a pause, each on one of the ports that are open to them."""

    def __init__(self) -> None:
        self.ports: list[int] = []
        self.callers = [
            Caller(f"caller{number}", random.Random(number), lambda: self.ports)  # noqa: S311  (to be had again)
            for number in range(_CALLERS)
        ]

    @property
    def answered(self) -> int:
        return sum(caller.acknowledged for caller in self.callers)

    @property
    def problems(self) -> list[str]:
        # Nobody was killed, so that everybody has an answer, and one that lets them go on.
        failed = [f"{caller.unanswered} requests in vain" for caller in self.callers if caller.unanswered]
        return failed + [wronged for caller in self.callers for wronged in caller.wronged]

    async def go_on(self, count: int = _ENOUGH) -> None:
        """Return when they were answered so often, and each of them anew, or when something went wrong."""
        wanted = self.answered + count
        each = [(caller, caller.acknowledged + 2) for caller in self.callers]
        async with asyncio.timeout(_PATIENCE):
            while not self.problems and not self._has(wanted, each):  # noqa: ASYNC110  (nobody tells us)
                await asyncio.sleep(0.01)

    def _has(self, answers: int, each: Sequence[tuple[Caller, int]]) -> bool:
        return self.answered >= answers and all(caller.acknowledged >= least for caller, least in each)

    @asynccontextmanager
    async def calling(self) -> AsyncIterator[None]:
        """People call for as long as the block, and end what they began."""
        stopping = asyncio.Event()
        lives = [asyncio.create_task(caller.live(stopping)) for caller in self.callers]
        try:
            yield
        finally:
            stopping.set()
            await asyncio.gather(*lives)


class _Upgrade:
    """The way from one release to the next. `url` is that of an empty database."""

    def __init__(self, home: Path, url: str, before: Path, later: Sequence[str]) -> None:
        settings = environment(home, DATABASE_URL=url, **SETTINGS)
        command = before / ".venv" / "bin" / "hallporter" if before != TOP else HALLPORTER
        self._before = Installed(command=command, folder=before, environment=settings)
        self._after = Installed(command=HALLPORTER, folder=TOP, environment=settings)
        self._url, self._later = url, later
        self._running: list[subprocess.Popen[bytes]] = []
        self.crowd = Crowd()
        self.stages: list[str] = []

    async def make(self) -> None:
        """Go it, stage by stage, for as long as nothing is wrong."""
        await self._before.run("migrate")
        old = await self._start(self._before)
        async with self.crowd.calling():
            await self._stage("the release before serves")
            said = await self._after.run("upgrade")
            await self._stage(f"upgrade: {'; '.join(said.splitlines())}")
            await self._start(self._after)
            await self._stage("this release serves beside it")
            await self._make_later_migrations()
            await self._stage("both serve on the schema of a later release")
            # As whoever stands in front does: nobody is sent there any more, and those who were are answered.
            self.crowd.ports.pop(0)
            await self.crowd.go_on(0)
            await self._stop(old)
            await self._stage("this release serves alone")

    async def end(self) -> None:
        """Stop what still runs."""
        for process in list(self._running):
            await self._stop(process)

    def kill(self) -> None:
        for process in self._running:
            process.kill()
            process.wait()

    async def _stage(self, name: str) -> None:
        await self.crowd.go_on()
        if self.crowd.problems:
            raise _WentWrong
        self.stages.append(f"{name}: {self.crowd.answered} answers so far")

    async def _start(self, release: Installed) -> "subprocess.Popen[bytes]":
        port = free_port()
        process = release.serve(port)
        self._running.append(process)
        async with asyncio.timeout(_PATIENCE):
            while not await is_ready(port):
                assert process.poll() is None, f"{release.folder} does not serve"
                await asyncio.sleep(0.02)
        self.crowd.ports.append(port)
        return process

    async def _stop(self, process: "subprocess.Popen[bytes]") -> None:
        process.send_signal(signal.SIGTERM)
        code = await asyncio.to_thread(process.wait, _PATIENCE)
        self._running.remove(process)
        assert code == 0, "a release did not end well"

    async def _make_later_migrations(self) -> None:
        with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patched:
            release = Release(Path(folder))
            for does in self._later:
                release.add(does)
            patched.setattr(schema, "migrations_folder", lambda: release.folder)
            await schema.migrate(self._url)


class _WentWrong(Exception):
    """People were told what they must not be, and it is not worth while to go on."""


async def run(before: Path, home: Path, *, later: Sequence[str] = LATER) -> Report:
    """Go from the release in this folder to ours, in an empty home. What goes wrong is in the report."""
    with embedded_postgres(home, durable=False) as url:
        upgrade = _Upgrade(home, url, before, later)
        try:
            with suppress(_WentWrong):
                await upgrade.make()
            await upgrade.end()
        finally:
            upgrade.kill()
        report = Report(stages=upgrade.stages, problems=upgrade.crowd.problems)
        if not report.problems:
            async with looking_at(url) as engine, engine.connect() as connection:
                people = [person for caller in upgrade.crowd.callers for person in caller.people]
                report.problems += await lost(connection, people)
                report.problems += await half_written(connection)
    return report


def main() -> None:
    """Do it, and say how it went."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="hallporter-beside-") as home:
        report = asyncio.run(run(Path(sys.argv[1]).absolute(), Path(home)))
    end = f"{time.monotonic() - began:.0f} s, {len(report.problems)} problems"
    for line in (*report.stages, *report.problems, end):
        sys.stdout.write(f"{line}\n")
    sys.exit(1 if report.problems else 0)


if __name__ == "__main__":
    main()
