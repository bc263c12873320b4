"""`hallporter users import` and `hallporter users export`."""

import asyncio
import os
import stat
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO
from uuid import UUID

import typer

from adapters.http.schemas.imports import ImportResponse, ImportRowResponse
from application.transfer.export_users import ExportUsers
from application.transfer.import_users import ImportUsers
from application.transfer.list_import_rows import ListImportRows
from application.transfer.show_import import ShowImport
from application.transfer.start_import import StartImport
from domain.ids import UserImportId
from domain.transfer.user_import import ImportMode, RowFormat, UserImport, Verdict
from entrypoints.cli.arguments import AsJson
from entrypoints.cli.running import run
from entrypoints.container import Container
from entrypoints.malloc import seldom_look_for_cycles

if TYPE_CHECKING:
    from rich.progress import Progress

SOME_INVALID = 3
_BLOCK_BYTES = 256 * 1024
_AT_ONCE = 1_000
_STANDARD = Path("-")


def import_users(
    file: Annotated[Path, typer.Argument(help="The file; - is standard input.")],
    *,
    format: Annotated[
        RowFormat | None, typer.Option("--format", help="Left out: CSV if the name ends with .csv, else NDJSON.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would become of each row, and no more.")] = False,
    report: Annotated[Path | None, typer.Option(help="Write what became of each row there, as NDJSON.")] = None,
    resume: Annotated[UUID | None, typer.Option(help="Go on with the import of this id, with the same file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Take in users of another system, with their passwords. Who is here already stays as they are.

    Ends with 0 when every row was accepted or exists, with 3 when some were invalid, with 1 when it was broken off.
    """
    if resume is not None and (format is not None or dry_run):
        problem = "An import goes on as it began: leave out --format and --dry-run."
        raise typer.BadParameter(problem, param_hint="--resume")
    mode = ImportMode.DRY_RUN if dry_run else ImportMode.APPLY
    written = format or (RowFormat.CSV if file.suffix.lower() == ".csv" else RowFormat.NDJSON)

    async def command(container: Container) -> UserImport:
        seldom_look_for_cycles()
        with _opened(file) as source, _created(report) as target, _progress(source) as progress:
            if resume is None:
                begun = await container.resolve(StartImport).execute(mode=mode, format=written)
            else:
                begun = await container.resolve(ShowImport).execute(import_id=UserImportId(resume))
            typer.echo(f"Import {begun.id}. Should it break off, go on with --resume {begun.id}", err=True)
            task = progress.task_ids[0]
            finished = await container.resolve(ImportUsers).execute(
                import_id=begun.id,
                source=_blocks(source, progress),
                on_progress=lambda now: progress.update(task, rows=now.rows),
            )
            if target is not None:
                await _write_report(container, finished, target)
        return finished

    finished = run(command)
    typer.echo(ImportResponse.of(finished).model_dump_json(indent=2) if as_json else _summary(finished))
    if finished.count(Verdict.INVALID):
        raise typer.Exit(SOME_INVALID)


def export_users(
    file: Annotated[Path, typer.Argument(help="Where to; - is standard output.")] = _STANDARD,
    *,
    with_hashes: Annotated[bool, typer.Option("--with-hashes", help="Passwords too, as hashes.")] = False,
) -> None:
    """Write all users as NDJSON, which `users import` reads. A file is made for nobody else to read."""

    async def command(container: Container) -> int:
        count = 0
        with _created(file if file != _STANDARD else None) as created:
            target = created or sys.stdout.buffer
            async for page in await container.resolve(ExportUsers).execute(with_hashes=with_hashes):
                await asyncio.to_thread(target.write, page)
                count += page.count(b"\n")
            target.flush()
        return count

    typer.echo(f"{run(command)} user(s) written.", err=True)


@contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    if file == _STANDARD:
        yield sys.stdin.buffer
        return
    try:
        opened = file.open("rb")
    except OSError as error:
        problem = f"{file} cannot be read ({error.strerror})."
        raise typer.BadParameter(problem, param_hint="FILE") from None
    with opened:
        yield opened


@contextmanager
def _created(file: Path | None) -> Iterator[BinaryIO | None]:
    if file is None:
        yield None
        return
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        problem = f"{file} cannot be written ({error.strerror})."
        raise typer.BadParameter(problem, param_hint="FILE") from None
    with os.fdopen(descriptor, "wb") as opened:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            # One that was there before may have been for everybody.
            os.fchmod(descriptor, 0o600)
        yield opened


@contextmanager
def _progress(source: BinaryIO) -> Iterator["Progress"]:
    # Other commands do without what this takes.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    size = os.fstat(source.fileno()).st_size if source.seekable() else 0
    columns = (
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]} rows"),
        TextColumn("{task.fields[rate]}/s"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        progress.add_task("", total=size or None, rows=0, rate=0)
        yield progress


async def _blocks(source: BinaryIO, progress: "Progress") -> AsyncIterator[bytes]:
    while block := await asyncio.to_thread(source.read, _BLOCK_BYTES):
        yield block
        task = progress.tasks[0]
        rows = task.fields["rows"]
        progress.update(task.id, advance=len(block), rate=int(rows / task.elapsed) if task.elapsed else 0)


async def _write_report(container: Container, finished: UserImport, target: BinaryIO) -> None:
    rows = container.resolve(ListImportRows)
    after: int | None = 0
    while after is not None:
        page = await rows.execute(import_id=finished.id, limit=_AT_ONCE, after=after)
        target.writelines(ImportRowResponse.of(row).model_dump_json().encode() + b"\n" for row in page.items)
        after = page.after


def _summary(finished: UserImport) -> str:
    lines = [f"{finished.rows} row(s){', nobody was taken in: a dry run' if not finished.applies else ''}."]
    for verdict in Verdict:
        count = finished.count(verdict)
        reasons = [
            f"{outcome.code or outcome.password_format or 'without a password'} {number}"
            for outcome, number in finished.tally.most_common()
            if outcome.verdict is verdict
        ]
        lines.append(f"  {verdict:<10}{count:>9}{'  ' if reasons else ''}{', '.join(reasons)}")
    return "\n".join(lines)
