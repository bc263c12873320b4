"""Rows of a file, so many at a time as one transaction takes in."""

from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass
from hashlib import blake2b

from application.transfer.lines import Record, lines_of
from application.transfer.row_formats import RowsOfFormat
from domain.transfer.user_import import another_file

MOST_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Some rows, the number of the first one, and the fingerprint of the file up to the last one."""

    first: int
    records: list[Record]
    fingerprint: bytes


async def chunks_of(
    source: AsyncIterable[bytes],
    rows: RowsOfFormat,
    *,
    key: bytes,
    after: int = 0,
    fingerprint: bytes = b"",
    most_rows: int,
) -> AsyncIterator[Chunk]:
    """The rows after that one. Fingerprints are keyed with `key`; `fingerprint` is what that row must have.

    Raises: AnotherFile, UnreadableFile.
    """
    digest, number, size = blake2b(key=key), 0, 0
    waiting: list[Record] = []
    async for records in _records(source, rows):
        if number == 0 and records:
            digest.update(rows.header)
        for record in records:
            number += 1
            digest.update(record.raw + b"\n")
            if number <= after:
                if number == after and digest.digest() != fingerprint:
                    raise another_file()
                continue
            waiting.append(record)
            size += len(record.raw)
            if len(waiting) == most_rows or size > MOST_BYTES:
                yield Chunk(first=number - len(waiting) + 1, records=waiting, fingerprint=digest.digest())
                waiting, size = [], 0
    if number < after:
        raise another_file()
    if waiting:
        yield Chunk(first=number - len(waiting) + 1, records=waiting, fingerprint=digest.digest())


async def _records(source: AsyncIterable[bytes], rows: RowsOfFormat) -> AsyncIterator[list[Record]]:
    async for lines in lines_of(source):
        yield rows.records(lines)
    yield rows.rest()
