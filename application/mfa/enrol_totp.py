"""Enrolling an authenticator app."""

from dataclasses import dataclass, field

from application.mfa.change_of_factors import expect_room, lock_acting
from application.mfa.totp_secrets import TotpSecrets
from application.ports.clock import Clock
from application.ports.randomness import Randomness
from application.ports.unit_of_work import UnitOfWork
from domain.ids import FactorId, SessionId, UserId
from domain.mfa.factor import MfaPolicy
from domain.mfa.totp import otpauth_uri, secret_text
from domain.mfa.totp_factor import TotpFactor


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedTotp:
    """What an app has to be told. The only time that the secret is seen."""

    factor: TotpFactor
    secret: str = field(repr=False)
    uri: str = field(repr=False)


class EnrolTotp:
    """Offer a user the secret for an app. It is no factor before the app has shown a right code."""

    def __init__(
        self, unit_of_work: UnitOfWork, secrets: TotpSecrets, clock: Clock, randomness: Randomness, policy: MfaPolicy
    ) -> None:
        self._unit_of_work = unit_of_work
        self._secrets = secrets
        self._clock = clock
        self._randomness = randomness
        self._policy = policy

    async def execute(self, *, user_id: UserId, session_id: SessionId, name: str | None = None) -> OfferedTotp:
        """The secret. What was offered before and never activated is good for nothing from then on.

        Raises: EmailNotVerified, TooManyFactors, InvalidFields, UserNotFound, SessionNotFound, ConcurrentUpdate.
        """
        now = self._clock.now()
        factor_id = FactorId(self._randomness.uuid(at=now))
        secret, sealed = self._secrets.make(factor_id)
        async with self._unit_of_work.begin() as tx:
            user, _ = await lock_acting(tx, user_id, session_id, at=now)
            factor = TotpFactor.enrol(id=factor_id, user=user, name=name, sealed_secret=sealed, at=now)
            await expect_room(tx, user_id, self._policy)
            for other in await tx.totp_factors.of_user(user_id):
                if not other.is_active:
                    await tx.totp_factors.remove(other)
            await tx.totp_factors.add(factor)
        uri = otpauth_uri(secret, issuer=self._policy.issuer, account=user.email.display)
        return OfferedTotp(factor=factor, secret=secret_text(secret), uri=uri)
