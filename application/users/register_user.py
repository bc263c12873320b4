"""Registering."""

from dataclasses import dataclass
from typing import Literal

from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from application.throttling.throttle_all import ThrottleAll
from application.users.draft_user import DraftUser
from domain.idempotency.idempotent_request import Once
from domain.recovery.recovery_events import RegistrationRepeated
from domain.users.registration import EmailAlreadyRegistered, RegistrationClosed
from domain.users.user import User

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
        self,
        unit_of_work: UnitOfWork,
        draft_user: DraftUser,
        throttle: ThrottleAll,
        clock: Clock,
        policy: RegistrationPolicy,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._throttle = throttle
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
        once: Once | None = None,
    ) -> User | None:
        """The new user, with an unproven address and without roles; None where nothing may be told.

        With `once`, the user whom an earlier try has made.

        Raises: RegistrationClosed, InvalidFields, PasswordRejected, EmailAlreadyRegistered, HashingBusy,
            IdempotencyInFlight, Throttled, ThrottlesUnavailable; UserNotFound where that user has been erased since.
        """
        if not self._policy.open:
            raise RegistrationClosed
        if once is not None and once.acted:
            return await self._made_before(once)
        await self._throttle.registration()
        user = await self._draft_user.execute(email=email, password=password, display_name=display_name, locale=locale)
        if self._policy.discreet:
            await self._keep_discreetly(user, network_address, once)
            return None
        if once is None:
            async with self._unit_of_work.write() as tx:
                await tx.users.add(user)
            return user
        async with self._unit_of_work.begin() as tx:
            await tx.users.add(user)
            await tx.idempotent_requests.note_act(once, user.id, at=user.created_at)
        return user

    async def _made_before(self, once: Once) -> User | None:
        if self._policy.discreet or once.user_id is None:
            return None
        async with self._unit_of_work.read() as tx:
            return await tx.users.get(once.user_id)

    async def _keep_discreetly(self, user: User, network_address: str | None, once: Once | None) -> None:
        """Keep the user, or tell who has the address: one write and one lock either way."""
        try:
            async with self._unit_of_work.begin() as tx:
                now = self._clock.now()
                owner = await tx.users.find_by_email(user.email)
                if owner is None:
                    await tx.users.add(user)
                    await tx.users.lock(user.id)
                else:
                    await tx.users.lock(owner.id)
                    await tx.audit.append(
                        RegistrationRepeated(user_id=owner.id, occurred_at=now, network_address=network_address)
                    )
                if once is not None:
                    await tx.idempotent_requests.note_act(once, (owner or user).id, at=now)
        except EmailAlreadyRegistered:
            # Somebody registered it at the same moment; to one person one mail is enough.
            return
