"""Password hashes that come from elsewhere, or go there."""

from adapters.crypto.foreign_hashes.recognition import recognise
from adapters.crypto.sealed_hashes import open_hash, seal_hash
from adapters.crypto.sealing import Sealer
from application.ports.password_transfer import ForeignHash, PasswordTransfer, WrittenHash
from domain.ids import UserId
from domain.users.password import PasswordHash


class SealingPasswordTransfer:
    """`PasswordTransfer` that seals what it takes in for its owner, as `Argon2PasswordHasher` does with its own."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def recognise(self, written: WrittenHash) -> ForeignHash:
        known = recognise(written)
        return ForeignHash(format=known.format, encoded=known.encoded)

    def take_in(self, foreign: ForeignHash, *, owner: UserId) -> PasswordHash:
        return seal_hash(foreign.encoded, owner=owner, sealer=self._sealer)

    def hand_out(self, hashed: PasswordHash) -> str | None:
        return open_hash(hashed, sealer=self._sealer)


def _is_password_transfer(transfer: SealingPasswordTransfer) -> PasswordTransfer:
    return transfer
