"""`hallporter doctor`."""

import asyncio

import typer

from entrypoints.cli.arguments import AsJson
from entrypoints.cli.printing import print_rows
from entrypoints.doctor import Finding, State, findings
from entrypoints.settings import load_settings
from entrypoints.telemetry import configure_logging

_WIDTH = 13


def doctor(*, as_json: AsJson = False) -> None:
    """Look whether all is well: settings, database, clocks, keys, mail, queue, disk. Makes no migration.

    Ends with exit code 1 where there is a problem.
    """
    settings = load_settings()
    configure_logging("ERROR", settings.effective_log_format)

    async def look() -> list[Finding]:
        found: list[Finding] = []
        async for finding in findings(settings):
            found.append(finding)
            if not as_json:
                _say(finding)
        return found

    found = asyncio.run(look())
    if as_json:
        rows = [
            {"check": each.check, "state": each.state.value, "found": each.found, "advice": each.advice}
            for each in found
        ]
        print_rows(rows, as_json=True, otherwise="")
    if any(each.state is State.PROBLEM for each in found):
        raise typer.Exit(1)


def _say(finding: Finding) -> None:
    typer.echo(f"{finding.state.value:<9}{finding.check:<{_WIDTH}}{finding.found}")
    if finding.advice:
        typer.echo(f"{'':<{9 + _WIDTH}}{finding.advice}")
