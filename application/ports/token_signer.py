"""Signing."""

from dataclasses import dataclass, field
from typing import Protocol

from domain.audit.checkpoint import CheckpointClaims
from domain.ids import KeyId
from domain.sessions.access_token import AccessTokenClaims
from domain.signing.signing_key import SigningKey


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyMaterial:
    """A new key pair, private half sealed. The three fields are those of `SigningKey`."""

    algorithm: str
    public_key: str
    sealed_private_key: str = field(repr=False)


class TokenSigner(Protocol):
    """Makes keys, and makes and reads with them access tokens, and checkpoints of the audit log.

    The only place that sees a private key.
    """

    def generate(self, key_id: KeyId) -> KeyMaterial:
        """A new key pair, sealed so that it opens under this id only."""
        ...

    def opens(self, key: SigningKey) -> bool:
        """Whether this signer can sign with that key; not if it was sealed under another root key."""
        ...

    def sign(self, claims: AccessTokenClaims, key: SigningKey) -> str:
        """A JWT in compact form, `typ: at+jwt`, by a key that this signer opens."""
        ...

    def key_id(self, token: str) -> KeyId | None:
        """The `kid` a token names, or None where the text cannot be one of our tokens. Nothing is verified yet."""
        ...

    def read(self, token: str, key: SigningKey) -> AccessTokenClaims | None:
        """The claims, when this key signed them and each has the right type; None otherwise.

        Whether they are meant for us and still valid is for the caller to judge.
        """
        ...

    def sign_checkpoint(self, claims: CheckpointClaims, key: SigningKey) -> str:
        """A JWS in compact form, of a type that no reader of access tokens takes, by a key that this signer opens."""
        ...

    def read_checkpoint(self, statement: str, key: SigningKey) -> CheckpointClaims | None:
        """The claims, when this key signed them as a checkpoint and each has the right type; None otherwise."""
        ...
