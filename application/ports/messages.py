"""Where messages wait to be sent."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from domain.ids import MessageId, UserId
from domain.messages.message import Message, MessageKind, MessageState
from domain.users.email_address import EmailAddress


class MessageRepository(Protocol):
    """All messages, until they are purged. Each that is added is delivered after the commit, at least once."""

    async def add(self, message: Message) -> bool:
        """Keep a new message and queue its delivery. False, and nothing else, where its event has made one of its kind.

        Raises: UserNotFound.
        """
        ...

    async def save(self, message: Message) -> None:
        """Keep the present state of a loaded message and count its version up.

        Raises: ConcurrentUpdate when it was changed or removed since it was loaded.
        """
        ...

    async def lock(self, message_id: MessageId) -> Message:
        """One message as it stands now, and nobody else's to lock or save until this transaction ends.

        Raises: MessageNotFound, DatabaseUnavailable.
        """
        ...

    async def count(self, recipient: EmailAddress, kind: MessageKind, *, created_after: datetime) -> int:
        """How many of that kind were made for this address since, whosever it is."""
        ...

    async def requeue(self, *, untouched_since: datetime, at: datetime, limit: int) -> int:
        """Queue the delivery of at most `limit` that wait and that nobody has tried since that moment; how many.

        Should a job have been lost, this is how its message is not.
        """
        ...

    async def of_user(self, user_id: UserId) -> Sequence[Message]:
        """All of one user, newest first."""
        ...

    async def queue_again(self, message: Message) -> None:
        """Queue the delivery of one that waits, beside whatever is queued of it."""
        ...

    async def page(
        self, *, state: MessageState | None = None, before: MessageId | None = None, limit: int
    ) -> Sequence[Message]:
        """At most `limit` messages, of one state or of any, newest first, beginning after that one.

        The cost does not grow with depth.
        """
        ...

    async def purge(self, *, updated_before: datetime, limit: int) -> int:
        """Forget at most `limit` that are sent or dead, and have been since before that moment; how many."""
        ...
