"""A file as lines, whatever its size."""

from collections.abc import AsyncIterable, AsyncIterator
from typing import NamedTuple

MAX_LINE_BYTES = 64 * 1024
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Record(NamedTuple):
    """Some bytes, and the line that they begin in, counted from 1."""

    line: int
    raw: bytes


async def lines_of(source: AsyncIterable[bytes]) -> AsyncIterator[list[Record]]:
    """The lines that are not blank, some at a time, as blocks of the file come.

    Of one that is longer than `MAX_LINE_BYTES` comes a byte more than that, and the rest is passed over: no file fills
    memory. A byte order mark at the start, which some programs write, is none of its content.
    """
    number, rest, is_too_long = 0, b"", False
    async for block in source:
        *whole, last = (rest + block).split(b"\n")
        if is_too_long and whole:
            # What is left of a line that was given out before.
            whole[0] = b""
            is_too_long = False
        elif is_too_long:
            last = b""
        if number == 0 and whole:
            whole[0] = whole[0].removeprefix(_BYTE_ORDER_MARK)
        lines = [Record(number + at, line[: MAX_LINE_BYTES + 1]) for at, line in enumerate(whole, 1) if line.strip()]
        number += len(whole)
        if len(last) > MAX_LINE_BYTES + len(_BYTE_ORDER_MARK):
            lines.append(Record(number + 1, last[: MAX_LINE_BYTES + 1]))
            last, is_too_long = b"", True
        rest = last
        yield lines
    rest = rest.removeprefix(_BYTE_ORDER_MARK) if number == 0 else rest
    if rest.strip():
        yield [Record(number + 1, rest[: MAX_LINE_BYTES + 1])]
