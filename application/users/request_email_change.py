"""Asking to move to another address."""

from application.ports.clock import Clock
from application.ports.email_parser import EmailParser
from application.ports.randomness import Randomness
from application.ports.unit_of_work import UnitOfWork
from domain.ids import EmailChangeId, SessionId, UserId
from domain.users.email_change import EmailChange, EmailChangeRequested


class RequestEmailChange:
    """Have the new mailbox asked for a proof, and the old one told. Nothing changes yet (EM-02).

    Whether somebody has the new address is looked up later, by a worker: here the same is done for all (LG-03).
    """

    def __init__(self, unit_of_work: UnitOfWork, emails: EmailParser, clock: Clock, randomness: Randomness) -> None:
        self._unit_of_work = unit_of_work
        self._emails = emails
        self._clock = clock
        self._randomness = randomness

    async def execute(self, *, user_id: UserId, session_id: SessionId, new_email: str) -> None:
        """Take the wish down. The user's own address again is no wish.

        Raises: InvalidFields, UserNotFound.
        """
        new = self._emails.parse(new_email, field="new_email")
        now = self._clock.now()
        async with self._unit_of_work.begin() as tx:
            user = await tx.users.get(user_id)
            if user.email == new:
                return
            change = EmailChange(
                id=EmailChangeId(self._randomness.uuid(at=now)),
                user_id=user_id,
                session_id=session_id,
                old=user.email,
                old_is_proven=user.email_verified,
                new=new,
                requested_at=now,
            )
            await tx.email_changes.add(change)
            await tx.audit.append(EmailChangeRequested(user_id=user_id, occurred_at=now, change_id=change.id))
