"""`hallporter upgrade` and `migrate`."""

import asyncio
import signal
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from types import FrameType
from typing import Annotated, NoReturn

import typer

from adapters.postgres import schema
from adapters.postgres.copying import copied
from adapters.postgres.rehearsal import Rehearsed, rehearse
from adapters.postgres.roles import APPLICATION_ROLE
from adapters.postgres.urls import asyncpg_url
from entrypoints.cli.arguments import AsJson
from entrypoints.cli.printing import print_rows, print_table
from entrypoints.database import database_url
from entrypoints.settings import Settings, load_settings
from entrypoints.startup import StartupProblem
from entrypoints.telemetry import configure_logging

_UNRESTRICTED = (
    "The service works with all rights of this user, and could change the audit log. Have an administrator of the "
    f"database run: CREATE ROLE {APPLICATION_ROLE} NOLOGIN; GRANT {APPLICATION_ROLE} TO this user. Then run this "
    "again. More is in docs/audit.md."
)
# What requests wait for a lock: adapters/postgres/database.py.
_PATIENCE_SECONDS = 1.5


def upgrade(
    *,
    rehearse: Annotated[
        bool, typer.Option("--rehearse", help="Only try it on a copy of the database, and tell what that holds up.")
    ] = False,
    on: Annotated[str | None, typer.Option(help="URL of another server to make the copy on.")] = None,
    as_json: AsJson = False,
) -> None:
    """Bring the database up to this release. Safe to repeat, and while the service is running.

    Migrations wait for each other, and give way to requests. Indexes that somebody began and did not finish are mended.
    """
    settings = load_settings()
    configure_logging("WARNING", settings.effective_log_format)
    if rehearse:
        _print_rehearsal(_rehearsed(settings, on), as_json=as_json)
        return
    with database_url(settings) as url:
        done = asyncio.run(schema.upgrade(url, between=_tell_and_pause))
        role = asyncio.run(schema.application_role(url))
    if as_json:
        rows = [{"done": "applied", "name": name} for name in done.applied]
        rows += [{"done": "mended", "name": name} for name in done.mended]
        rows += [{"done": "not mended", "name": name} for name in done.broken]
        print_rows(rows, as_json=True, otherwise="")
        return
    for revision in done.applied:
        typer.echo(f"applied {revision}")
    for name in done.mended:
        typer.echo(f"mended the index {name}, which was not finished")
    for name in done.broken:
        typer.echo(f"The index {name} is not finished, and cannot be: see what REINDEX INDEX {name} says.")
    typer.echo("The schema is up to date." if done.applied else "The schema was up to date already.")
    if role is None:
        typer.echo(_UNRESTRICTED)


def migrate() -> None:
    """The same as `upgrade`, by its older name."""
    upgrade()


async def _tell_and_pause(attempt: int) -> None:
    typer.echo(f"Somebody holds what a migration has to lock: attempt {attempt}, more follow.", err=True)
    await schema.pause(attempt)


def _rehearsed(settings: Settings, on: str | None) -> list[Rehearsed]:
    try:
        server = None if on is None else asyncpg_url(on)
    except ValueError as problem:
        message = f"--on {problem}"
        raise StartupProblem(message) from problem
    with _unwinding() as told, database_url(settings) as url:
        if not asyncio.run(schema.is_behind(url)):
            return []
        typer.echo("Copying the database, which goes on working meanwhile …", err=True)
        with copied(url, on=server) as copy:
            return asyncio.run(told.unless(rehearse(copy)))


class _Told:
    """That somebody ended us by SIGTERM. What a handler raises may be lost on its way through a loop; this is not."""

    def __init__(self) -> None:
        self._is_so = False

    def leave(self, _signal: int, _frame: FrameType | None) -> NoReturn:
        self._is_so = True
        raise SystemExit(128 + signal.SIGTERM)

    async def unless[T](self, work: Coroutine[None, None, T]) -> T:
        """What the work comes to. Being told cancels it."""
        task = asyncio.create_task(work)

        def leave() -> None:
            self._is_so = True
            task.cancel()

        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, leave)
        if self._is_so:
            task.cancel()
        try:
            return await task
        except asyncio.CancelledError:
            if self._is_so:
                raise SystemExit(128 + signal.SIGTERM) from None
            raise
        finally:
            loop.remove_signal_handler(signal.SIGTERM)
            signal.signal(signal.SIGTERM, self.leave)


@contextmanager
def _unwinding() -> Iterator[_Told]:
    """Take the copy away also when somebody ends us by SIGTERM, as Ctrl-C does."""
    told = _Told()
    before = signal.signal(signal.SIGTERM, told.leave)
    try:
        yield told
    finally:
        signal.signal(signal.SIGTERM, before)


def _print_rehearsal(made: list[Rehearsed], *, as_json: bool) -> None:
    if as_json:
        print_rows([asdict(each) for each in made], as_json=True, otherwise="")
        return
    if not made:
        typer.echo("Nothing is to be done: the schema is up to date.")
        return
    for each in made:
        beside = ", of which an index beside those who read and write" if each.beside else ""
        typer.echo(f"{each.revision}  {each.title}: {_readable(each.seconds)}{beside}")
        rows = [
            [
                f"  {table.table}",
                table.mode,
                f"{table.waits or 'nobody'} wait{'' if table.waits else 's'}",
                f"{table.rows} rows",
                f"{table.bytes / 2**20:.1f} MiB",
                "rewritten" if table.rewritten else "",
            ]
            for table in each.tables
        ]
        if rows:
            print_table([], rows)
    typer.echo(_verdict(made))


def _verdict(made: list[Rehearsed]) -> str:
    slowest = max((each for each in made if each.holds_up), key=lambda each: each.seconds, default=None)
    if slowest is None:
        return "Nobody waits for any of it. The copy is gone."
    held = f"Requests to {', '.join(slowest.holds_up)} wait for up to {_readable(slowest.seconds)}"
    if slowest.seconds < _PATIENCE_SECONDS:
        return f"{held}, and none fails for it. The copy is gone."
    return f"{held}; after {_PATIENCE_SECONDS} s they fail. Upgrade while there are few. The copy is gone."


def _readable(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"
