"""Hashes as objects: fields that are there, and of their type."""

from collections.abc import Mapping

from adapters.crypto.foreign_hashes.known_hash import malformed, too_costly
from adapters.crypto.foreign_hashes.limits import LONGEST_TEXT
from adapters.crypto.foreign_hashes.notation import from_base64, from_hex

type Fields = Mapping[str, object]


def text_of(fields: Fields, name: str, *, default: str | None = None) -> str:
    """A field that is a text; where it is absent the default, if there is one.

    Raises: UnusableHash.
    """
    value = fields.get(name, default)
    if not isinstance(value, str):
        raise malformed(detail=f"the field {name} is missing, or no text")
    if len(value) > LONGEST_TEXT:
        raise too_costly(detail=f"the field {name} is longer than {LONGEST_TEXT} characters")
    return value


def number_of(fields: Fields, name: str, *, default: int | None = None) -> int:
    """A field that is a whole number, not negative; where it is absent the default, if there is one.

    Raises: UnusableHash.
    """
    value = fields.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise malformed(detail=f"the field {name} is missing, or no whole number")
    return value


def salt_of(fields: Fields) -> bytes:
    """`salt`: text as it is, in UTF-8, unless `salt_encoding` is `hex` or `base64`. Absent means none.

    Raises: UnusableHash.
    """
    written, encoding = text_of(fields, "salt", default=""), text_of(fields, "salt_encoding", default="text")
    match encoding:
        case "text":
            return utf_8(written)
        case "hex":
            return from_hex(written)
        case "base64":
            return from_base64(written)
        case _:
            raise malformed(detail="salt_encoding is text, hex or base64")


def utf_8(written: str) -> bytes:
    """The bytes of a text.

    Raises: UnusableHash.
    """
    try:
        return written.encode()
    except UnicodeEncodeError as error:
        raise malformed(detail="a text in it is no Unicode") from error


def expect_only(fields: Fields, *names: str) -> None:
    """Let pass what has no other fields: one that is misspelt would change what the hash means.

    Raises: UnusableHash.
    """
    if set(fields) - {"format", *names}:
        raise malformed(detail=f"beside format it may have {', '.join(names)} only")
