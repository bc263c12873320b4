"""Arguments that several commands take."""

from datetime import UTC, datetime
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
Who = Annotated[str, typer.Argument(help="Id or e-mail address.")]
Whose = Annotated[str, typer.Argument(help="Whose: id or e-mail address.")]
TIMES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]


def in_utc(moment: datetime | None) -> datetime | None:
    """As `TIMES` has it: nobody says from where they count."""
    return moment.replace(tzinfo=UTC) if moment is not None else None
