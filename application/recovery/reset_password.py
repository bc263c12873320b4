"""Choosing another password with a mailed link."""

from application.ports.clock import Clock
from application.ports.password_hasher import PasswordHasher
from application.ports.unit_of_work import UnitOfWork
from application.recovery.use_token import use_token
from application.sessions.known_devices import KnownDevices
from domain.recovery.one_time_token import OneTimeTokenSecret, Purpose, invalid_token
from domain.users.password_policy import PasswordPolicy

_PURPOSES = (Purpose.RESET_PASSWORD, Purpose.ACCEPT_INVITATION)


class ResetPassword:
    """Replace the password of whoever can read the user's mail, or let them choose their first.

    Every session ends, and none begins (RC-03).

    It proves the address as well, and the device is known from then on: whoever reads the user's mail need not wait
    with strangers who are guessing (LG-06).
    """

    def __init__(
        self,
        unit_of_work: UnitOfWork,
        policy: PasswordPolicy,
        passwords: PasswordHasher,
        known_devices: KnownDevices,
        clock: Clock,
    ) -> None:
        self._known_devices = known_devices
        self._unit_of_work = unit_of_work
        self._policy = policy
        self._passwords = passwords
        self._clock = clock

    async def execute(self, *, token: str, new_password: str) -> str:
        """Replace it; a device token. A password that is refused leaves the link good for another try.

        Raises: InvalidToken, PasswordRejected, UserNotFound, ConcurrentUpdate, HashingBusy.
        """
        secret, purpose = _parsed(token)
        async with self._unit_of_work.read() as tx:
            found = await tx.one_time_tokens.find_good(secret.digest(), purpose, at=self._clock.now())
            if found is None:
                raise invalid_token()
            user = await tx.users.get(found.user_id)
        accepted = self._policy.accept(
            new_password, email=user.email, display_name=user.display_name, field="new_password"
        )
        # Hashing takes tens of milliseconds; no connection is held meanwhile.
        new_hash = await self._passwords.hash(accepted, owner=user.id)
        now = self._clock.now()
        async with self._unit_of_work.begin() as tx:
            user, _ = await use_token(tx, secret.digest(), purpose, at=now)
            user.reset_password(new_hash, at=now)
            await tx.users.save(user)
        return self._known_devices.token(None, of=user, at=now)


def _parsed(token: str) -> tuple[OneTimeTokenSecret, Purpose]:
    """The token, and which of the two it is.

    Raises: InvalidToken.
    """
    for purpose in _PURPOSES:
        secret = OneTimeTokenSecret.parse(token, purpose=purpose)
        if secret is not None:
            return secret, purpose
    raise invalid_token()
