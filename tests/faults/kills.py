"""Kill the service or its database at random moments, many times: `uv run python -m tests.faults.kills --times 1000`.

Two processes of `hallporter serve` are loaded by callers who remember what they were told. Each time one thing is
killed: a process, a connection's backend, or the whole database, which is made to stop at once or killed itself. Then
the database is read: all that was acknowledged has to be there, and nothing half of it (`tests/faults/invariants.py`).

The database has `synchronous_commit` on and `fsync` off: what was handed to the system survives every process, and only
a machine that loses its power, which is not tried here, tells the difference. Recovering takes a tenth of the time so.
"""

import argparse
import asyncio
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from pathlib import Path

import psutil
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.own_server import DATABASE, EmbeddedPostgresError, OwnServer
from tests.e2e.test_service import HALLPORTER, TOP, environment
from tests.faults.callers import Caller
from tests.faults.invariants import half_written, lost
from tests.faults.processes import SETTINGS, free_port, is_ready, looking_at

_CALLERS = 6
_PROCESSES = 2
_SECONDS_BEFORE, _SECONDS_AFTER = (0.02, 0.4), (0.0, 0.2)
# All that was ever acknowledged is read again so often; in between it is what a few callers know last.
_ALL_EVERY = 20
_LATEST = 12
_PATIENCE = 60.0


class Victim(StrEnum):
    PROCESS = "a process of the service, by SIGKILL"
    BACKEND = "a backend of the database, by SIGKILL"
    STOPPED = "the database, stopped at once (immediate)"
    DATABASE = "the database, by SIGKILL"


_WEIGHTS = {Victim.PROCESS: 4, Victim.BACKEND: 3, Victim.STOPPED: 2, Victim.DATABASE: 1}


@dataclass
class Report:
    """How it went."""

    killed: Counter[Victim] = field(default_factory=Counter)
    acknowledged: int = 0
    unanswered: int = 0
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        kills = ", ".join(f"{count} x {victim}" for victim, count in self.killed.most_common())
        return (
            f"{self.killed.total()} kills ({kills}); {self.acknowledged} writes acknowledged, {self.unanswered} "
            f"requests without a certain answer; {len(self.problems)} problems"
        )


