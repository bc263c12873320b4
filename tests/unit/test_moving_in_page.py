"""What docs/moving-in.md shows is accepted."""

import re
from pathlib import Path

import pytest

from adapters.crypto.password_transfer import SealingPasswordTransfer
from adapters.crypto.sealing import Sealer
from adapters.mail.email_parser import StrictEmailParser
from adapters.memory.clock import MemoryClock
from adapters.system.randomness import SystemRandomness
from application.transfer.chunks import chunks_of
from application.transfer.row_formats import rows_of
from application.transfer.user_reader import KNOWN_FIELDS, UserReader
from domain.transfer.user_import import RowFormat
from tests.transfers import blocks_of

PAGE = (Path(__file__).parents[2] / "docs" / "moving-in.md").read_text()
EXAMPLES = re.findall(r"^```(ndjson|csv)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("format", "file"), EXAMPLES)
async def test_every_example_is_accepted(format: str, file: str) -> None:
    reader = UserReader(StrictEmailParser(), SealingPasswordTransfer(Sealer(b"root key")), SystemRandomness())
    rows = rows_of(RowFormat(format))
    chunks = chunks_of(blocks_of(file.encode()), rows, key=b"key", most_rows=100)
    arrivals = [
        reader.read(rows.fields(record.raw), at=MemoryClock().now())
        async for chunk in chunks
        for record in chunk.records
    ]
    assert arrivals
    assert len(EXAMPLES) >= 7


def test_every_field_is_explained() -> None:
    assert {field for field in KNOWN_FIELDS if f"`{field}`" not in PAGE} == set()
