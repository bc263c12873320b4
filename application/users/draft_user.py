"""Making a user."""

from application.ports.clock import Clock
from application.ports.email_parser import EmailParser
from application.ports.password_hasher import PasswordHasher
from application.ports.randomness import Randomness
from domain.ids import UserId
from domain.users import profile
from domain.users.password_policy import PasswordPolicy
from domain.users.roles import roles as checked_roles
from domain.users.user import User


class DraftUser:
    """Do all that creating a user takes, but keep them."""

    def __init__(
        self,
        emails: EmailParser,
        password_policy: PasswordPolicy,
        passwords: PasswordHasher,
        clock: Clock,
        randomness: Randomness,
    ) -> None:
        self._emails = emails
        self._password_policy = password_policy
        self._passwords = passwords
        self._clock = clock
        self._randomness = randomness

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
    ) -> User:
        """A new user who is not kept yet, after all the work that registering takes. Without a password: invited.

        Raises: InvalidFields, PasswordRejected, HashingBusy.
        """
        address = self._emails.parse(email)
        display_name = profile.display_name(display_name)
        locale = profile.locale(locale)
        roles = checked_roles(roles)
        accepted = (
            self._password_policy.accept(password, email=address, display_name=display_name)
            if password is not None
            else None
        )
        now = self._clock.now()
        user_id = UserId(self._randomness.uuid(at=now))
        return User.register(
            id=user_id,
            email=address,
            password_hash=await self._passwords.hash(accepted, owner=user_id) if accepted is not None else None,
            display_name=display_name,
            locale=locale,
            roles=roles,
            email_verified=email_verified,
            by=by,
            at=now,
        )
