"""Tokens without meaning: random, prefixed by their kind, and kept only as hashes (ST-01)."""

import base64
import hashlib
import re
import zlib
from dataclasses import dataclass, field

SECRET_BYTES = 32

_FORMAT = re.compile(r"hp_(?P<kind>[a-z]{2})_(?P<secret>[A-Za-z0-9_-]{43})_(?P<checksum>[0-9a-f]{8})", re.ASCII)


@dataclass(frozen=True, slots=True)
class OpaqueToken:
    """What somebody holds: `hp_<kind>_<43 base64url>_<crc32>`.

    The prefix lets scanners find leaked ones and keeps kinds apart; the checksum refuses typing errors without
    asking the database.
    """

    text: str = field(repr=False)

    def digest(self) -> bytes:
        """SHA-256, all that is kept. 256 random bits need no slow hash."""
        return hashlib.sha256(self.text.encode()).digest()


def written(kind: str, random: bytes) -> str:
    """The token of a kind that 256 random bits make."""
    if len(random) != SECRET_BYTES:
        message = f"a token is made of {SECRET_BYTES} random bytes"
        raise ValueError(message)
    secret = base64.urlsafe_b64encode(random).rstrip(b"=").decode()
    return f"hp_{kind}_{secret}_{_checksum(secret)}"


def is_well_formed(kind: str, text: str) -> bool:
    """Whether the text can be a token of that kind."""
    parts = _FORMAT.fullmatch(text)
    return parts is not None and parts["kind"] == kind and parts["checksum"] == _checksum(parts["secret"])


def _checksum(secret: str) -> str:
    return f"{zlib.crc32(secret.encode()):08x}"
