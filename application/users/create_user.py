"""Creating a user."""

from application.ports.clock import Clock
from application.ports.email_parser import EmailParser
from application.ports.password_hasher import PasswordHasher
from application.ports.randomness import Randomness
from application.ports.unit_of_work import UnitOfWork
from domain.ids import UserId
from domain.users import profile
from domain.users.password_policy import PasswordPolicy
from domain.users.user import User


class CreateUser:
    """Make a user, whether registration is open or not. Operators do; so do people, through `RegisterUser`."""

    def __init__(
        self,
        unit_of_work: UnitOfWork,
        emails: EmailParser,
        password_policy: PasswordPolicy,
        passwords: PasswordHasher,
        clock: Clock,
        randomness: Randomness,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._emails = emails
        self._password_policy = password_policy
        self._passwords = passwords
        self._clock = clock
        self._randomness = randomness

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
        user = await self.prepare(
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

    async def prepare(
        self,
        *,
        email: str,
        password: str,
        display_name: str | None = None,
        locale: str | None = None,
        roles: frozenset[str] = frozenset(),
        email_verified: bool = False,
    ) -> User:
        """A new user who is not kept yet, after all the work that registering takes.

        Raises: InvalidFields, PasswordRejected, HashingBusy.
        """
        address = self._emails.parse(email)
        display_name = profile.display_name(display_name)
        locale = profile.locale(locale)
        accepted = self._password_policy.accept(password, email=address, display_name=display_name)
        now = self._clock.now()
        user_id = UserId(self._randomness.uuid(at=now))
        return User.register(
            id=user_id,
            email=address,
            password_hash=await self._passwords.hash(accepted, owner=user_id),
            display_name=display_name,
            locale=locale,
            roles=roles,
            email_verified=email_verified,
            at=now,
        )
