"""Access tokens whose signature has been checked."""

import hashlib
from collections import OrderedDict

from domain.ids import KeyId
from domain.sessions.access_token import AccessTokenClaims
from domain.signing.signing_key import SigningKey

_MOST = 4_096


class ReadTokens:
    """What tokens say that were read before: checking a signature takes longer than everything else about a request.

    That a key signed a token is true for good, so nothing here can become wrong; whether the key is still believed, the
    token has not expired and the session is alive is asked by others, each time. Only tokens that our own keys signed
    come in, each under the digest of its whole text, and never more than `most`: those used longest ago are forgotten.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._read: OrderedDict[bytes, tuple[KeyId, str, AccessTokenClaims]] = OrderedDict()

    def key_id(self, token: str) -> KeyId | None:
        """The key that signed it, if it was read before."""
        found = self._read.get(_digest(token))
        return found[0] if found is not None else None

    def find(self, token: str, key: SigningKey) -> AccessTokenClaims | None:
        """What it says, if it was read before with this very key."""
        digest = _digest(token)
        found = self._read.get(digest)
        if found is None or found[:2] != (key.id, key.public_key):
            return None
        self._read.move_to_end(digest)
        return found[2]

    def note(self, token: str, key: SigningKey, claims: AccessTokenClaims) -> None:
        """Remember what it says, now that its signature has been checked."""
        self._read[_digest(token)] = key.id, key.public_key, claims
        if len(self._read) > self._most:
            self._read.popitem(last=False)


def _digest(token: str) -> bytes:
    # What strangers send need not be text that can be encoded.
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
