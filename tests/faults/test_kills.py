"""A few kills of the service and its database (faults 1, 19 and 33); `python -m tests.faults.kills` does many."""

from itertools import repeat
from pathlib import Path

import pytest

from tests.faults import kills
from tests.faults.kills import Victim, run


async def test_nothing_that_was_acknowledged_is_lost_whatever_is_killed(home: Path) -> None:
    report = await run(home, Victim, seed=1)
    assert report.problems == []
    assert set(report.killed) == set(Victim)
    assert report.acknowledged > 0


async def test_a_database_that_forgets_what_it_acknowledged_would_be_noticed(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def do_not(_engine: object) -> None:
        """Leave `synchronous_commit` off, as it is in servers that are for tests."""

    monkeypatch.setattr(kills, "_commit_before_saying_so", do_not)
    report = await run(home, repeat(Victim.DATABASE, 20), seed=1)
    assert report.problems
