"""Password hashes of other systems, for tests."""

import base64
import re
from collections.abc import Mapping

from adapters.memory.password_hasher import OURS, SHA1, keep, open_kept
from application.ports.password_transfer import ForeignHash, PasswordTransfer, UnusableHash, WrittenHash
from domain.ids import UserId
from domain.users.password import PasswordHash

_LONGEST_TEXT = 2_048
_OURS = re.compile(r"\$memory\$[0-9]+\$[0-9]+\$[0-9a-f]{64}")
_SHA1 = re.compile(r"\{SHA\}[A-Za-z0-9+/]{27}=")
_SHA1_HEX = re.compile("[0-9A-Fa-f]{40}")


class MemoryPasswordTransfer:
    """The twin of `MemoryPasswordHasher`. Knows its hashes, format `memory`, and one format of others: `sha1`.

    That is the text `{SHA}` with base64, or `{"format": "sha1", "hash": "…"}` with hexadecimal digits.
    """

    def recognise(self, written: WrittenHash) -> ForeignHash:
        text = _text_of(written) if isinstance(written, Mapping) else written
        if len(text) > _LONGEST_TEXT:
            raise UnusableHash(code="password_hash_too_costly", detail="it is too long")
        if text.startswith(OURS):
            return _recognised("memory", text, _OURS)
        if text.startswith(SHA1):
            return _recognised("sha1", text, _SHA1)
        raise UnusableHash(code="unknown_password_hash", detail="it is in none of the notations that are known here")

    def take_in(self, foreign: ForeignHash, *, owner: UserId) -> PasswordHash:
        return keep(foreign.encoded, owner=owner)

    def hand_out(self, hashed: PasswordHash) -> str | None:
        return open_kept(hashed)


def _recognised(name: str, text: str, notation: re.Pattern[str]) -> ForeignHash:
    if not notation.fullmatch(text):
        raise UnusableHash(code="malformed_password_hash", detail=f"it begins like {name} and goes on differently")
    return ForeignHash(format=name, encoded=text)


def _text_of(fields: Mapping[str, object]) -> str:
    if fields.get("format") != "sha1":
        raise UnusableHash(code="unknown_password_hash", detail="there is no such format")
    digest = fields.get("hash")
    if not isinstance(digest, str) or not _SHA1_HEX.fullmatch(digest):
        raise UnusableHash(code="malformed_password_hash", detail="SHA-1 has 40 hexadecimal digits")
    return SHA1 + base64.b64encode(bytes.fromhex(digest)).decode()


def _is_password_transfer(memory: MemoryPasswordTransfer) -> PasswordTransfer:
    return memory
