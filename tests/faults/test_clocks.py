"""Whose clock is right? (fault 26)"""

from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import text

from adapters.postgres import examination
from adapters.postgres.embedded import embedded_postgres
from entrypoints.settings import Settings
from entrypoints.startup import started


@pytest.fixture
def log() -> Iterator[list[MutableMapping[str, Any]]]:
    quiet = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("WARNING"))
    with structlog.testing.capture_logs() as entries:
        yield entries
    structlog.configure(**quiet)


async def test_fault_26_a_service_whose_database_has_another_time_says_so_at_the_start(
    home: Path, monkeypatch: pytest.MonkeyPatch, log: list[MutableMapping[str, Any]]
) -> None:
    warned: list[list[int]] = []
    with embedded_postgres(home, durable=False):
        for seconds in (0, 4, 6, -6, 3600):
            shifted = text(f"SELECT clock_timestamp() + interval '{seconds} seconds'")
            monkeypatch.setattr(examination, "_NOW", shifted)
            log.clear()
            async with started(Settings(_env_file=None, hallporter_home=home)):
                told = [entry["database_ahead_seconds"] for entry in log if entry["event"] == "clock.differs"]
            warned.append([round(each) for each in told])
    assert warned == [[], [], [6], [-6], [3600]]
