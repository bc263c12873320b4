"""Beginning a ceremony of passkeys."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from application.ports.clock import Clock
from application.ports.randomness import Randomness
from domain.ids import CeremonyId, UserId
from domain.mfa.passkey_ceremony import CEREMONY_LIFETIME, CHALLENGE_BYTES, PasskeyCeremony, PasskeyPurpose


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedPasskey:
    """What a browser is to ask of passkeys. Whoever has the id answers: it is to be told to nobody."""

    ceremony_id: CeremonyId
    options: Mapping[str, object]
    expires_in: timedelta = CEREMONY_LIFETIME


class PasskeyCeremonies:
    """Makes ceremonies, with a challenge that nobody can guess."""

    def __init__(self, clock: Clock, randomness: Randomness) -> None:
        self._clock = clock
        self._randomness = randomness

    def begin(
        self,
        purpose: PasskeyPurpose,
        *,
        user_id: UserId | None = None,
        bound_to: UUID | None = None,
        user_handle: bytes | None = None,
    ) -> PasskeyCeremony:
        """A new one, which is still to be kept."""
        now = self._clock.now()
        return PasskeyCeremony(
            id=CeremonyId(self._randomness.uuid(at=now)),
            purpose=purpose,
            challenge=self._randomness.secret(CHALLENGE_BYTES),
            expires_at=now + CEREMONY_LIFETIME,
            user_id=user_id,
            bound_to=bound_to,
            user_handle=user_handle,
        )
