"""`hallporter openapi`."""

import json

import typer

from entrypoints.settings import load_settings


def openapi() -> None:
    """Print the contract with callers as OpenAPI 3.1 in JSON. Needs no database."""
    # Here and not above: no other command needs FastAPI, which takes longer to load than they take to run.
    from adapters.http.app import create_app  # noqa: PLC0415
    from entrypoints.service import http_config  # noqa: PLC0415

    typer.echo(json.dumps(create_app(config=http_config(load_settings())).openapi(), indent=2))
