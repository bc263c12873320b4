"""Files as lines and rows, however they come."""

from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.transfer.chunks import Chunk, chunks_of
from application.transfer.invalid_row import InvalidRow
from application.transfer.lines import MAX_LINE_BYTES, Record, lines_of
from application.transfer.row_formats import rows_of
from domain.transfer.user_import import AnotherFile, RowFormat, UnreadableFile


async def in_blocks(content: bytes, size: int = 7) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def lines(content: bytes, size: int = 7) -> list[tuple[int, bytes]]:
    return [(line.line, line.raw) async for some in lines_of(in_blocks(content, size)) for line in some]


async def chunks(
    content: bytes, format: RowFormat = RowFormat.NDJSON, *, after: Chunk | None = None, most_rows: int = 3
) -> list[Chunk]:
    last = after.first + len(after.records) - 1 if after is not None else 0
    found = chunks_of(
        in_blocks(content),
        rows_of(format),
        key=b"key",
        after=last,
        fingerprint=after.fingerprint if after is not None else b"",
        most_rows=most_rows,
    )
    return [chunk async for chunk in found]


@given(
    st.lists(st.binary(max_size=9).filter(lambda line: b"\n" not in line), max_size=9),
    st.integers(min_value=1, max_value=20),
    st.booleans(),
)
async def test_blocks_of_any_size_make_the_same_lines(given: list[bytes], size: int, ends: bool) -> None:  # noqa: FBT001
    content = b"\n".join(given) + (b"\n" if ends else b"")
    wanted = [(number, line) for number, line in enumerate(content.split(b"\n"), 1) if line.strip()]
    if not content.startswith(b"\xef\xbb\xbf"):
        assert await lines(content, size) == wanted


@pytest.mark.parametrize("size", [1, 2, 3, 100])
async def test_a_byte_order_mark_is_none_of_the_first_line_and_part_of_others(size: int) -> None:
    mark = b"\xef\xbb\xbf"
    assert await lines(mark + b"a\n" + mark + b"b", size) == [(1, b"a"), (2, mark + b"b")]
    assert await lines(mark + b"a", size) == [(1, b"a")]
    assert await lines(mark, size) == []


@pytest.mark.parametrize("size", [1_000, MAX_LINE_BYTES + 1, 10 * MAX_LINE_BYTES])
@pytest.mark.parametrize("length", [MAX_LINE_BYTES, MAX_LINE_BYTES + 1, 3 * MAX_LINE_BYTES + 5])
async def test_in_01_a_line_that_is_too_long_is_cut_and_those_after_it_are_whole(size: int, length: int) -> None:
    found = await lines(b"a\n" + b"x" * length + b"\nb\n\n" + b"y" * length, size)
    assert [(number, len(line)) for number, line in found] == [
        (1, 1),
        (2, min(length, MAX_LINE_BYTES + 1)),
        (3, 1),
        (5, min(length, MAX_LINE_BYTES + 1)),
    ]


async def test_chunks_number_rows_and_go_on_after_any_of_them() -> None:
    content = b"\n".join(b"{%d}" % number for number in range(8))
    whole = await chunks(content)
    assert [(chunk.first, len(chunk.records)) for chunk in whole] == [(1, 3), (4, 3), (7, 2)]
    assert await chunks(content, after=whole[0]) == whole[1:]
    assert await chunks(content, after=whole[-1]) == []
    # What comes after where one stopped may still be mended.
    assert len(await chunks(content + b"\nmore", after=whole[1])) == 1


async def test_a_file_that_is_another_up_to_there_does_not_go_on() -> None:
    content = b"a\nb\nc\nd"
    (first, _) = await chunks(content)
    for other in (b"a\nB\nc\nd", b"a\nb", b"a\nbc\nd\ne"):
        with pytest.raises(AnotherFile):
            await chunks(other, after=first)
    # Blank lines are no rows.
    assert len(await chunks(b"\na\n\nb\r\n\nc\nd".replace(b"\r", b""), after=first)) == 1


