"""Holding the audit log against its chain and its checkpoints, entry by entry (LA-05)."""

from dataclasses import replace
from typing import Any

import pytest

from domain.audit.chain import Link, SealedEntry, seal
from domain.audit.checkpoint import CheckpointClaims
from domain.audit.verification import Finding, KnownCheckpoint, Problem, Report, Verifier
from tests.unit.test_audit_export import NOW, entry

# The sequence of an entry is another number than its position.
LOG = seal([entry(number) for number in (30, 50, 40, 90)], None)


def checkpoint(at: SealedEntry, *, is_signed: bool | None = True, **claims: Any) -> KnownCheckpoint:
    """What a checkpoint right behind this entry says, unless it claims something else."""
    said = CheckpointClaims(
        issuer="https://a.example.com",
        position=at.position,
        sequence=at.entry.sequence,
        chain_hash=at.chain_hash.hex(),
        made_at=NOW,
        entries=at.position,
    )
    return KnownCheckpoint(claims=replace(said, **claims), is_signed=is_signed)


def see(verifier: Verifier, *entries: SealedEntry) -> list[bool]:
    return [verifier.see(each) for each in entries]


def test_a_log_that_is_what_it_was_is_told_to_be() -> None:
    verifier = Verifier([checkpoint(LOG[1]), checkpoint(LOG[3], is_signed=None)])
    forgotten = replace(LOG[2], entry=replace(LOG[2].entry, personal={}))
    assert see(verifier, LOG[0], LOG[1], forgotten, LOG[3]) == [True] * 4
    assert (verifier.position, verifier.sequence) == (4, 90)
    assert verifier.report(is_end=True, unsealed=7) == Report(
        from_position=1,
        to_position=4,
        entries=4,
        checkpoints=2,
        unsigned_checkpoints=1,
        destroyed=1,
        unsealed=7,
        next_position=None,
        problem=None,
    )


def test_whoever_stops_before_the_end_is_told_where_to_go_on_and_misses_no_checkpoint() -> None:
    verifier = Verifier([checkpoint(LOG[3])])
    see(verifier, *LOG[:2])
    report = verifier.report(is_end=False)
    assert (report.to_position, report.next_position, report.problem) == (2, 3, None)


def test_what_comes_behind_a_link_is_held_against_later_checkpoints_alone() -> None:
    after = LOG[1].link
    verifier = Verifier([checkpoint(LOG[1], chain_hash="00"), checkpoint(LOG[2])], after=after)
    assert see(verifier, LOG[2]) == [True]
    report = verifier.report(is_end=True)
    assert (report.from_position, report.entries, report.checkpoints, report.problem) == (3, 1, 1, None)


@pytest.mark.parametrize("claims", [{"sequence": 41}, {"chain_hash": "00"}, {"entries": 2}])
def test_an_entry_that_no_checkpoint_knew_is_looked_for_behind_the_last_one_that_fits(
    claims: dict[str, Any],
) -> None:
    verifier = Verifier([checkpoint(LOG[2], **claims), checkpoint(LOG[0])])
    assert see(verifier, *LOG) == [True, True, False, False]
    assert verifier.problem == Problem(what=Finding.CHECKPOINT, position=3, sequence=40, after_sequence=30)
    assert verifier.report(is_end=True).next_position is None


def test_a_checkpoint_that_nobody_signed_vouches_for_nothing() -> None:
    verifier = Verifier([checkpoint(LOG[1], is_signed=False)])
    assert see(verifier, *LOG[:2]) == [True, False]
    assert verifier.problem == Problem(what=Finding.BAD_SIGNATURE, position=2, sequence=50, after_sequence=None)


@pytest.mark.parametrize(
    ("is_signed", "what", "position"),
    [(True, Finding.TRUNCATED, 3), (None, Finding.TRUNCATED, 3), (False, Finding.BAD_SIGNATURE, 4)],
)
def test_a_checkpoint_behind_the_end_tells_that_there_was_more(
    is_signed: bool | None,  # noqa: FBT001  (a parameter of the table above)
    what: Finding,
    position: int,
) -> None:
    verifier = Verifier([checkpoint(LOG[3], is_signed=is_signed)])
    see(verifier, *LOG[:2])
    found = verifier.report(is_end=True).problem
    assert found == Problem(what=what, position=position, sequence=None, after_sequence=50)


def test_an_entry_that_was_kept_out_of_the_chain_is_named() -> None:
    verifier = Verifier()
    see(verifier, *LOG[:2])
    verifier.see_kept_out(45)
    expected = Problem(what=Finding.KEPT_OUT, position=3, sequence=45, after_sequence=50)
    assert verifier.problem == expected
    verifier.see_kept_out(46)
    assert see(verifier, LOG[2]) == [False]
    assert verifier.problem == expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (LOG[0], Problem(what=Finding.OUT_OF_ORDER, position=1, sequence=30, after_sequence=30)),
        (LOG[2], Problem(what=Finding.MISSING, position=2, sequence=None, after_sequence=30)),
        (LOG[1].link, Problem(what=Finding.MISSING, position=2, sequence=None, after_sequence=30)),
        (
            replace(LOG[1], entry=replace(LOG[1].entry, event="user.reinstated")),
            Problem(what=Finding.EDITED, position=2, sequence=50, after_sequence=30),
        ),
        (
            replace(LOG[1], entry=replace(LOG[1].entry, personal=LOG[2].entry.personal)),
            Problem(what=Finding.PERSONAL, position=2, sequence=50, after_sequence=30),
        ),
    ],
    ids=["again", "one too far", "lost", "edited", "another's detail"],
)
def test_what_is_wrong_is_named_with_the_last_entry_that_is_right(found: SealedEntry | Link, expected: Problem) -> None:
    verifier = Verifier()
    assert see(verifier, LOG[0]) == [True]
    assert not verifier.see(found)
    assert verifier.problem == expected
