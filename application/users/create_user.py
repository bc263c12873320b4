"""Creating a user."""

from application.ports.unit_of_work import UnitOfWork
from application.users.draft_user import DraftUser
from domain.users.user import User


class CreateUser:
    """Make a user, whether registration is open or not. Operators do; people have `RegisterUser`."""

    def __init__(self, unit_of_work: UnitOfWork, draft_user: DraftUser) -> None:
        self._unit_of_work = unit_of_work
        self._draft_user = draft_user

    async def execute(
        self,
        *,
        email: str,
        password: str,
        display_name: str | None = None,
        locale: str | None = None,
        roles: frozenset[str] = frozenset(),
        email_verified: bool = False,
    ) -> User:
        """The new user.

        Raises: InvalidFields, PasswordRejected, EmailAlreadyRegistered, HashingBusy.
        """
        user = await self._draft_user.execute(
            email=email,
            password=password,
            display_name=display_name,
            locale=locale,
            roles=roles,
            email_verified=email_verified,
        )
        async with self._unit_of_work.begin() as tx:
            await tx.users.add(user)
        return user
