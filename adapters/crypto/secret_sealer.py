"""Sealing secrets at rest."""

from adapters.crypto.sealing import SealBroken, Sealer
from application.ports.secret_sealer import SecretSealer


class AesSecretSealer:
    """`SecretSealer` with AES-256-GCM under the root key."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def seal(self, text: str, *, purpose: str, owner: str) -> str:
        return self._sealer.seal(text.encode(), purpose=purpose, owner=owner)

    def open(self, sealed: str, *, purpose: str, owner: str) -> str | None:
        try:
            return self._sealer.open(sealed, purpose=purpose, owner=owner).decode()
        except SealBroken:
            return None


def _is_secret_sealer(aes: AesSecretSealer) -> SecretSealer:
    return aes
