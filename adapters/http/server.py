"""How the shipped command serves."""

from typing import Any

import uvicorn

from adapters.http.protocol import ArmouredProtocol

_DRAIN_SECONDS = 20


def server_config(
    app: Any,  # noqa: ANN401  (an application, or where it is to be imported from)
    *,
    workers: int = 1,
    protocol: type[ArmouredProtocol] = ArmouredProtocol,
) -> uvicorn.Config:
    """Uvicorn's configuration, for `uvicorn.Server` or its supervisor of several processes."""
    return uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        loop="auto",  # uvloop, but on Windows
        workers=workers,
        log_config=None,
        access_log=False,
        server_header=False,
        # Whoever sits next to us may claim any address in X-Forwarded-For.
        proxy_headers=False,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
    )
