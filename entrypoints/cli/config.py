"""`hallporter config`."""

import typer

from entrypoints.cli.arguments import AsJson
from entrypoints.cli.printing import print_rows
from entrypoints.settings import load_settings
from entrypoints.shown_settings import shown_settings, unknown_names


def config(*, as_json: AsJson = False) -> None:
    """Print every setting, and where it comes from. Secrets are not shown."""
    settings = shown_settings(load_settings())
    rows = [{"setting": each.name, "value": each.value, "source": each.source.value} for each in settings]
    print_rows(rows, as_json=as_json, otherwise="")
    if unknown := unknown_names():
        typer.echo(f"In .env, and no setting of ours: {', '.join(unknown)}", err=True)
