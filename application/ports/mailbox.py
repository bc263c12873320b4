"""The mailbox of development."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from domain.ids import MessageId


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedMail:
    """A mail as it would have arrived."""

    id: MessageId
    recipient: str
    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)
    received_at: datetime


class Mailbox(Protocol):
    """Where all mail goes while there is no SMTP server, to be read by whoever develops."""

    async def put(self, mail: ReceivedMail) -> None:
        """Take a mail. The same one again arrives as one."""
        ...

    async def latest(self, *, limit: int) -> Sequence[ReceivedMail]:
        """At most `limit` mails, newest first."""
        ...

    async def find(self, message_id: MessageId) -> ReceivedMail | None:
        """One mail."""
        ...
