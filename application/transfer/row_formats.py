"""Rows as they are written: NDJSON, an object a line, and CSV with a header line."""

import csv
import json
import math
import re
from collections.abc import Sequence
from typing import NoReturn, Protocol

from application.transfer.invalid_row import InvalidRow
from application.transfer.lines import MAX_LINE_BYTES, Record
from domain.errors import Violation
from domain.text import is_storable
from domain.transfer.user_import import RowFormat, unreadable_file

type Fields = dict[str, object]

_QUOTE = b'"'
# Cells that begin with a quote end with one; elsewhere a quote is a character like others. Nothing is tried twice.
_CELL = rb'(?>"(?>[^"]|"")*+"|[^,"][^,]*+|)'
_WHOLE = re.compile(rb"%b(?>,%b)*+" % (_CELL, _CELL))
_SEPARATOR = re.compile(r"[ ,]+")
_BOOLEANS = {"true": True, "false": False}


class RowsOfFormat(Protocol):
    """Knows where rows begin and end, and what is in one."""

    header: bytes
    """What stands before the first row, and counts as part of the file."""

    def records(self, lines: Sequence[Record]) -> list[Record]:
        """The rows that are whole with these lines.

        Raises: UnreadableFile.
        """
        ...

    def rest(self) -> list[Record]:
        """What is left at the end of the file."""
        ...

    def fields(self, raw: bytes) -> Fields:
        """What is in a row.

        Raises: InvalidRow.
        """
        ...


def rows_of(format: RowFormat) -> RowsOfFormat:
    """A new reader of that format."""
    return CsvRows() if format is RowFormat.CSV else NdjsonRows()


class NdjsonRows:
    """An object a line, in strict JSON (IN-02): no name twice, no NaN, nothing that cannot be stored."""

    header = b""

    def records(self, lines: Sequence[Record]) -> list[Record]:
        return [*lines]

    def rest(self) -> list[Record]:
        return []

    def fields(self, raw: bytes) -> Fields:
        fields = _json(_text(raw))
        if not isinstance(fields, dict):
            raise InvalidRow(Violation("", "not_an_object", "A row is a JSON object."))
        return fields


class CsvRows:
    """The same names in a header line, commas between, quotes as of RFC 4180. An empty cell is an absent field."""

    def __init__(self) -> None:
        self.header = b""
        self._names: list[str] = []
        self._open: list[Record] = []
        self._open_bytes = 0

    def records(self, lines: Sequence[Record]) -> list[Record]:
        if not self._names and lines:
            self.header, lines = lines[0].raw, lines[1:]
            self._names = _names_of(self.header)
        found: list[Record] = []
        for line in lines:
            self._take(line, found)
        return found

    def rest(self) -> list[Record]:
        # A quote that nobody closes: that line is a bad one, and those after it may be good.
        found: list[Record] = []
        while self._open:
            self._give_up(found)
        return found

    def fields(self, raw: bytes) -> Fields:
        text = _text(raw)
        if "\0" in text:
            raise _unstorable()
        try:
            (cells,) = csv.reader([text], strict=True)
        except (csv.Error, ValueError):
            raise InvalidRow(Violation("", "malformed_csv", "The line is not CSV: look at its quotes.")) from None
        if len(cells) != len(self._names):
            detail = "The line has more or fewer cells than the header."
            raise InvalidRow(Violation("", "wrong_number_of_cells", detail))
        return {name: _value(name, cell) for name, cell in zip(self._names, cells, strict=True) if cell}

    def _take(self, line: Record, found: list[Record]) -> None:
        """Note a line; one that ends within quotes goes on in the next."""
        is_odd = line.raw.count(_QUOTE) % 2 == 1
        if not self._open and not (is_odd and not _WHOLE.fullmatch(line.raw)):
            found.append(line)
            return
        ends = bool(self._open) and is_odd
        self._open.append(line)
        self._open_bytes += len(line.raw)
        if ends:
            found.append(Record(self._open[0].line, b"\n".join(part.raw for part in self._open)))
            self._open, self._open_bytes = [], 0
        elif self._open_bytes > MAX_LINE_BYTES:
            self._give_up(found)

    def _give_up(self, found: list[Record]) -> None:
        """Take the first of the open lines for a bad row, and look at the others anew."""
        first, *others = self._open
        self._open, self._open_bytes = [], 0
        found.append(first)
        for line in others:
            self._take(line, found)


def _names_of(header: bytes) -> list[str]:
    try:
        (names,) = csv.reader([header.decode()], strict=True)
    except (csv.Error, ValueError):
        names = []
    detail = "The first line names the fields, email among them and each once, with commas between."
    if "email" not in names or len(set(names)) < len(names):
        raise unreadable_file(detail)
    return names


def _value(name: str, cell: str) -> object:
    match name:
        case "email_verified":
            if cell.lower() not in _BOOLEANS:
                raise InvalidRow(Violation(name, "not_a_boolean", "This must be true or false."))
            return _BOOLEANS[cell.lower()]
        case "roles":
            return [role for role in _SEPARATOR.split(cell) if role]
        case "suspension":
            return _json(cell)
    return cell


def _text(raw: bytes) -> str:
    if len(raw) > MAX_LINE_BYTES:
        raise InvalidRow(Violation("", "line_too_long", f"A row may have {MAX_LINE_BYTES} bytes."))
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise InvalidRow(Violation("", "not_utf_8", "The row is not UTF-8.")) from None


def _unstorable() -> InvalidRow:
    return InvalidRow(Violation("", "unstorable_text", "NUL and lone surrogates cannot be stored."))


def _json(text: str) -> object:
    text = text.strip(" \t\r\n")
    try:
        value, end = _scan(text, 0)
    except (StopIteration, ValueError, RecursionError):
        raise _malformed() from None
    if end != len(text):
        raise _malformed()
    # Without an escape there is neither: both readers refuse them as they are.
    if "\\u" in text:
        _check_texts(value)
    return value


def _malformed() -> InvalidRow:
    return InvalidRow(Violation("", "malformed_json", "The row is not JSON."))


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise InvalidRow(Violation("", "repeated_field", "An object names a field twice."))
    return members


def _refuse_number(_text: str) -> NoReturn:
    raise _malformed()


def _whole(text: str) -> int:
    return int(text) if len(text) < len(str(2**63)) else _refuse_number(text)


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse_number(text)


def _check_texts(value: object) -> None:
    if isinstance(value, str):
        if not is_storable(value):
            raise _unstorable()
    elif isinstance(value, dict):
        for name, member in value.items():
            _check_texts(name)
            _check_texts(member)
    elif isinstance(value, list):
        for member in value:
            _check_texts(member)


# Without `decode`, which takes as long to look for blanks as this takes to read.
_scan = json.JSONDecoder(  # type: ignore[attr-defined]  # not in the stubs
    object_pairs_hook=_members, parse_constant=_refuse_number, parse_int=_whole, parse_float=_finite
).scan_once
