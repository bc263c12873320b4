"""Sealing under a token."""

from adapters.crypto.sealing import SealBroken, Sealer
from application.ports.token_sealer import TokenSealer
from domain.ids import SessionId
from domain.sessions.refresh_token import RefreshTokenSecret

_PURPOSE = "answer to a refresh token"


class AesTokenSealer:
    """`TokenSealer` with AES-256-GCM under a key derived from the token by HKDF."""

    def seal(self, text: str, *, under: RefreshTokenSecret, session_id: SessionId) -> str:
        return Sealer(under.text.encode()).seal(text.encode(), purpose=_PURPOSE, owner=str(session_id))

    def open(self, sealed: str, *, under: RefreshTokenSecret, session_id: SessionId) -> str | None:
        try:
            return Sealer(under.text.encode()).open(sealed, purpose=_PURPOSE, owner=str(session_id)).decode()
        except SealBroken:
            return None


def _is_token_sealer(aes: AesTokenSealer) -> TokenSealer:
    return aes
