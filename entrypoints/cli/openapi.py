"""`hallporter openapi`."""

import json

import typer

from adapters.http.app import create_app
from entrypoints.service import http_config
from entrypoints.settings import load_settings


def openapi() -> None:
    """Print the contract with callers as OpenAPI 3.1 in JSON. Needs no database."""
    typer.echo(json.dumps(create_app(config=http_config(load_settings())).openapi(), indent=2))
