"""`hallporter audit …`."""

import json
import os
import sys
from contextlib import nullcontext
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Literal, TextIO
from uuid import UUID

import typer

from adapters.http.schemas.audit import AuditEntryResponse, CheckpointResponse, VerificationResponse
from adapters.http.schemas.signing import JsonWebKey
from application.audit.export_audit_log import ExportAuditLog
from application.audit.exports import MalformedExport, written
from application.audit.list_audit_entries import ListAuditEntries
from application.audit.make_checkpoint import MakeCheckpoint
from application.audit.verify_audit_log import VerifyAuditLog
from application.audit.verify_export import MAX_LINE_BYTES, verify_export
from application.ports.audit import AuditFilter, AuditPlace
from application.signing.list_signing_keys import ListSigningKeys
from domain.audit.audit_entry import AuditEntry
from domain.audit.checkpoint import Checkpoint
from domain.audit.verification import Finding, KnownCheckpoint, Report
from domain.events import Outcome
from domain.ids import UserId
from domain.signing.signing_key import SigningKey
from entrypoints.audit_files import PublicKeys, kept_checkpoints, public_keys
from entrypoints.cli.arguments import TIMES, AsJson, in_utc
from entrypoints.cli.printing import print_table
from entrypoints.cli.running import run
from entrypoints.container import Container
from entrypoints.startup import StartupProblem

app = typer.Typer(
    help="Read the audit log, sign how far it goes, take it elsewhere, and verify it.", no_args_is_help=True
)


