"""Sending again."""

from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from domain.idempotency.idempotent_request import Once
from domain.ids import MessageId, UserId


class RetryMessage:
    """Let an operator have a dead message tried again, when what stood in its way is gone."""

    def __init__(self, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def execute(self, *, message_id: MessageId, by: UserId | None = None, once: Once | None = None) -> None:
        """Queue it, or with `once` leave it at what an earlier try has done. Without `by`, it is the command line.

        Raises: MessageNotFound, MessageNotDead, MessageExpired, IdempotencyInFlight.
        """
        if once is not None and once.acted:
            return
        now = self._clock.now()
        async with self._unit_of_work.begin() as tx:
            message = await tx.messages.lock(message_id)
            message.retry(at=now, by=by)
            await tx.messages.save(message)
            await tx.messages.queue_again(message)
            if once is not None:
                await tx.idempotent_requests.note_act(once, message.user_id, at=now)
