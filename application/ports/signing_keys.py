"""Where signing keys are kept."""

from collections.abc import Sequence
from typing import Protocol

from domain.signing.signing_key import SigningKey


class SigningKeyRepository(Protocol):
    """All signing keys, private halves sealed."""

    async def add(self, key: SigningKey) -> None:
        """Keep a new key.

        Raises: ActiveSigningKeyExists when it is active and another is.
        """
        ...

    async def save(self, key: SigningKey) -> None:
        """Keep the present state of a loaded key and count its version up.

        Raises: ActiveSigningKeyExists; ConcurrentUpdate when it was changed since it was loaded.
        """
        ...

    async def lock_all(self) -> Sequence[SigningKey]:
        """As `all`, and nobody else's to lock or save until this transaction ends. Only inside `begin`.

        Raises: DatabaseUnavailable.
        """
        ...

    async def all(self) -> Sequence[SigningKey]:
        """Every key in every state, oldest first. There are a handful."""
        ...
