"""Asking to move to another address."""

from application.ports.clock import Clock
from application.ports.email_parser import EmailParser
from application.ports.randomness import Randomness
from application.ports.unit_of_work import UnitOfWork
from domain.errors import ConcurrentUpdate
from domain.idempotency.idempotent_request import Once
from domain.ids import EmailChangeId, SessionId, UserId
from domain.recovery.one_time_token import Purpose
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

    async def execute(
        self, *, user_id: UserId, session_id: SessionId, new_email: str, once: Once | None = None
    ) -> None:
        """Take the wish down; an older one ends with that. With `once`, leave it at what an earlier try has done.

        To wish for one's own address is to wish for no other.

        Raises: InvalidFields, UserNotFound, SessionNotFound, ConcurrentUpdate, IdempotencyInFlight.
        """
        new = self._emails.parse(new_email, field="new_email")
        if once is not None and once.acted:
            return
        now = self._clock.now()
        async with self._unit_of_work.begin() as tx:
            user = await tx.users.lock(user_id)
            session = await tx.sessions.lock(session_id)
            if not session.is_live(user=user, at=now):
                # Whatever ended the session since the request came in would not have let it begin.
                raise ConcurrentUpdate
            # Whatever comes of this wish: were the older one good until then, its end would tell something (LG-03).
            await tx.one_time_tokens.spend(user_id, Purpose.CONFIRM_EMAIL_CHANGE, at=now)
            change = EmailChange(
                id=EmailChangeId(self._randomness.uuid(at=now)),
                user_id=user_id,
                session_id=session_id,
                security_epoch=user.security_epoch,
                old=user.email,
                old_is_verified=user.email_verified,
                new=new,
                requested_at=now,
            )
            await tx.email_changes.add(change)
            await tx.audit.append(EmailChangeRequested(user_id=user_id, occurred_at=now, change_id=change.id))
            if once is not None:
                await tx.idempotent_requests.note_act(once, user_id, at=now)
