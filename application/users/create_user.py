"""Creating a user."""

from application.ports.unit_of_work import UnitOfWork
from application.users.draft_user import DraftUser
from domain.idempotency.idempotent_request import Once
from domain.ids import UserId
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
        password: str | None,
        display_name: str | None = None,
        locale: str | None = None,
        roles: frozenset[str] = frozenset(),
        email_verified: bool = False,
        by: UserId | None = None,
        once: Once | None = None,
    ) -> User:
        """The new user, or with `once` the one whom an earlier try has made. Without `by`, it is the command line.

        Without a password the user is mailed an invitation to choose one.

        Raises: InvalidFields, PasswordRejected, EmailAlreadyRegistered, HashingBusy, IdempotencyInFlight; UserNotFound
            where that user has been erased since.
        """
        if once is not None and once.acted and once.user_id is not None:
            async with self._unit_of_work.read() as tx:
                return await tx.users.get(once.user_id)
        user = await self._draft_user.execute(
            email=email,
            password=password,
            display_name=display_name,
            locale=locale,
            roles=roles,
            email_verified=email_verified,
            by=by,
        )
        async with self._unit_of_work.begin() as tx:
            await tx.users.add(user)
            if once is not None:
                await tx.idempotent_requests.note_act(once, user.id, at=user.created_at)
        return user
