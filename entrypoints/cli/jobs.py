"""`hallporter jobs …`."""

from typing import Annotated

import typer

from application.ports.jobs import JobQueue
from entrypoints.cli.arguments import AsJson
from entrypoints.cli.printing import print_rows
from entrypoints.cli.running import run
from entrypoints.container import Container

app = typer.Typer(help="Show jobs that failed for good, and have them tried again.", no_args_is_help=True)


@app.command("list")
def list_jobs(
    *,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List parked jobs, last queued first. Why each failed is in the worker's log, by the subject's id."""
    parked_jobs = run(lambda container: _queue(container).parked(limit=limit))
    rows = [
        {
            "kind": parked.job.kind.value,
            "subject": str(parked.job.subject),
            "attempts": parked.attempts,
            "queued": parked.queued_at.isoformat(timespec="seconds"),
        }
        for parked in parked_jobs
    ]
    print_rows(rows, as_json=as_json, otherwise="No job is parked.")


@app.command()
def retry() -> None:
    """Have every parked job tried again from the start."""
    count = run(lambda container: _queue(container).retry_parked())
    typer.echo(f"{count} job(s) are queued again." if count else "No job is parked.")


def _queue(container: Container) -> JobQueue:
    return container.resolve(JobQueue)  # type: ignore[type-abstract]  # it is a port
