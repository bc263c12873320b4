"""Asking for a recent proof."""

from application.ports.clock import Clock
from domain.sessions.principal import Principal
from domain.sessions.session import SessionPolicy


class ExpectFreshProof:
    """Let only those go on who proved who they are a short while ago, with a second factor if they have one (MF-08)."""

    def __init__(self, clock: Clock, policy: SessionPolicy) -> None:
        self._clock = clock
        self._policy = policy

    async def execute(self, *, principal: Principal) -> None:
        """Return if the proof behind the principal's session is recent.

        Raises: ReauthenticationRequired.
        """
        principal.session.expect_fresh_proof(
            at=self._clock.now(), policy=self._policy, with_factor=principal.has_factors
        )
