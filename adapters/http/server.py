"""How the shipped command serves."""

import asyncio
import select
import socket
from typing import Any, override

import uvicorn

from adapters.http.protocol import ArmouredProtocol

_DRAIN_SECONDS = 20
_TO_COME_IN = 0.05


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


class DrainingServer(uvicorn.Server):
    """Lets those in who knocked before it was told to stop: closing would cut them off (fault 36)."""

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        listeners = sockets or []
        for listener in listeners:
            # The system keeps nobody else waiting here.
            listener.listen(0)
        while select.select(listeners, [], [], 0)[0]:  # noqa: ASYNC110  (there is no event that says so)
            await asyncio.sleep(0)
        # Until the loop has told them all that they are in.
        await asyncio.sleep(_TO_COME_IN)
        await super().shutdown(sockets)
        for connection in list(self.server_state.connections):
            # Of those that were waited for in vain.
            connection.transport.abort()
