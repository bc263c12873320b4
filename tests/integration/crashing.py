"""A process of the service that kills or stops itself at a named point: `python -m tests.integration.crashing POINT`.

`registered`: right after the transaction that registers ada@example.com has committed. `before sending` and
`after sending`: a worker, around the moment at which the relay takes its mail. `stopped`: as the last, but only held,
until somebody lets it go on. `importing`: an import of `IMPORTED` users by two, when the rows of the third chunk are
written and not committed. Settings come from the environment, as for every other process.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TypedDict

from adapters.postgres.unit_of_work import PostgresUnitOfWork
from application.idempotency.claim_request import ClaimRequest
from application.messages.drafts import DRAFTERS
from application.ports.mailer import Mail, Mailer
from application.ports.unit_of_work import Transaction, UnitOfWork
from application.transfer.import_users import ImportPolicy, ImportUsers
from application.transfer.start_import import StartImport
from application.transfer.user_reader import UserReader
from application.users.register_user import RegisterUser
from domain.events import Event
from domain.idempotency.idempotent_request import Once
from domain.ids import UserImportId
from domain.transfer.user_import import ImportMode, RowFormat
from entrypoints.adapters import Adapters, open_adapters
from entrypoints.container import Container, build_container
from entrypoints.database import database_url
from entrypoints.settings import load_settings
from entrypoints.worker import make_worker, working
from tests.transfers import blocks_of, ndjson


class Request(TypedDict):
    """What is known of a request with an idempotency key."""

    principal: str
    route: str
    key: str
    body: bytes


REQUEST = Request(principal="anyone", route="register_user", key="the key", body=b"the body")
"""That of `registered`."""


ROWS_AT_ONCE = 2
IMPORTED = 9
"""How many users `importing` would bring."""


def imported_file() -> bytes:
    """The file of `importing`."""
    return ndjson(*({"email": f"user{number}@example.com"} for number in range(IMPORTED)))


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
            if point == "importing":
                await import_some(adapters, build_container(settings, adapters))
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


class CrashingUnitOfWork:
    """Ends the process before the third chunk of an import is committed."""

    def __init__(self, unit_of_work: UnitOfWork, import_id: UserImportId) -> None:
        self._unit_of_work = unit_of_work
        self._import_id = import_id
        self.read, self.write = unit_of_work.read, unit_of_work.write

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        async with self._unit_of_work.begin() as tx:
            yield tx
            if (await tx.user_imports.get(self._import_id)).rows == 3 * ROWS_AT_ONCE:
                os.kill(os.getpid(), signal.SIGKILL)


async def import_some(adapters: Adapters, container: Container) -> None:
    started = await container.resolve(StartImport).execute(mode=ImportMode.APPLY, format=RowFormat.NDJSON)
    importing = ImportUsers(
        CrashingUnitOfWork(adapters.unit_of_work, started.id),
        adapters.secret_sealer,
        container.resolve(UserReader),
        adapters.clock,
        ImportPolicy(rows_at_once=ROWS_AT_ONCE),
    )
    await importing.execute(import_id=started.id, source=blocks_of(imported_file()))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
