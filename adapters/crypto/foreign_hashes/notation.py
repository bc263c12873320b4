"""Parts, numbers and bytes as they are written in hashes."""

import base64
import binascii
import re

from adapters.crypto.foreign_hashes.known_hash import malformed, too_costly

_MOST_DIGITS = 10
_DIGITS = re.compile("[0-9]+")
_HEX = re.compile("(?:[0-9A-Fa-f]{2})*")
_BASE64 = re.compile("[A-Za-z0-9+/]*={0,2}")
# One character stands for at most six bits: a last group of one would be less than a byte.
_IMPOSSIBLE_REST = 1


def parts_of(written: str, notation: re.Pattern[str], family: str) -> tuple[str, ...]:
    """The groups of a notation; those that are absent are empty.

    Raises: UnusableHash.
    """
    found = notation.fullmatch(written)
    if found is None:
        raise malformed(detail=f"it begins like {family} and goes on differently")
    return found.groups(default="")


def number(text: str) -> int:
    """A number in decimal digits.

    Raises: UnusableHash.
    """
    if not _DIGITS.fullmatch(text):
        raise malformed(detail="a parameter is not a number")
    if len(text) > _MOST_DIGITS:
        raise too_costly(detail="a parameter has too many digits")
    return int(text)


def from_base64(text: str) -> bytes:
    """Bytes in any of the alphabets of base64, that of URLs and passlib's with its full stop too, padded or not.

    Raises: UnusableHash.
    """
    standard = text.translate(_TO_STANDARD)
    bare = standard.rstrip("=")
    if not _BASE64.fullmatch(standard) or len(bare) % 4 == _IMPOSSIBLE_REST:
        raise malformed(detail="a part is not base64")
    return base64.b64decode(bare + "=" * (-len(bare) % 4))


_TO_STANDARD = str.maketrans("-_.", "+/+")


def to_base64(content: bytes) -> str:
    """Base64 without padding, as hashes in the PHC notation have it."""
    return base64.b64encode(content).decode().rstrip("=")


def from_hex(text: str) -> bytes:
    """Bytes in hexadecimal digits.

    Raises: UnusableHash.
    """
    if not _HEX.fullmatch(text):
        raise malformed(detail="a part is not hexadecimal")
    return binascii.unhexlify(text)


def from_hex_or_base64(text: str) -> bytes:
    """Bytes in hexadecimal digits where it can be that, else in base64.

    Of 16 bytes or more, which is what digests have, one in ten thousand million would read as both.

    Raises: UnusableHash.
    """
    return from_hex(text) if _HEX.fullmatch(text) else from_base64(text)