@app.command("list")
def list_entries(
    *,
    actor: Annotated[UUID | None, typer.Option(help="Only what this user did.")] = None,
    subject: Annotated[UUID | None, typer.Option(help="Only what was done to this user.")] = None,
    event: Annotated[str | None, typer.Option(help="Only events of this name.")] = None,
    outcome: Annotated[Literal["success", "refused"] | None, typer.Option(help="Only what ended so.")] = None,
    after: Annotated[datetime | None, typer.Option(formats=TIMES, help="Not before that time, in UTC.")] = None,
    before: Annotated[datetime | None, typer.Option(formats=TIMES, help="Before that time, in UTC.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List what happened, newest first. That you looked is written down too."""
    wanted = AuditFilter(
        actor_id=UserId(actor) if actor is not None else None,
        user_id=UserId(subject) if subject is not None else None,
        event=event,
        outcome=Outcome(outcome) if outcome is not None else None,
        occurred_after=in_utc(after),
        occurred_before=in_utc(before),
    )

    async def command(container: Container) -> list[AuditEntry]:
        found: list[AuditEntry] = []
        place: AuditPlace | None = None
        while True:
            # A page may be short, and not the last.
            page = await container.resolve(ListAuditEntries).execute(wanted, limit=limit - len(found), after=place)
            found += page.items
            place = page.after
            if place is None or len(found) == limit:
                return found

    rows = [AuditEntryResponse.of(entry).model_dump(mode="json") for entry in run(command)]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    if not rows:
        typer.echo("There are no such entries." if wanted.names else "There are no entries.")
        return
    columns = ("occurred_at", "event", "outcome", "source", "actor_id", "subject_id", "network_address", "details")
    told = [row | {"details": json.dumps(row["details"], ensure_ascii=False)} for row in rows]
    print_table(
        [name.removesuffix("_id").replace("_", " ") for name in columns],
        [[_printable(row[name]) for name in columns] for row in told],
    )


@app.command()
def checkpoint() -> None:
    """Sign how far the log goes, and print it as JSON, with the public key: to be kept where nobody here can write."""

    async def command(container: Container) -> tuple[Checkpoint | None, dict[str, SigningKey]]:
        made = await container.resolve(MakeCheckpoint).execute()
        return made, {key.id: key for key in await container.resolve(ListSigningKeys).execute()}

    made, keys = run(command)
    if made is None:
        typer.echo("There is nothing in the log yet.", err=True)
        raise typer.Exit(1)
    key = JsonWebKey.of(keys[made.key_id]).model_dump(mode="json")
    typer.echo(json.dumps(CheckpointResponse.of(made).model_dump(mode="json") | {"jwk": key}, indent=2))


@app.command()
def export(
    file: Annotated[str, typer.Argument(help="Where to; - is standard output.")],
    *,
    without_personal: Annotated[
        bool, typer.Option("--without-personal", help="Leave out addresses and reasons; all is provable still.")
    ] = False,
) -> None:
    """Write the whole log, one JSON object a line, so that others can verify it without us."""
    try:
        with nullcontext(sys.stdout) if file == "-" else open(file, "w", encoding="utf-8", opener=_private) as target:
            run(partial(_export, target, with_personal=not without_personal))
    except OSError as error:
        message = f"{file} cannot be written ({error.strerror or error}). Choose another place."
        raise StartupProblem(message) from error
    if file != "-":
        typer.echo(f"Written. Anybody can verify it: hallporter audit verify {file}")


@app.command()
def verify(
    file: Annotated[Path | None, typer.Argument(help="An export; left out: the database.")] = None,
    *,
    keys: Annotated[
        Path | None,
        typer.Option(help="Public keys to check signatures with, as of jwks.json; kept checkpoints need theirs."),
    ] = None,
    checkpoint_file: Annotated[
        list[Path] | None,
        typer.Option("--checkpoint", help="A checkpoint that was kept elsewhere; as many as you have."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Prove that the log is what it was: exit code 0 if so, 1 if not. A file is verified without any database."""
    known = public_keys(keys) if keys is not None else None
    kept = kept_checkpoints(checkpoint_file or [], known)
    report = (
        _of_file(file, known or kept.keys, kept.checkpoints) if file is not None else _of_database(kept.checkpoints)
    )
    if as_json:
        typer.echo(json.dumps(VerificationResponse.of(report).model_dump(mode="json"), indent=2))
    else:
        typer.echo(_told(report))
    raise typer.Exit(1 if report.problem is not None else 0)


async def _export(target: TextIO, container: Container, *, with_personal: bool) -> None:
    async for line in container.resolve(ExportAuditLog).execute(with_personal=with_personal):
        target.write(f"{written(line, with_personal=with_personal)}\n")


def _private(path: str, flags: int) -> int:
    """For its owner's eyes."""
    return os.open(path, flags, 0o600)


def _of_database(kept: list[KnownCheckpoint]) -> Report:
    async def command(container: Container) -> Report:
        return await container.resolve(VerifyAuditLog).execute(kept=kept)

    return run(command)


def _of_file(file: Path, keys: PublicKeys, kept: list[KnownCheckpoint]) -> Report:
    try:
        with file.open("rb") as source:
            # So much of a line that one which is too long is seen to be.
            lines = iter(lambda: source.readline(MAX_LINE_BYTES + 1), b"")
            return verify_export(lines, is_signed=keys.is_signed, kept=kept).report
    except MalformedExport as malformed:
        message = f"{file} cannot be verified: {malformed}"
        raise StartupProblem(message) from None
    except OSError as error:
        message = f"{file} cannot be read ({error.strerror or error})."
        raise StartupProblem(message) from error


def _told(report: Report) -> str:
    problem = report.problem
    if problem is not None:
        after = f"after sequence {problem.after_sequence}" if problem.after_sequence is not None else "at the beginning"
        at = f"sequence {problem.sequence}" if problem.sequence is not None else after
        more = ""
        if problem.what is Finding.CHECKPOINT:
            more = f" Something {after} and up to there was changed, and the chain made to fit."
        return f"NOT what it was: {problem.what} at position {problem.position} ({at}).{more}"
    lines = [
        f"{report.entries} entries are what they were, held against {report.checkpoints} checkpoint(s).",
        f"{report.destroyed} personal detail(s) are not there any more, as it may be.",
    ]
    if report.unsigned_checkpoints:
        count = report.unsigned_checkpoints
        lines.append(f"The signatures of {count} checkpoint(s) were not checked: give their keys with --keys.")
    if report.unsealed:
        lines.append(f"{report.unsealed} entries are not sealed yet; a worker does that every minute.")
    return "\n".join(lines)


def _printable(value: object) -> str:
    """One line, whatever stands in it."""
    text = str(value) if value is not None else ""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
