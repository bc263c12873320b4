"""Every contract runs on memory and on PostgreSQL."""

import pytest

from adapters.memory.unit_of_work import MemoryUnitOfWork
from application.ports.unit_of_work import UnitOfWork


@pytest.fixture
def memory_uow() -> UnitOfWork:
    return MemoryUnitOfWork()


# Not async: an async fixture cannot be fetched from within one.
@pytest.fixture(params=["memory", "postgres"])
def uow(request: pytest.FixtureRequest) -> UnitOfWork:
    unit_of_work: UnitOfWork = request.getfixturevalue(f"{request.param}_uow")
    return unit_of_work
