"""CBOR as authenticators write it, and nothing that only looks like it."""

import cbor2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.webauthn.binary import BinaryReader
from application.ports.passkeys import PasskeyFault, PasskeyRefused

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
KEYS = st.integers(-(2**64), 2**64 - 1) | st.text(max_size=30)
ITEMS = st.recursive(
    KEYS | st.binary(max_size=300),
    lambda inner: st.lists(inner, max_size=30) | st.dictionaries(KEYS, inner, max_size=30),
    max_leaves=30,
)


def depth(item: object) -> int:
    inner = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
    return 1 + max(map(depth, inner), default=0)


@UNHURRIED
@given(item=ITEMS.filter(lambda item: depth(item) <= 8))
def test_what_others_write_is_read(item: object) -> None:
    written = cbor2.dumps(item)
    reader = BinaryReader(written)
    assert reader.take_item() == item
    reader.expect_end()
    assert reader.position == len(written)


def test_what_nobody_asks_for_is_read_as_none() -> None:
    assert BinaryReader(cbor2.dumps([True, False, None])).take_item() == [None, None, None]


@pytest.mark.parametrize(
    "written",
    [
        *(bytes.fromhex(start) for start in ("", "18", "1817", "190018", "1900ff", "1a0000ffff", "1b00000000ffffffff")),
        *(bytes.fromhex(start) for start in ("1c", "1d", "1e", "1f", "38ff"[:2], "41", "61", "81", "a1", "a101")),
        pytest.param(bytes.fromhex("5f4101ff"), id="bytes of no length"),
        pytest.param(bytes.fromhex("7f6161ff"), id="text of no length"),
        pytest.param(bytes.fromhex("9f01ff"), id="a list of no length"),
        pytest.param(bytes.fromhex("bf0101ff"), id="a map of no length"),
        pytest.param(bytes.fromhex("61ff"), id="text that is none"),
        pytest.param(bytes.fromhex("63eda080"), id="half a letter"),
        pytest.param(bytes.fromhex("a201010102"), id="a key twice"),
        pytest.param(bytes.fromhex("a1f500"), id="a key that is true"),
        pytest.param(bytes.fromhex("a1410100"), id="a key of bytes"),
        pytest.param(bytes.fromhex("a18000"), id="a key that is a list"),
        pytest.param(bytes.fromhex("f7"), id="undefined"),
        pytest.param(bytes.fromhex("f0"), id="a simple value"),
        pytest.param(bytes.fromhex("f814"), id="false in two bytes"),
        pytest.param(bytes.fromhex("f97e00"), id="no number"),
        pytest.param(bytes.fromhex("f90014"), id="a float that looks like false"),
        pytest.param(bytes.fromhex("fb3ff0000000000000"), id="a float"),
        pytest.param(bytes.fromhex("ff"), id="an end"),
        pytest.param(bytes.fromhex("c000"), id="a date"),
        pytest.param(bytes.fromhex("c24101"), id="a large number"),
        pytest.param(bytes.fromhex("c482193b9ac9ff01"), id="a decimal fraction"),
        pytest.param(bytes.fromhex("d81c81d81d00"), id="a list within itself"),
        pytest.param(bytes.fromhex("d823612a"), id="a pattern"),
        pytest.param(bytes.fromhex("d9d9f700"), id="a mark of CBOR"),
        pytest.param(b"\x81" * 8 + b"\0", id="nested deeply"),
        pytest.param(b"\xa1\0" * 8 + b"\0", id="maps nested deeply"),
        pytest.param(bytes.fromhex("9bffffffffffffffff"), id="a list that never ends"),
        pytest.param(bytes.fromhex("5bffffffffffffffff"), id="bytes that never end"),
    ],
)
def test_what_is_not_canonical_is_refused(written: bytes) -> None:
    with pytest.raises(PasskeyRefused, match=PasskeyFault.MALFORMED):
        BinaryReader(written).take_item()


def test_what_is_not_a_map_is_not_taken_for_one() -> None:
    with pytest.raises(PasskeyRefused, match=PasskeyFault.MALFORMED):
        BinaryReader(cbor2.dumps([])).take_map()


def test_what_is_left_over_is_noticed() -> None:
    reader = BinaryReader(b"\0\0")
    assert reader.take_item() == 0
    with pytest.raises(PasskeyRefused, match=PasskeyFault.MALFORMED):
        reader.expect_end()