async def test_the_header_is_part_of_the_file() -> None:
    (first, _) = await chunks(b"email\na\nb\nc\nd", RowFormat.CSV)
    assert (first.first, first.records[0]) == (1, Record(2, b"a"))
    with pytest.raises(AnotherFile):
        await chunks(b"email,\na\nb\nc\nd", RowFormat.CSV, after=first)


@pytest.mark.parametrize("header", [b"", b"name\n", b"email,email\n", b'"email\n', b"\xff,email\n", b"email,a\0,a\0\n"])
async def test_csv_without_a_good_header_is_refused_as_a_whole(header: bytes) -> None:
    content = header + b"ada@example.com\n"
    with pytest.raises(UnreadableFile):
        await chunks(content, RowFormat.CSV)


async def rows(content: bytes, format: RowFormat) -> list[tuple[int, object]]:
    """What is in each row, or the code of what is wrong."""
    reader = rows_of(format)
    found: list[tuple[int, object]] = []
    async for chunk in chunks_of(in_blocks(content), reader, key=b"key", most_rows=1_000):
        for line, raw in chunk.records:
            try:
                found.append((line, reader.fields(raw)))
            except InvalidRow as row:
                found.append((line, row.violation.code))
    return found


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        (b"{", "malformed_json"),
        (b"[]", "not_an_object"),
        (b"null", "not_an_object"),
        (b'{"email": "a", "email": "b"}', "repeated_field"),
        (b'{"password_hash": {"a": 1, "a": 2}}', "repeated_field"),
        (b'{"a": NaN}', "malformed_json"),
        (b'{"a": -Infinity}', "malformed_json"),
        (b'{"a": 1e999}', "malformed_json"),
        (b'{"a": ' + b"9" * 5_000 + b"}", "malformed_json"),
        (b'{"a": ' + b"[" * 30_000, "malformed_json"),
        (b'{"a": "\\u0000"}', "unstorable_text"),
        (b'{"a": [{"b": "\\ud800"}]}', "unstorable_text"),
        (b'{"a": "\\udfff"}', "unstorable_text"),
        (b'{"a": ' + b"9" * 19 + b"}", "malformed_json"),
        (b'{"\\ud800": 1}', "unstorable_text"),
        (b'{"a": "\0"}', "malformed_json"),
        (b'{"a": "\xff"}', "not_utf_8"),
        (b'{"a": "\xed\xa0\x80"}', "not_utf_8"),
        (b'{"a": "' + b"x" * MAX_LINE_BYTES + b'"}', "line_too_long"),
        (b'{"a": 1} {"b": 2}', "malformed_json"),
    ],
)
async def test_in_02_what_is_not_strict_json_is_a_bad_row_between_good_ones(row: bytes, wrong: str) -> None:
    """IN-03."""
    good = b'{"email": "ada@example.com"}'
    found = await rows(good + b"\r\n" + row + b"\n" + good, RowFormat.NDJSON)
    assert found == [(1, {"email": "ada@example.com"}), (2, wrong), (3, {"email": "ada@example.com"})]


async def test_escapes_of_what_can_be_stored_are_read() -> None:
    assert await rows(b'{"a": "\\ud83d\\udddd \\u00fc", "b": [1.5, -7, true]}', RowFormat.NDJSON) == [
        (1, {"a": "\U0001f5dd ü", "b": [1.5, -7, True]})
    ]


async def test_whole_numbers_are_read_as_far_as_they_can_be_stored() -> None:
    largest = 10**18 - 1
    assert await rows(b'{"a": %d}' % largest, RowFormat.NDJSON) == [(1, {"a": largest})]


