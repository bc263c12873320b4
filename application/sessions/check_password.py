"""Checking the password of somebody who is signed in."""

from application.ports.clock import Clock
from application.ports.password_hasher import PasswordHasher
from application.ports.unit_of_work import UnitOfWork
from application.throttling.guess_budget import GuessBudget, SignedIn
from domain.ids import SessionId
from domain.sessions.session import GuessesUsedUp, ProofRefused
from domain.users.password import Password, WrongPassword
from domain.users.user import User


class CheckPassword:
    """Let those go on who know the password, and write down who did not."""

    def __init__(self, unit_of_work: UnitOfWork, passwords: PasswordHasher, guesses: GuessBudget, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._guesses = guesses
        self._passwords = passwords
        self._clock = clock

    async def execute(self, *, user: User, session_id: SessionId, password: str) -> None:
        """Return if it is the user's password. Never inside a transaction: hashing takes tens of milliseconds.

        Raises: WrongPassword, Throttled, ThrottlesUnavailable, HashingBusy.
        """
        async with self._guesses.guess(by=SignedIn(user.id, session_id)) as guess:
            guess.was_right = await self._passwords.matches(Password(password), user.password_hash)
        if guess.was_right:
            return
        now = self._clock.now()
        # The trace is committed before the refusal is raised: raising inside would roll it back.
        async with self._unit_of_work.begin() as tx:
            await tx.audit.append(ProofRefused(user_id=user.id, occurred_at=now, session_id=session_id))
            if guess.was_last:
                await tx.audit.append(GuessesUsedUp(user_id=user.id, occurred_at=now, network_address=None))
        raise WrongPassword
