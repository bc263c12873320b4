"""The secrets that we share with authenticator apps."""

import logging

from application.ports.randomness import Randomness
from application.ports.secret_sealer import SecretSealer
from domain.ids import FactorId
from domain.mfa.totp import SECRET_BYTES
from domain.mfa.totp_factor import TotpFactor

_log = logging.getLogger(__name__)

_PURPOSE = "totp secret"


class TotpSecrets:
    """Makes them, and seals each for its own row: moved to another one it does not open (MF-01)."""

    def __init__(self, sealer: SecretSealer, randomness: Randomness) -> None:
        self._sealer = sealer
        self._randomness = randomness

    def make(self, factor_id: FactorId) -> tuple[bytes, str]:
        """A new secret, and the same sealed."""
        secret = self._randomness.secret(SECRET_BYTES)
        return secret, self._sealer.seal(secret.hex(), purpose=_PURPOSE, owner=str(factor_id))

    def open(self, factor: TotpFactor) -> bytes | None:
        """The secret of a factor; None where what is kept there was sealed for another one."""
        secret = self._sealer.open(factor.sealed_secret, purpose=_PURPOSE, owner=str(factor.id))
        if secret is None:
            _log.error("the secret of factor %s does not open: it proves nothing", factor.id)
            return None
        return bytes.fromhex(secret)