class Service:
    """The processes that serve, as many as live."""

    def __init__(self, home: Path, url: str) -> None:
        self._home = home
        self._environment = environment(home, DATABASE_URL=url, **SETTINGS)
        self._log = (home / "log").open("a")
        self._running: dict[int, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Start those that are missing."""
        while len(self._running) < _PROCESSES:
            port = free_port()
            self._running[port] = subprocess.Popen(
                [HALLPORTER, "serve", "--port", str(port)],
                cwd=TOP,
                env=self._environment,
                stdout=subprocess.DEVNULL,
                stderr=self._log,
            )

    def ports(self) -> list[int]:
        return list(self._running)

    def kill(self, chance: random.Random) -> None:
        """One of them."""
        process = self._running.pop(chance.choice(self.ports()))
        process.kill()
        process.wait()

    async def ready(self, *, every: bool = False) -> None:
        """Return when one answers and has a database, or every one."""
        enough = all if every else any
        async with asyncio.timeout(_PATIENCE):
            while not enough([await is_ready(port) for port in self.ports()]):  # noqa: ASYNC110  (they are elsewhere)
                await asyncio.sleep(0.02)

    async def end(self) -> list[int]:
        """Tell all to stop; how they ended."""
        for process in self._running.values():
            process.terminate()
        codes = [await asyncio.to_thread(process.wait, 60) for process in self._running.values()]
        self._log.close()
        return codes

    def kill_all(self) -> None:
        for process in self._running.values():
            process.kill()
            process.wait()


class Database:
    """A server of our own."""

    def __init__(self, home: Path) -> None:
        self._server = OwnServer(home, durable=False)
        self._home = home
        self.url = self._server.url()

    def start(self) -> None:
        """Start it, if it does not run. One that was killed may have left children that are still on their way out."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                self._server.ensure_running(may_clean_up=True)
            except EmbeddedPostgresError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        self._server.stop()

    def kill(self, victim: Victim, chance: random.Random) -> None:
        postmaster = psutil.Process(int((self._home / "postgres" / "postmaster.pid").read_text().split()[0]))
        # Those that serve a connection, and not those that keep house.
        backends = [child for child in postmaster.children() if "hallporter hallporter" in " ".join(_cmdline(child))]
        match victim:
            case Victim.BACKEND if backends:
                chance.choice(backends).kill()
            case Victim.DATABASE:
                postmaster.kill()
                _expect_gone([postmaster, *backends])
            case _:
                # As `pg_ctl stop -m immediate` does.
                postmaster.send_signal(signal.SIGQUIT)
                _expect_gone([postmaster])


def by_chance(seed: int) -> Iterator[Victim]:
    """Whom to kill, without an end."""
    chance = random.Random(seed)  # noqa: S311  (to be had again)
    while True:
        yield chance.choices([*_WEIGHTS], [*_WEIGHTS.values()])[0]


async def run(home: Path, victims: Iterable[Victim], *, seed: int, seconds: float = float("inf")) -> Report:
    """Kill these one after the other, or for so long, or until something goes wrong. What does is in the report."""
    chance, report = random.Random(seed), Report()  # noqa: S311  (to be had again)
    database = Database(home)
    await asyncio.to_thread(database.start)
    service = Service(home, database.url)
    callers = [
        Caller(f"caller{number}", random.Random(f"{seed} {number}"), service.ports)  # noqa: S311  (as above)
        for number in range(_CALLERS)
    ]
    began = time.monotonic()
    try:
        async with looking_at(database.url) as engine:
            await _commit_before_saying_so(engine)
            service.start()
            for victim in victims:
                await service.ready()
                await _round(chance, victim, callers, service, database, report)
                everything = report.killed.total() % _ALL_EVERY == 0
                await _look(engine, callers, report, everything=everything)
                if everything:
                    _say(f"{time.monotonic() - began:6.0f} s  {report}")
                if report.problems or time.monotonic() - began > seconds:
                    break
            else:
                await _look(engine, callers, report, everything=True)
        await service.ready(every=True)
        if any(await service.end()):
            report.problems.append("a process did not end well")
    finally:
        service.kill_all()
        await asyncio.to_thread(database.stop)
    return report


async def _round(
    chance: random.Random,
    victim: Victim,
    callers: list[Caller],
    service: Service,
    database: Database,
    report: Report,
) -> None:
    stopping = asyncio.Event()
    calling = [asyncio.create_task(caller.live(stopping)) for caller in callers]
    await asyncio.sleep(chance.uniform(*_SECONDS_BEFORE))
    if victim is Victim.PROCESS:
        service.kill(chance)
        service.start()
    else:
        await asyncio.to_thread(database.kill, victim, chance)
    await asyncio.sleep(chance.uniform(*_SECONDS_AFTER))
    await asyncio.to_thread(database.start)
    stopping.set()
    await asyncio.gather(*calling)
    report.killed[victim] += 1
    report.acknowledged = sum(caller.acknowledged for caller in callers)
    report.unanswered = sum(caller.unanswered for caller in callers)


async def _look(engine: AsyncEngine, callers: list[Caller], report: Report, *, everything: bool) -> None:
    people = [person for caller in callers for person in (caller.people if everything else caller.people[-_LATEST:])]
    async with engine.connect() as connection:
        report.problems += await lost(connection, people)
        report.problems += await half_written(connection)
    report.problems += [wronged for caller in callers for wronged in caller.wronged]


async def _commit_before_saying_so(engine: AsyncEngine) -> None:
    """Not so by itself in a server that is not durable."""
    async with engine.connect() as connection:
        await connection.exec_driver_sql(f"ALTER DATABASE {DATABASE} SET synchronous_commit = on")
        await connection.commit()
    async with engine.connect() as connection:
        assert (await connection.exec_driver_sql("SHOW synchronous_commit")).scalar_one() == "on"


def _expect_gone(processes: Sequence[psutil.Process]) -> None:
    """Wait until they are dead. Whoever is to bury them may take longer."""
    deadline = time.monotonic() + _PATIENCE
    while any(map(_lives, processes)):
        assert time.monotonic() < deadline, processes
        time.sleep(0.01)


def _lives(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    return False


def _cmdline(process: psutil.Process) -> list[str]:
    with suppress(psutil.Error):
        return process.cmdline()
    return []


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.kills", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--times", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=None, help="for the order of kills; the moments stay chance")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="end after so long in any case")
    given = parser.parse_args()
    seed = given.seed if given.seed is not None else int.from_bytes(os.urandom(4))
    _say(f"seed {seed}")
    with tempfile.TemporaryDirectory(prefix="hallporter-kills-") as folder:
        victims = islice(by_chance(seed), given.times)
        report = asyncio.run(run(Path(folder) / "home", victims, seed=seed, seconds=given.seconds))
    _say(str(report))
    for problem in report.problems:
        _say(f"  {problem}")
    sys.exit(1 if report.problems else 0)


if __name__ == "__main__":
    main()
