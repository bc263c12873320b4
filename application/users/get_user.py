"""Looking a user up."""

from application.ports.email_parser import EmailParser
from application.ports.unit_of_work import UnitOfWork
from domain.ids import UserId
from domain.users.user import User, UserNotFound


class GetUser:
    """Find one user by id or by address."""

    def __init__(self, unit_of_work: UnitOfWork, emails: EmailParser) -> None:
        self._unit_of_work = unit_of_work
        self._emails = emails

    async def execute(self, *, who: UserId | str) -> User:
        """The user with this id or e-mail address, in whatever spelling.

        Raises: UserNotFound, InvalidFields.
        """
        if isinstance(who, str):
            address = self._emails.parse(who)
            async with self._unit_of_work.read() as tx:
                found = await tx.users.find_by_email(address)
            if found is None:
                raise UserNotFound
            return found
        async with self._unit_of_work.read() as tx:
            return await tx.users.get(who)
