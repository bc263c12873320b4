"""Checking the password of somebody who is signed in."""

from application.ports.clock import Clock
from application.ports.password_hasher import PasswordHasher
from application.ports.unit_of_work import UnitOfWork
from domain.ids import SessionId
from domain.sessions.session import ProofRefused
from domain.users.password import Password
from domain.users.user import User, WrongPassword


class CheckPassword:
    """Let those go on who know the password, and write down who did not."""

    def __init__(self, unit_of_work: UnitOfWork, passwords: PasswordHasher, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._passwords = passwords
        self._clock = clock

    async def execute(self, *, user: User, session_id: SessionId, password: str) -> None:
        """Return if it is the user's password. Never inside a transaction: hashing takes tens of milliseconds.

        Raises: WrongPassword, HashingBusy.
        """
        if await self._passwords.matches(Password(password), user.password_hash):
            return
        # The trace is committed before the refusal is raised: raising inside would roll it back.
        async with self._unit_of_work.begin() as tx:
            await tx.audit.append(ProofRefused(user_id=user.id, occurred_at=self._clock.now(), session_id=session_id))
        raise WrongPassword
