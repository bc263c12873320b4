"""Publishing signing keys."""

from collections.abc import Sequence

from application.signing.key_ring import KeyRing
from domain.signing.signing_key import SigningKey


class PublishKeys:
    """Show services with which keys tokens of ours can be verified, before they are used and while they still count."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys

    async def execute(self) -> Sequence[SigningKey]:
        """Every key that is not revoked, oldest first; one at least. Up to a minute old."""
        return await self._keys.believed()
