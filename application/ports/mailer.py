"""Sending mail."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from domain.ids import MessageId
from domain.messages.message import MessageKind
from domain.users.email_address import EmailAddress


class MailDelayed(Exception):
    """The mail was not taken this time; later it may be. The message says why, without anything personal."""


class MailRefused(Exception):
    """The mail will never be taken. The message says why, without anything personal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """What is to be sent, before it is put into words.

    `locale` is the user's wish (BCP 47), or None. `content` fills the template of that kind: `link` and `code` where
    it has one, and what else the kind names. It is never written to a log.
    """

    id: MessageId
    kind: MessageKind
    recipient: EmailAddress
    locale: str | None
    content: Mapping[str, str] = field(repr=False)
    written_at: datetime


class Mailer(Protocol):
    """Hands mail to the next hop."""

    async def send(self, mail: Mail) -> None:
        """Return once it is taken. The same mail again has the same Message-ID, so that two arrive as one.

        May take 20 seconds; never call it inside a transaction.

        Raises: MailDelayed, MailRefused.
        """
        ...
