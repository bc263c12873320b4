"""Registering."""

from dataclasses import dataclass

from application.users.create_user import CreateUser
from domain.users.user import RegistrationClosed, User


@dataclass(frozen=True, slots=True)
class RegistrationPolicy:
    """Who may become a user by themselves."""

    open: bool = True


class RegisterUser:
    """Let a person become a user by choosing an address and a password."""

    def __init__(self, create_user: CreateUser, policy: RegistrationPolicy) -> None:
        self._create_user = create_user
        self._policy = policy

    async def execute(
        self, *, email: str, password: str, display_name: str | None = None, locale: str | None = None
    ) -> User:
        """The new user, with an unproven address and without roles.

        Raises: RegistrationClosed, InvalidFields, PasswordRejected, EmailAlreadyRegistered, HashingBusy.
        """
        if not self._policy.open:
            raise RegistrationClosed
        return await self._create_user.execute(email=email, password=password, display_name=display_name, locale=locale)
