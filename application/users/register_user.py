"""Registering."""

from dataclasses import dataclass
from typing import Literal

from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from application.users.draft_user import DraftUser
from domain.recovery.recovery_events import RegistrationRepeated
from domain.users.user import EmailAlreadyRegistered, RegistrationClosed, User

type RegistrationMode = Literal["open", "discreet", "closed"]


@dataclass(frozen=True, slots=True)
class RegistrationPolicy:
    """Who may become a user by themselves, and whether they are told that somebody has the address already.

    If `discreet` the answer is the same either way, and the mail that follows differs (LG-03).
    """

    open: bool = True
    discreet: bool = False

    @property
    def mode(self) -> RegistrationMode:
        """The policy in a word."""
        if not self.open:
            return "closed"
        return "discreet" if self.discreet else "open"


class RegisterUser:
    """Let a person become a user by choosing an address and a password."""

    def __init__(
        self, unit_of_work: UnitOfWork, draft_user: DraftUser, clock: Clock, policy: RegistrationPolicy
    ) -> None:
        self._unit_of_work = unit_of_work
        self._draft_user = draft_user
        self._clock = clock
        self._policy = policy

    async def execute(
        self,
        *,
        email: str,
        password: str,
        display_name: str | None = None,
        locale: str | None = None,
        network_address: str | None = None,
    ) -> User | None:
        """The new user, with an unproven address and without roles; None where nothing may be told.

        Raises: RegistrationClosed, InvalidFields, PasswordRejected, EmailAlreadyRegistered, HashingBusy.
        """
        if not self._policy.open:
            raise RegistrationClosed
        user = await self._draft_user.execute(email=email, password=password, display_name=display_name, locale=locale)
        if self._policy.discreet:
            await self._keep_discreetly(user, network_address)
            return None
        async with self._unit_of_work.begin() as tx:
            await tx.users.add(user)
        return user

    async def _keep_discreetly(self, user: User, network_address: str | None) -> None:
        """Keep the user, or tell who has the address: two writes either way."""
        try:
            async with self._unit_of_work.begin() as tx:
                owner = await tx.users.find_by_email(user.email)
                if owner is None:
                    await tx.users.add(user)
                    return
                await tx.users.lock(owner.id)
                now = self._clock.now()
                await tx.audit.append(
                    RegistrationRepeated(user_id=owner.id, occurred_at=now, network_address=network_address)
                )
        except EmailAlreadyRegistered:
            # Somebody registered it at the same moment; to one person one mail is enough.
            return
