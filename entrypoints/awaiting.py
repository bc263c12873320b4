"""The ASGI application of a `hallporter serve` that has met no database: it migrates the one that it waits for."""

from entrypoints.api import app

app.state.migrates = True
