"""Where users' passkeys are kept."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from application.ports.passkeys import PasskeyProof
from domain.ids import UserId
from domain.mfa.passkey import Passkey


class PasskeyRepository(Protocol):
    """All passkeys. What is handed out is the caller's own copy: it counts only once it is saved."""

    async def add(self, passkey: Passkey) -> None:
        """Keep a new one of an existing user.

        Raises: UserNotFound, PasskeyAlreadyRegistered.
        """
        ...

    async def save(self, passkey: Passkey) -> None:
        """Keep the present name of a loaded one and count its version up.

        Raises: ConcurrentUpdate when it was changed or removed since it was loaded.
        """
        ...

    async def remove(self, passkey: Passkey) -> None:
        """Forget a loaded one. What it has recorded is written down."""
        ...

    async def of_user(self, user_id: UserId) -> Sequence[Passkey]:
        """All of the user, oldest first."""
        ...

    async def find(self, credential_id: bytes) -> Passkey | None:
        """The one that this is the id of, whosever it is."""
        ...

    async def note_use(self, passkey: Passkey, proof: PasskeyProof, *, at: datetime) -> bool:
        """Keep what a checked answer told; False where the passkey has gone or counted on since it was loaded.

        One statement: of two answers at once that show the same count, one gets it. The version stays.
        """
        ...
