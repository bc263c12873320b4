"""Exports of the audit log, and whoever changes something in one (LA-05)."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.audit.export_audit_log import ExportAuditLog
from application.audit.exports import End, Header, Line, MalformedExport, read, written
from application.audit.make_checkpoint import MakeCheckpoint
from application.audit.origin import Origin, acting_from
from application.audit.verify_export import MAX_LINE_BYTES, VerifiedExport, verify_export
from domain.audit.audit_entry import AuditEntry, PersonalDetail, Source
from domain.audit.chain import canonical, commitment, leaf, seal
from domain.audit.verification import Finding
from domain.events import Outcome
from domain.ids import AuditEntryId, UserId
from tests.world import World

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
ADA = UserId(UUID(int=1))


def entry(sequence: int) -> AuditEntry:
    personal = {"explanation": PersonalDetail(salt=f"{sequence:02x}" * 32, value='She said "é \u2028 \x01"')}
    return AuditEntry(
        id=AuditEntryId(UUID(int=sequence)),
        sequence=sequence,
        event="user.suspended",
        outcome=Outcome.SUCCESS,
        source=Source.HTTP,
        actor_id=UserId(UUID(int=2)),
        user_id=ADA,
        occurred_at=NOW + timedelta(microseconds=sequence),
        request_id=None,
        public={"explanation": None, "until": None, "count": 12, "forever": True, "roles": ["admin", "é"]},
        commitments={name: commitment(kept) for name, kept in personal.items()},
        personal=personal,
    )


SEALED = seal([entry(number) for number in (3, 5, 4, 9)], None)
LINES: Sequence[Line] = (
    Header(issuer="https://a.example.com", made_at=NOW, with_personal=True),
    *SEALED,
    End(entries=len(SEALED)),
)
TEXTS = [written(line) for line in LINES]
COMMITMENT = "3d708333b92f9d52f086f2d74d1af651a0cdcfa8844d38ba876ce2bb99f17dff"
LEAF = "0784c7f08b80a2df46bec389e430c6515979b09138fa17bf329c9e6251a4c48c"
CHAIN = "3ca7f7c0079dc064227b85b4881016df6cf143a88ce4c1c5a05994be0bfeba77"


def verified(texts: Sequence[str]) -> VerifiedExport:
    return verify_export([f"{text}\n".encode() for text in texts], is_signed=lambda _: None)


def changed(number: int, text: str) -> list[str]:
    return [*TEXTS[:number], text, *TEXTS[number + 1 :]]


def is_found(texts: Sequence[str]) -> bool:
    try:
        return verified(texts).report.problem is not None
    except MalformedExport:
        return True


def test_what_was_written_is_read_again() -> None:
    assert [read(text) for text in TEXTS] == list(LINES)
    report = verified(TEXTS).report
    assert (report.entries, report.destroyed, report.problem) == (4, 0, None)


def test_it_can_be_done_without_what_is_personal() -> None:
    bare = [written(line, with_personal=False) for line in LINES]
    assert not [text for text in bare if "She said" in text]
    assert (verified(bare).report.destroyed, verified(bare).report.problem) == (4, None)


def test_the_hashes_are_those_that_anybody_can_compute() -> None:
    """Written down here, so that a release after this one computes the same."""
    assert canonical({"b": [1, True, None], "a": "é\u2028\n"}) == '{"a":"é\u2028\\n","b":[1,true,null]}'.encode()
    assert commitment(PersonalDetail(salt="00" * 32, value="192.0.2.7")) == COMMITMENT
    assert leaf(SEALED[0].entry).hex() == LEAF
    assert SEALED[-1].chain_hash.hex() == CHAIN


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_la_05_no_character_of_an_entry_can_be_changed_without_a_trace(data: st.DataObject) -> None:
    number = data.draw(st.integers(1, len(SEALED)), label="line")
    text = TEXTS[number]
    place = data.draw(st.integers(0, len(text) - 1), label="place")
    other = data.draw(st.characters(exclude_characters=text[place], exclude_categories=["Cs"]), label="character")
    mutation = data.draw(st.sampled_from(["replace", "insert", "remove"]), label="mutation")
    rest = text[place:] if mutation == "insert" else text[place + 1 :]
    mutant = text[:place] + ("" if mutation == "remove" else other) + rest
    assert is_found(changed(number, mutant))


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["refused", "cli", str(ADA)]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_la_05_no_member_of_an_entry_can_be_changed_without_a_trace(data: st.DataObject) -> None:
    number = data.draw(st.integers(1, len(SEALED)), label="line")
    members = json.loads(TEXTS[number])
    name = data.draw(st.sampled_from(sorted(members)), label="member")
    value = data.draw(JSON_VALUES, label="value")
    # That something is destroyed is no problem: it may be, and it shows.
    if canonical(value) != canonical(members[name]) and not (name == "personal" and value == {}):
        assert is_found(changed(number, canonical({**members, name: value}).decode()))


def found(texts: Sequence[str]) -> tuple[Finding, int, int | None, int | None]:
    problem = verified(texts).report.problem
    assert problem is not None
    return problem.what, problem.position, problem.sequence, problem.after_sequence


def test_la_05_lines_that_are_missing_repeated_or_elsewhere_are_told_apart() -> None:
    header, first, second, third, fourth, end = TEXTS
    assert found([header, first, third, fourth, end]) == (Finding.MISSING, 2, None, 3)
    assert found([header, first, third, second, fourth, end]) == (Finding.OUT_OF_ORDER, 2, 5, 3)
    assert found([header, first, first, second, third, fourth, end]) == (Finding.OUT_OF_ORDER, 1, 3, 3)
    assert found([header, second, third, fourth, end]) == (Finding.MISSING, 1, None, None)
    assert found([header, first, second, third, end]) == (Finding.TRUNCATED, 4, None, 4)
    assert found([header, first, second]) == (Finding.TRUNCATED, 3, None, 5)
    assert found([header]) == (Finding.TRUNCATED, 1, None, None)


@pytest.mark.parametrize(
    ("texts", "sentence"),
    [
        ([], "Line 1 is not the header of an export of the audit log."),
        ([TEXTS[1]], "Line 1 is not the header of an export of the audit log."),
        (["{}"], "Line 1 is not a line of an export of the audit log."),
        ([TEXTS[0], "[" * 100_000], "Line 2 is not a line of an export of the audit log."),
        ([TEXTS[0], "null"], "Line 2 is not a line of an export of the audit log."),
        ([TEXTS[0], ""], "Line 2 is not a line of an export of the audit log."),
        ([TEXTS[0], f" {TEXTS[1]}"], "Line 2 is not a line of an export of the audit log."),
        ([TEXTS[0], "9" * 5000], "Line 2 is not a line of an export of the audit log."),
        ([TEXTS[0], "x" * MAX_LINE_BYTES], "Line 2 is longer than any line of an export."),
        ([TEXTS[0], TEXTS[0]], "Line 2 stands where no such line does."),
        ([*TEXTS, TEXTS[1]], "Line 7 stands behind the end."),
        ([*TEXTS[:-1], written(End(entries=3))], "Line 6 says that there are 3 entries, and there are 4."),
    ],
)
def test_fault_40_what_is_no_export_is_said_to_be_none_and_at_which_line(texts: list[str], sentence: str) -> None:
    with pytest.raises(MalformedExport) as refused:
        verified(texts)
    assert str(refused.value) == sentence


def test_bytes_that_are_no_text_are_said_to_be_none() -> None:
    with pytest.raises(MalformedExport, match=r"^Line 1 is not UTF-8\.$"):
        verify_export([b"\xff\n"], is_signed=lambda _: None)


async def test_an_export_has_everything_that_was_written_down_before_it(world: World) -> None:
    with acting_from(Origin(source=Source.CLI)):
        user = await world.register()
    made = await world.container.resolve(MakeCheckpoint).execute()
    lines = [line async for line in world.container.resolve(ExportAuditLog).execute()]
    header, checkpoint, *entries, end = lines
    assert isinstance(header, Header)
    assert (checkpoint, end) == (made, End(entries=len(entries)))
    events = [line.entry.event for line in entries if not isinstance(line, Header | End)]  # type: ignore[union-attr]
    assert "user.registered" in events
    assert events[-1] == "audit.read"
    report = verified([written(line) for line in lines]).report
    assert (report.problem, report.checkpoints, report.unsigned_checkpoints) == (None, 1, 1)
    assert str(user.id) in "".join(written(line) for line in lines)


async def test_la_05_a_checkpoint_is_made_when_there_is_something_new_and_a_day_has_passed(world: World) -> None:
    make = world.container.resolve(MakeCheckpoint)
    first = await make.execute()
    assert first is not None
    assert await make.execute() == first
    await world.register()
    assert await make.execute(if_due=True) == first
    world.clock.advance(timedelta(days=1))
    second = await make.execute(if_due=True)
    assert second is not None
    assert second.claims.position == first.claims.position + 1
    assert await make.execute() == second
