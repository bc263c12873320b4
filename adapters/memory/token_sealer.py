"""Sealing under a token, without cryptography."""

from application.ports.token_sealer import TokenSealer
from domain.ids import SessionId
from domain.sessions.refresh_token import RefreshTokenSecret


class MemoryTokenSealer:
    """Writes on the envelope who may open it, and believes it. For tests."""

    def seal(self, text: str, *, under: RefreshTokenSecret, session_id: SessionId) -> str:
        return f"{under.digest().hex()}:{session_id}:{text}"

    def open(self, sealed: str, *, under: RefreshTokenSecret, session_id: SessionId) -> str | None:
        envelope = f"{under.digest().hex()}:{session_id}:"
        return sealed.removeprefix(envelope) if sealed.startswith(envelope) else None


def _is_token_sealer(memory: MemoryTokenSealer) -> TokenSealer:
    return memory
