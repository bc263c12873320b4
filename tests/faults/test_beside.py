"""What `beside.py` finds on the way from this release to itself; `.ci/previous-release` goes from the one before."""

from pathlib import Path

from tests.e2e.test_service import TOP, processes_of
from tests.faults.beside import run


async def test_fault_29_people_notice_nothing_of_an_upgrade_until_one_takes_away_what_is_in_use(home: Path) -> None:
    report = await run(TOP, home, later=['op.drop_column("users", "display_name")'])
    assert [stage.partition(":")[0] for stage in report.stages] == [
        "the release before serves",
        "upgrade",
        "this release serves beside it",
    ]
    assert any("internal_error" in problem for problem in report.problems)
    assert processes_of(home) == []
