"""Doing a job."""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

from application.messages.deliver_message import DeliverMessage
from application.messages.drafts import DRAFTERS
from application.messages.prepare_messages import PrepareMessages
from application.ports.jobs import Job, JobKind
from application.transfer.run_import import RunImport
from application.upkeep.forget_erased_user import ForgetErasedUser
from domain.ids import AuditEntryId, MessageId, UserImportId
from domain.users.user_events import UserErased


class HandleJob:
    """Do what a job asks for. Doing it twice does it once: a queue can promise no less than once."""

    def __init__(
        self,
        prepare_messages: PrepareMessages,
        deliver_message: DeliverMessage,
        forget: ForgetErasedUser,
        run_import: RunImport,
    ) -> None:
        self._prepare_messages = prepare_messages
        self._deliver_message = deliver_message
        self._forget = forget
        self._run_import = run_import

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
            case JobKind.IMPORT:
                await self._run_import.execute(import_id=UserImportId(job.subject))
                return None
            case JobKind.ERASURE:
                return await self._forget.execute(event_id=AuditEntryId(job.subject))


JOBS_OF_EVENTS: Mapping[str, JobKind] = MappingProxyType(
    {**dict.fromkeys(DRAFTERS, JobKind.EVENT), UserErased.name: JobKind.ERASURE}
)
"""What is to be done after which events. All others are only written down."""
