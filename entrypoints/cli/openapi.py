"""`hallporter openapi`."""

import json
from importlib.metadata import version

import typer


def openapi() -> None:
    """Print the contract with callers as OpenAPI 3.1 in JSON. Needs neither database nor settings."""
    # Here and not above: no other command needs FastAPI, which takes longer to load than they take to run.
    from adapters.http.app import HttpConfig, create_app  # noqa: PLC0415

    config = HttpConfig(public_url="https://accounts.example.com", version=version("hallporter"))
    typer.echo(json.dumps(create_app(config=config).openapi(), indent=2))
