"""A process of the service that kills or stops itself at a named point: `python -m tests.integration.crashing POINT`.

`registered`: right after the transaction that registers ada@example.com has committed. `before sending` and
`after sending`: a worker, around the moment at which the relay takes its mail. `stopped`: as the last, but only held,
until somebody lets it go on. Settings come from the environment, as for every other process.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TypedDict

from adapters.postgres.unit_of_work import PostgresUnitOfWork
from application.idempotency.claim_request import ClaimRequest
from application.messages.drafts import DRAFTERS
from application.ports.mailer import Mail, Mailer
from application.users.register_user import RegisterUser
from domain.events import Event
from domain.idempotency.idempotent_request import Once
from entrypoints.adapters import open_adapters
from entrypoints.container import Container, build_container
from entrypoints.database import database_url
from entrypoints.settings import load_settings
from entrypoints.worker import make_worker, working


class Request(TypedDict):
    """What is known of a request with an idempotency key."""

    principal: str
    route: str
    key: str
    body: bytes


REQUEST = Request(principal="anyone", route="register_user", key="the key", body=b"the body")
"""That of `registered`."""


class CrashingMailer:
    """Ends the process before or after the mail is taken."""

    def __init__(self, mailer: Mailer, point: str) -> None:
        self._mailer = mailer
        self._point = point

    async def send(self, mail: Mail) -> None:
        if self._point == "before sending":
            os.kill(os.getpid(), signal.SIGKILL)
        await self._mailer.send(mail)
        os.kill(os.getpid(), signal.SIGSTOP if self._point == "stopped" else signal.SIGKILL)


async def main(point: str) -> None:
    settings = load_settings()
    with database_url(settings) as url:
        async with open_adapters(settings, url) as real:
            adapters = replace(real, mailer=CrashingMailer(real.mailer, point))
            if point == "registered":
                await register(adapters.unit_of_work, build_container(settings, adapters))
            worker = make_worker(settings, adapters, build_container(settings, adapters))
            stopped = asyncio.Event()
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
            async with working(worker):
                await stopped.wait()


async def register(unit_of_work: object, container: Container) -> None:
    def die(events: Sequence[Event]) -> None:
        if any(event.name in DRAFTERS for event in events):
            os.kill(os.getpid(), signal.SIGKILL)

    assert isinstance(unit_of_work, PostgresUnitOfWork)
    unit_of_work._on_commit = die  # noqa: SLF001  (what the container hands over)
    once = await container.resolve(ClaimRequest).execute(**REQUEST)
    assert isinstance(once, Once)
    await container.resolve(RegisterUser).execute(
        email="ada@example.com", password="a quiet harbour at dawn", once=once
    )


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
