"""Changing the password."""

from application.ports.clock import Clock
from application.ports.password_hasher import PasswordHasher
from application.ports.unit_of_work import UnitOfWork
from application.sessions.check_password import CheckPassword
from domain.errors import ConcurrentUpdate
from domain.ids import SessionId, UserId
from domain.users.password_policy import PasswordPolicy


class ChangePassword:
    """Replace a user's password and end every other session."""

    def __init__(
        self,
        unit_of_work: UnitOfWork,
        password_policy: PasswordPolicy,
        check_password: CheckPassword,
        passwords: PasswordHasher,
        clock: Clock,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._password_policy = password_policy
        self._check_password = check_password
        self._passwords = passwords
        self._clock = clock

    async def execute(self, *, user_id: UserId, session_id: SessionId, current: str, new: str) -> None:
        """Change it; the session with `session_id` goes on (PW-08).

        Raises: WrongPassword, Throttled, ThrottlesUnavailable, PasswordRejected, UserNotFound, SessionNotFound,
            ConcurrentUpdate, HashingBusy.
        """
        async with self._unit_of_work.read() as tx:
            user = await tx.users.get(user_id)
        accepted = self._password_policy.accept(
            new, email=user.email, display_name=user.display_name, field="new_password"
        )

        # Hashing takes tens of milliseconds; no connection is held meanwhile.
        checked = user.password_hash
        await self._check_password.execute(user=user, session_id=session_id, password=current)
        new_hash = await self._passwords.hash(accepted, owner=user_id)

        now = self._clock.now()
        async with self._unit_of_work.begin() as tx:
            user = await tx.users.lock(user_id)
            session = await tx.sessions.lock(session_id)
            if user.password_hash != checked or not session.is_live(user=user, at=now):
                # The password that was checked is no longer the one that is replaced; or the session ended meanwhile,
                # and following the user into a new epoch would bring it back to life.
                raise ConcurrentUpdate
            user.change_password(new_hash, at=now)
            await tx.users.save(user)
            session.carry_on(user)
            await tx.sessions.save(session)
