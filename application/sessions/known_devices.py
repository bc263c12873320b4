"""Recognising devices."""

import base64
from datetime import datetime
from uuid import UUID

from application.ports.randomness import Randomness
from application.ports.secret_sealer import SecretSealer
from application.throttling.guess_budget import FormerDevice, KnownDevice
from domain.ids import NOBODY, DeviceId, UserId
from domain.users.user import User

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

    def is_token(self, token: str | None) -> bool:
        """Whether it looks like one of ours."""
        return token is not None and token.startswith(_PREFIX)

    def recognise(self, token: str | None, *, of: User | None) -> KnownDevice | FormerDevice | None:
        """The device that has this token from that user's signing in; None for any other token.

        Without a user, the same work for nobody (LG-02).
        """
        opened = self._opened(token, of.id if of is not None else NOBODY)
        if opened is None or of is None:
            return None
        device, _, epoch = opened.partition(" ")
        kind = KnownDevice if int(epoch) == of.security_epoch else FormerDevice
        return kind(of.id, DeviceId(UUID(device)))

    def token(self, device: DeviceId | None, *, of: User, at: datetime) -> str:
        """A token for the device, or for one that is new. It counts fully until what guards the user changes."""
        known_by = f"{device or self._randomness.uuid(at=at)} {of.security_epoch}"
        sealed = self._sealer.seal(known_by, purpose=_PURPOSE, owner=str(of.id))
        return _PREFIX + base64.urlsafe_b64encode(sealed.encode()).decode().rstrip("=")

    def _opened(self, token: str | None, owner: UserId) -> str | None:
        if token is None or not self.is_token(token):
            return None
        text = token.removeprefix(_PREFIX)
        try:
            sealed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
        except ValueError:
            return None
        return self._sealer.open(sealed, purpose=_PURPOSE, owner=str(owner))
