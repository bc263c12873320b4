"""Taking turns: one process migrates a database, the others wait (fault 29)."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# Whoever waited in a statement would be an old snapshot, which an index that is built concurrently waits for in turn.
_TAKE = text("SELECT pg_try_advisory_xact_lock(hashtext('hallporter.migrate'))")
# The transaction lies idle for as long as the migrations take.
_STAY = text("SET LOCAL idle_in_transaction_session_timeout = 0")
_LOOK_AGAIN = 0.2


@asynccontextmanager
async def taken(connection: AsyncConnection) -> AsyncIterator[None]:
    """Wait until nobody else migrates the database of `connection`; nobody else does for as long as the block.

    The lock is held by a transaction on another connection, since migrations end transactions of their own. One that
    dies gives it back.
    """
    async with connection.engine.connect() as holder:
        while not (await holder.execute(_TAKE)).scalar_one():
            await holder.rollback()
            await asyncio.sleep(_LOOK_AGAIN * random.uniform(0.5, 1))  # noqa: S311  (keeps those who wait apart)
        await holder.execute(_STAY)
        yield
