"""Transactions, with a span for each."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.traces.tracer import Tracer
from application.ports.unit_of_work import Transaction, UnitOfWork


class TracedUnitOfWork:
    """Another unit of work. A span lasts from asking for a connection until it is given back; it has no SQL in it."""

    def __init__(self, unit_of_work: UnitOfWork, tracer: Tracer) -> None:
        self._unit_of_work = unit_of_work
        self._tracer = tracer

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        with self._tracer.database("transaction"):
            async with self._unit_of_work.begin() as tx:
                yield tx

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Transaction]:
        with self._tracer.database("write"):
            async with self._unit_of_work.write() as tx:
                yield tx

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Transaction]:
        with self._tracer.database("read"):
            async with self._unit_of_work.read() as tx:
                yield tx


def _is_unit_of_work(traced: TracedUnitOfWork) -> UnitOfWork:
    return traced
