"""Recognising devices."""

import base64
from datetime import datetime
from uuid import UUID

from application.ports.randomness import Randomness
from application.ports.secret_sealer import SecretSealer
from domain.ids import DeviceId, UserId

_PREFIX = "hp_dv_"
_PURPOSE = "device token"
MAX_DEVICE_TOKEN_LENGTH = 512


class KnownDevices:
    """Gives devices on which a user signs in a token, by which they are known when that user comes again.

    It opens nothing: whoever brings it has guesses of their own at the password, and need not share those of
    strangers (LG-06). Nothing is kept here: the token is sealed for the one user.
    """

    def __init__(self, sealer: SecretSealer, randomness: Randomness) -> None:
        self._sealer = sealer
        self._randomness = randomness

    def recognise(self, token: str | None, *, of: UserId) -> DeviceId | None:
        """The device that has this token from that user's signing in; None for any other token."""
        if token is None or not token.startswith(_PREFIX):
            return None
        try:
            text = token.removeprefix(_PREFIX)
            sealed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
        except ValueError:
            return None
        opened = self._sealer.open(sealed, purpose=_PURPOSE, owner=str(of))
        return DeviceId(UUID(opened)) if opened is not None else None

    def token(self, device: DeviceId | None, *, of: UserId, at: datetime) -> str:
        """A token for the device, or for one that is new."""
        sealed = self._sealer.seal(str(device or self._randomness.uuid(at=at)), purpose=_PURPOSE, owner=str(of))
        return _PREFIX + base64.urlsafe_b64encode(sealed.encode()).decode().rstrip("=")
