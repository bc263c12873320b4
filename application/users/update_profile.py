"""Changing one's own profile."""

from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from domain.ids import UserId
from domain.users.profile import ProfileChanges
from domain.users.user import User


class UpdateProfile:
    """Let users change what they say about themselves."""

    def __init__(self, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def execute(self, *, user_id: UserId, changes: ProfileChanges, expected_version: int | None = None) -> User:
        """The user with the changes. With `expected_version`, only if that is still the present one.

        Raises: UserNotFound, InvalidFields, StaleVersion.
        """
        async with self._unit_of_work.begin() as tx:
            user = await tx.users.lock(user_id)
            if expected_version is not None:
                user.expect_version(expected_version)
            if user.update_profile(at=self._clock.now(), **changes):
                await tx.users.save(user)
        return user
