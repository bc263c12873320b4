"""Mail by SMTP, to the operator's relay."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from email.headerregistry import Address
from email.message import EmailMessage

import aiosmtplib

from adapters.mail.smtp_server import Encryption, SmtpServer, sender_of
from adapters.mail.templates import Templates
from application.ports.mailer import Mail, MailDelayed, Mailer, MailRefused

# Seconds.
_CONNECT_TIMEOUT = 10.0
_TIMEOUT = 20.0
_GOODBYE_TIMEOUT = 1.0

# What is being answered, by what the library raises. Anything else is about the connection.
_COMMANDS: Mapping[type[Exception], str] = {
    aiosmtplib.SMTPHeloError: "EHLO",
    aiosmtplib.SMTPAuthenticationError: "AUTH",
    aiosmtplib.SMTPSenderRefused: "MAIL FROM",
    aiosmtplib.SMTPRecipientRefused: "RCPT TO",
    aiosmtplib.SMTPDataError: "DATA",
}
# Only these say something about the mail; a 5xx to another is about us, and the operator can mend it.
_ABOUT_THE_MAIL = {"RCPT TO", "DATA"}
# So do these codes, whatever they answer: the relay wants other credentials, or TLS (RFC 4954 section 6).
_ABOUT_US = {530, 534, 535, 538}
_PERMANENT = range(500, 600)


class SmtpMailer:
    """`Mailer` by SMTP: one connection for each mail.

    Refused is what the relay refuses to this recipient for good. Whatever an operator can mend (the relay is away, its
    certificate, our credentials, our sender) is a delay. `timeout` is for the whole conversation, in seconds.

    Raises: ValueError for a sender that is no address.
    """

    def __init__(
        self,
        server: SmtpServer,
        *,
        sender: str,
        templates: Templates,
        ssl_context: ssl.SSLContext | None = None,
        connect_timeout: float = _CONNECT_TIMEOUT,
        timeout: float = _TIMEOUT,
    ) -> None:
        self._server = server
        self._sender = sender_of(sender)
        self._templates = templates
        self._ssl_context = ssl_context or ssl.create_default_context()
        self._connect_timeout = connect_timeout
        self._timeout = timeout

    async def send(self, mail: Mail) -> None:
        recipient = _recipient(mail)
        message = self._message(mail, recipient)
        async with self._connected() as client:
            await client.send_message(message, sender=self._sender.addr_spec, recipients=[recipient.addr_spec])

    async def greet(self) -> None:
        """Connect as for a mail, with TLS and credentials, and send none.

        Raises: MailDelayed.
        """
        async with self._connected():
            pass

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[aiosmtplib.SMTP]:
        """Have the relay listen for as long as the block.

        Raises: MailDelayed, MailRefused.
        """
        client = self._client()
        phase = "while connecting"
        try:
            async with asyncio.timeout(self._timeout):
                await client.connect(timeout=self._connect_timeout)
                phase = "while sending"
                yield client
        except (aiosmtplib.SMTPException, OSError) as error:
            raise _problem(error, phase) from None  # the library's error repeats addresses
        else:
            # The mail is taken by now, whatever becomes of the farewell.
            with suppress(aiosmtplib.SMTPException):
                await client.quit(timeout=_GOODBYE_TIMEOUT)
        finally:
            client.close()

    def _client(self) -> aiosmtplib.SMTP:
        server = self._server
        return aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user,
            password=server.password,
            # Not the machine's name: finding it out may take as long as the DNS likes, and it is nobody's business.
            local_hostname=self._sender.domain,
            timeout=None,
            use_tls=server.encryption is Encryption.FROM_THE_START,
            start_tls={Encryption.REQUIRED: True, Encryption.IF_OFFERED: None}.get(server.encryption, False),
            tls_context=self._ssl_context,
        )

    def _message(self, mail: Mail, recipient: Address) -> EmailMessage:
        rendered = self._templates.render(mail)
        message = EmailMessage()
        message["Message-ID"] = f"<{mail.id}@{self._sender.domain}>"
        message["Date"] = mail.written_at
        message["From"] = self._sender
        message["To"] = recipient
        message["Subject"] = rendered.subject
        # Vacation notices and ticket systems do not answer it (RFC 3834).
        message["Auto-Submitted"] = "auto-generated"
        # An encoding that every relay takes as it is.
        message.set_content(rendered.text, cte="quoted-printable")
        message.add_alternative(rendered.html, subtype="html", cte="quoted-printable")
        return message


def _problem(error: aiosmtplib.SMTPException | OSError, phase: str) -> MailDelayed | MailRefused:
    """What the error means for the mail, in words of our own: the server's repeat addresses."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        (error,) = error.recipients  # of the one there is
    if isinstance(error, aiosmtplib.SMTPResponseException):
        command = _COMMANDS.get(type(error))
        said = f"The relay answered {error.code} {f'to {command}' if command else phase}."
        permanent = error.code in _PERMANENT and error.code not in _ABOUT_US and command in _ABOUT_THE_MAIL
        return MailRefused(said) if permanent else MailDelayed(said)
    cause = error.__cause__ if isinstance(error, aiosmtplib.SMTPConnectError) else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return MailDelayed(f"The relay's certificate is not trusted: {cause.verify_message}")
    if isinstance(cause, TimeoutError):
        return MailDelayed(f"The relay did not answer in time {phase}.")
    if type(error) is aiosmtplib.SMTPException:
        # The library's own words: STARTTLS or AUTH is not there.
        return MailDelayed(f"The relay lacks what is needed {phase}: {error.message}")
    return MailDelayed(f"The connection to the relay failed {phase}: {type(cause or error).__name__}.")


def _recipient(mail: Mail) -> Address:
    # The local part as it was typed, for a mailbox may care; the domain in ASCII, for a relay may know no other.
    return Address(username=mail.recipient.display.rpartition("@")[0], domain=mail.recipient.domain)


def _is_mailer(smtp: SmtpMailer) -> Mailer:
    return smtp
