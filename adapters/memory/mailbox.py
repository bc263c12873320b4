"""The mailbox of development, in memory."""

from collections.abc import Sequence

from application.ports.mailbox import Mailbox, ReceivedMail
from domain.ids import MessageId


class MemoryMailbox:
    """`Mailbox` in memory."""

    def __init__(self) -> None:
        self._mails: dict[MessageId, ReceivedMail] = {}

    async def put(self, mail: ReceivedMail) -> None:
        self._mails[mail.id] = mail

    async def latest(self, *, limit: int) -> Sequence[ReceivedMail]:
        return sorted(self._mails.values(), key=lambda mail: mail.id, reverse=True)[:limit]

    async def find(self, message_id: MessageId) -> ReceivedMail | None:
        return self._mails.get(message_id)


def _is_mailbox(memory: MemoryMailbox) -> Mailbox:
    return memory
