"""Doing a job."""

from datetime import timedelta

from application.messages.deliver_message import DeliverMessage
from application.messages.prepare_messages import PrepareMessages
from application.ports.jobs import Job, JobKind
from domain.ids import AuditEntryId, MessageId


class HandleJob:
    """Do what a job asks for. Doing it twice does it once: a queue can promise no less than once."""

    def __init__(self, prepare_messages: PrepareMessages, deliver_message: DeliverMessage) -> None:
        self._prepare_messages = prepare_messages
        self._deliver_message = deliver_message

    async def execute(self, *, job: Job) -> timedelta | None:
        """How long to wait before the job is to be done again; None when it is done.

        Whatever is raised is a reason to try again.
        """
        match job.kind:
            case JobKind.EVENT:
                await self._prepare_messages.execute(event_id=AuditEntryId(job.subject))
                return None
            case JobKind.MESSAGE:
                return await self._deliver_message.execute(message_id=MessageId(job.subject))