@pytest.mark.parametrize(
    ("format", "raw"),
    [
        (RowFormat.NDJSON, b"{"),
        (RowFormat.NDJSON, b"[]"),
        (RowFormat.NDJSON, b"\xff"),
        (RowFormat.NDJSON, b'"' + b"x" * MAX_LINE_BYTES),
        (RowFormat.NDJSON, b'{"a": 1, "a": 2}'),
        (RowFormat.NDJSON, b'{"a": "\\u0000"}'),
        (RowFormat.CSV, b'"a" b'),
        (RowFormat.CSV, b"a,b"),
        (RowFormat.CSV, b"\0"),
    ],
)
async def test_what_is_wrong_with_a_row_as_a_whole_is_said_of_no_field(format: RowFormat, raw: bytes) -> None:
    reader = rows_of(format)
    reader.records([Record(1, b"email")])
    with pytest.raises(InvalidRow) as refusal:
        reader.fields(raw)
    assert refusal.value.violation.field == ""


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        (b'ada@example.com,"a" b', "malformed_csv"),
        (b"ada@example.com", "wrong_number_of_cells"),
        (b"ada@example.com,a,b", "wrong_number_of_cells"),
        (b"ada@example.com,\0", "unstorable_text"),
        (b"ada@example.com,\xff", "not_utf_8"),
        (b"a," + b"x" * MAX_LINE_BYTES, "line_too_long"),
    ],
)
async def test_what_is_not_csv_is_a_bad_row_between_good_ones(row: bytes, wrong: str) -> None:
    good = b"a@example.com,A"
    found = await rows(b"email,display_name\r\n" + good + b"\r\n" + row + b"\n" + good, RowFormat.CSV)
    fields = {"email": "a@example.com", "display_name": "A"}
    assert found == [(2, fields), (3, wrong), (4, fields)]


async def test_cells_of_csv_are_the_values_that_their_fields_have() -> None:
    content = (
        b"email,email_verified,roles,display_name,suspension\n"
        b'a@example.com,true,"admin, porter","Ada ""the first"", Lovelace",\n'
        b'b@example.com,FALSE,a b,5" disk,"{""since"": ""x""}"\n'
        b"c@example.com,yes,,,\n"
        b'd@example.com,,,"two\nlines",\n'
        b"e@example.com,,,,{\n"
        b'f@example.com,,,"a ""b\nc",\n'
    )
    assert await rows(content, RowFormat.CSV) == [
        (
            2,
            {
                "email": "a@example.com",
                "email_verified": True,
                "roles": ["admin", "porter"],
                "display_name": 'Ada "the first", Lovelace',
            },
        ),
        (
            3,
            {
                "email": "b@example.com",
                "email_verified": False,
                "roles": ["a", "b"],
                "display_name": '5" disk',
                "suspension": {"since": "x"},
            },
        ),
        (4, "not_a_boolean"),
        (5, {"email": "d@example.com", "display_name": "two\nlines"}),
        (7, "malformed_json"),
        (8, {"email": "f@example.com", "display_name": 'a "b\nc'}),
    ]


@pytest.mark.parametrize("others", [1, 3_000])
async def test_a_quote_that_nobody_closes_costs_one_row(others: int) -> None:
    good = b"\na@example.com,Aaaaaaaaaaaaaaaaaaaaaaaaa"
    found = await rows(b'email,display_name\nb@example.com,"B' + good * others, RowFormat.CSV)
    assert [row for _, row in found].count("malformed_csv") == 1
    assert len(found) == others + 1
    assert found[0] == (2, "malformed_csv")


async def test_a_quote_that_nobody_closes_costs_no_cell_that_comes_long_after() -> None:
    good = b"\na@example.com,Aaaaaaaaaaaaaaaaaaaaaaaaa"
    content = b'email,display_name\nb@example.com,"B' + good * 3_000 + b'\nc@example.com,"C\nC"'
    found = await rows(content, RowFormat.CSV)
    assert [row for _, row in found].count("malformed_csv") == 1
    assert found[-1] == (3_003, {"email": "c@example.com", "display_name": "C\nC"})
