"""An SMTP relay on this machine that answers as it is told to."""
# ruff: noqa: N802 (aiosmtpd finds the methods of a handler by these names)

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from adapters.mail.smtp_server import SmtpServer


@dataclass
class Relay:
    """A handler of aiosmtpd that answers a command as it is told to, and keeps what it takes."""

    answers: Mapping[str, str]
    refused: frozenset[str] = frozenset()
    taken: list[Envelope] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)

    async def handle_EHLO(self, _: SMTP, session: Session, __: Envelope, name: str, replies: list[str]) -> list[str]:
        session.host_name = name
        self.sessions.append(session)
        return [self.answers["EHLO"]] if "EHLO" in self.answers else replies

    async def handle_HELO(self, *_: object) -> str:
        return self.answers.get("HELO", "250 relay.test")

    async def handle_MAIL(self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]) -> str:
        envelope.mail_from = address
        return self.answers.get("MAIL", "250 OK")

    async def handle_RCPT(self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]) -> str:
        if address in self.refused:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return self.answers.get("RCPT", "250 OK")

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:
        self.taken.append(envelope)
        return self.answers.get("DATA", "250 OK")

    async def handle_QUIT(self, *_: object) -> str:
        return self.answers.get("QUIT", "221 Bye")

    def messages(self) -> list[EmailMessage]:
        """What was taken, oldest first."""
        parser = BytesParser(_class=EmailMessage, policy=policy.default)
        return [parser.parsebytes(envelope.original_content or b"") for envelope in self.taken]

    def message(self) -> EmailMessage:
        """The one that was taken last."""
        return self.messages()[-1]


def knows_ada(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    return AuthResult(success=data == LoginPassword(b"ada", "pässword".encode()), handled=False)


@asynccontextmanager
async def relay(
    answers: dict[str, str] | None = None,
    *,
    tls: ssl.SSLContext | None = None,
    starttls: ssl.SSLContext | None = None,
    credentials: str = "",
    port: int = 0,
    refused: Iterable[str] = (),
    **options: Any,
) -> AsyncIterator[tuple[Relay, SmtpServer]]:
    """A relay on this machine, and how to reach it."""
    handler = Relay(answers or {}, frozenset(refused))
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(
        lambda: SMTP(
            handler, hostname="relay.test", tls_context=starttls, authenticator=knows_ada, loop=loop, **options
        ),
        "127.0.0.1",
        port,
        ssl=tls,
    )
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        yield handler, SmtpServer.parse(f"{'smtps' if tls else 'smtp'}://{credentials}127.0.0.1:{port}")
