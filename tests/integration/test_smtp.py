"""Mail to a real SMTP server, and to servers that refuse, hang up, say nothing or are not who they should be."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from adapters.mail.content import SAMPLES
from adapters.mail.email_parser import StrictEmailParser
from adapters.mail.smtp import SmtpMailer
from adapters.mail.smtp_server import Encryption, SmtpServer, check_sender
from adapters.mail.templates import Templates
from application.ports.mailer import Mail, MailDelayed, MailRefused
from domain.ids import MessageId
from domain.messages.message import MessageKind
from domain.users.email_address import EmailAddress
from tests.relay import relay

SENDER = "Hallporter <no-reply@accounts.example.com>"
TEMPLATES = Templates(service="accounts.example.com")
# What a server says besides its code; nobody may hear of it.
CANARY = "canary ada@example.com"

type Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


def mail(recipient: str = "Ada.L@bücher.example.com", **content: str) -> Mail:
    return Mail(
        id=MessageId(UUID(int=7)),
        kind=MessageKind.VERIFY_EMAIL,
        recipient=StrictEmailParser().parse(recipient),
        locale="de",
        content={**SAMPLES, **content},
        written_at=datetime(2026, 11, 23, 8, 15, tzinfo=UTC),
    )


@asynccontextmanager
async def server(answer: Answer) -> AsyncIterator[SmtpServer]:
    """Something that is no relay."""
    listening = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with listening:
        yield SmtpServer.parse(f"smtp://127.0.0.1:{listening.sockets[0].getsockname()[1]}")


def mailer(to: SmtpServer, *, trusting: ssl.SSLContext | None = None, timeout: float = 10) -> SmtpMailer:
    return SmtpMailer(
        to, sender=SENDER, templates=TEMPLATES, ssl_context=trusting or ssl.create_default_context(), timeout=timeout
    )


@dataclass(frozen=True)
class Certificate:
    """What a relay shows, and a client that trusts nothing else."""

    shown: ssl.SSLContext
    trusted: ssl.SSLContext


def make_certificate(folder: Path, name: x509.GeneralName) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "relay")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([name]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    file = folder / "relay.pem"
    file.write_bytes(
        pem
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    shown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    shown.load_cert_chain(file)
    return Certificate(shown, ssl.create_default_context(cadata=pem.decode()))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("right"), x509.IPAddress(ip_address("127.0.0.1")))


@pytest.fixture(scope="module")
def certificate_of_another(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("wrong"), x509.DNSName("elsewhere.example.com"))


async def test_a_mail_arrives_in_both_forms_with_its_headers() -> None:
    async with relay() as (handler, to):
        await mailer(to).send(mail())
    envelope, message = handler.taken[0], handler.message()
    assert envelope.mail_from == "no-reply@accounts.example.com"
    assert envelope.rcpt_tos == ["Ada.L@xn--bcher-kva.example.com"]
    assert message["Message-ID"] == "<00000000-0000-0000-0000-000000000007@accounts.example.com>"
    assert message["Date"].datetime == datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
    assert message["From"] == SENDER
    assert message["To"] == "Ada.L@xn--bcher-kva.example.com"
    assert message["Subject"] == "Bestätigen Sie Ihre E-Mail-Adresse für accounts.example.com"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["MIME-Version"] == "1.0"
    assert message.get_content_type() == "multipart/alternative"
    rendered = TEMPLATES.render(mail())
    text, page = message.iter_parts()
    for part, subtype, wanted in ((text, "plain", rendered.text), (page, "html", rendered.html)):
        assert isinstance(part, EmailMessage)
        assert part["Content-Type"] == f'text/{subtype}; charset="utf-8"'
        assert part.get_content().splitlines() == wanted.splitlines()
    assert handler.sessions[0].host_name == "accounts.example.com"


async def test_the_same_mail_twice_has_the_same_message_id() -> None:
    async with relay() as (handler, to):
        ours = mailer(to)
        await ours.send(mail())
        first = handler.message()
        await ours.send(mail())
    assert len(handler.taken) == 2
    assert first["Message-ID"] == handler.message()["Message-ID"]
    assert first["Date"] == handler.message()["Date"]


async def test_in_05_nothing_in_a_mail_becomes_a_header_or_a_command() -> None:
    """Incident 59."""
    hostile = "7\r\n.\r\nRCPT TO:<eve@example.com>\r\nBcc: eve@example.com\r\n\r\n<script>"
    async with relay() as (handler, to):
        await mailer(to).send(mail(link_hours=hostile, code=hostile))
    assert len(handler.taken) == 1
    assert handler.taken[0].rcpt_tos == ["Ada.L@xn--bcher-kva.example.com"]
    assert handler.message()["Bcc"] is None
    assert list(handler.message().defects) == []


async def test_in_05_an_address_with_a_line_break_is_never_sent() -> None:
    """Incident 59."""
    smuggled = EmailAddress(canonical="ada@example.com", display="a\r\nRCPT TO:<eve@example.com>@example.com")
    async with relay() as (handler, to):
        with pytest.raises(ValueError, match=r"."):
            await mailer(to).send(replace(mail(), recipient=smuggled))
    assert handler.taken == []


async def test_the_longest_address_arrives_whole() -> None:
    longest = "a" * 64 + "@" + ".".join(["b" * 60] * 3)
    async with relay() as (handler, to):
        await mailer(to).send(mail(longest))
    assert handler.taken[0].rcpt_tos == [longest]
    assert handler.message()["To"] == longest


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"RCPT": f"550 5.1.1 {CANARY}"}, "The relay answered 550 to RCPT TO."),
        ({"RCPT": f"553 {CANARY}"}, "The relay answered 553 to RCPT TO."),
        ({"DATA": f"554 5.7.1 {CANARY}"}, "The relay answered 554 to DATA."),
    ],
)
async def test_what_is_refused_to_the_recipient_for_good_is_refused(answers: dict[str, str], said: str) -> None:
    async with relay(answers) as (_, to):
        with pytest.raises(MailRefused) as refusal:
            await mailer(to).send(mail())
    assert str(refusal.value) == said


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"RCPT": f"450 4.2.1 {CANARY}"}, "The relay answered 450 to RCPT TO."),
        ({"DATA": f"451 4.3.0 {CANARY}"}, "The relay answered 451 to DATA."),
        ({"MAIL": f"451 {CANARY}"}, "The relay answered 451 to MAIL FROM."),
        # For good, but about the operator's own matters.
        ({"MAIL": f"550 5.7.1 {CANARY}"}, "The relay answered 550 to MAIL FROM."),
        ({"EHLO": f"550 {CANARY}", "HELO": f"550 {CANARY}"}, "The relay answered 550 to EHLO."),
        ({"RCPT": f"530 5.7.0 {CANARY}"}, "The relay answered 530 to RCPT TO."),
        ({"RCPT": f"421 {CANARY}"}, "The relay answered 421 to RCPT TO."),
    ],
)
async def test_what_may_pass_or_can_be_mended_is_a_delay(answers: dict[str, str], said: str) -> None:
    async with relay(answers) as (_, to):
        with pytest.raises(MailDelayed) as delay:
            await mailer(to).send(mail())
    assert str(delay.value) == said


async def test_a_relay_that_fails_after_taking_a_mail_has_taken_it() -> None:
    async with relay({"QUIT": f"500 {CANARY}"}) as (handler, to):
        await mailer(to).send(mail())
    assert len(handler.taken) == 1


async def greet_and_refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(f"554 {CANARY}\r\n".encode())
    await reader.read()
    writer.close()


async def hang_up_at_data(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 relay.test\r\n")
    while not (line := await reader.readline()).startswith(b"DATA"):
        writer.write(b"250 OK\r\n" if line else b"")
    writer.write(b"354 Go on\r\n")
    await reader.readline()
    writer.close()


async def speak_in_tongues(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(f"{CANARY}\r\n".encode())
    await reader.read()
    writer.close()


async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (greet_and_refuse, "The relay answered 554 while connecting."),
        (speak_in_tongues, "The relay answered -1 while connecting."),
        (hang_up_at_data, "The connection to the relay failed while sending: SMTPServerDisconnected."),
    ],
)
async def test_a_relay_that_breaks_off_is_a_delay(answer: Answer, said: str) -> None:
    async with server(answer) as to:
        with pytest.raises(MailDelayed) as delay:
            await mailer(to).send(mail())
    assert str(delay.value) == said


@pytest.mark.parametrize("timeouts", [{"timeout": 0.01}, {"connect_timeout": 0.01}])
async def test_a_relay_that_says_nothing_is_a_delay(timeouts: dict[str, Any]) -> None:
    """Fault 23."""
    async with server(say_nothing) as to:
        ours = SmtpMailer(to, sender=SENDER, templates=TEMPLATES, **timeouts)
        with pytest.raises(MailDelayed, match=r"^The relay did not answer in time while connecting\.$"):
            await ours.send(mail())


async def test_nobody_listening_is_a_delay() -> None:
    async with relay() as (_, to):
        pass
    with pytest.raises(MailDelayed, match=r"^The connection to the relay failed while connecting: ConnectionRefused"):
        await mailer(to).send(mail())


@pytest.mark.parametrize("encryption", [Encryption.FROM_THE_START, Encryption.REQUIRED, Encryption.IF_OFFERED])
async def test_a_trusted_relay_takes_mail_and_credentials_encrypted(
    encryption: Encryption, certificate: Certificate
) -> None:
    from_the_start = encryption is Encryption.FROM_THE_START
    async with relay(
        tls=certificate.shown if from_the_start else None,
        starttls=None if from_the_start else certificate.shown,
        auth_require_tls=not from_the_start,
        credentials="ada:p%C3%A4ssword@",
    ) as (handler, to):
        await mailer(replace(to, encryption=encryption), trusting=certificate.trusted).send(mail())
    assert len(handler.taken) == 1
    assert handler.sessions[-1].ssl is not None or from_the_start
    assert handler.sessions[-1].authenticated


@pytest.mark.parametrize("encryption", [Encryption.FROM_THE_START, Encryption.REQUIRED, Encryption.IF_OFFERED])
async def test_a_relay_that_is_not_trusted_gets_nothing(
    encryption: Encryption, certificate: Certificate, certificate_of_another: Certificate
) -> None:
    trusts = {
        "self-signed certificate": (certificate.shown, ssl.create_default_context()),
        "IP address mismatch": (certificate_of_another.shown, certificate_of_another.trusted),
    }
    for reason, (shown, trusted) in trusts.items():
        from_the_start = encryption is Encryption.FROM_THE_START
        async with relay(
            tls=shown if from_the_start else None,
            starttls=None if from_the_start else shown,
            credentials="ada:p%C3%A4ssword@",
        ) as (handler, to):
            with pytest.raises(MailDelayed, match=f"^The relay's certificate is not trusted: {reason}"):
                await mailer(replace(to, encryption=encryption), trusting=trusted).send(mail())
        assert handler.taken == []


async def test_where_starttls_is_required_and_stripped_nothing_is_sent() -> None:
    """Fault 23."""
    async with relay(credentials="ada:p%C3%A4ssword@") as (handler, to):
        required = replace(to, encryption=SmtpServer.parse("smtp://relay.example.com").encryption)
        with pytest.raises(MailDelayed, match=r"^The relay lacks what is needed while connecting: .*STARTTLS"):
            await mailer(required).send(mail())
    assert handler.taken == []
    assert not any(session.authenticated for session in handler.sessions)


async def test_a_local_relay_without_tls_is_used_as_it_is() -> None:
    async with relay() as (handler, to):
        assert to.encryption is Encryption.IF_OFFERED
        await mailer(to).send(mail())
    assert len(handler.taken) == 1


async def test_refused_credentials_are_a_delay() -> None:
    async with relay(auth_require_tls=False, credentials="ada:wrong@") as (handler, to):
        with pytest.raises(MailDelayed, match=r"^The relay answered 535 to AUTH\.$"):
            await mailer(to).send(mail())
    assert handler.taken == []


async def test_a_relay_that_knows_no_credentials_is_a_delay() -> None:
    async with relay(credentials="ada:wrong@") as (_, to):
        with pytest.raises(MailDelayed, match=r"^The relay lacks what is needed while connecting: .*AUTH"):
            await mailer(to).send(mail())


@pytest.mark.parametrize(
    ("url", "host", "port", "encryption"),
    [
        ("smtps://relay.example.com", "relay.example.com", 465, Encryption.FROM_THE_START),
        ("SMTPS://Relay.example.com:4650", "relay.example.com", 4650, Encryption.FROM_THE_START),
        ("smtps://localhost", "localhost", 465, Encryption.FROM_THE_START),
        ("smtp://relay.example.com", "relay.example.com", 587, Encryption.REQUIRED),
        ("smtp://mail_relay:25", "mail_relay", 25, Encryption.REQUIRED),
        ("smtp://192.0.2.7", "192.0.2.7", 587, Encryption.REQUIRED),
        ("smtp://localhost.example.com", "localhost.example.com", 587, Encryption.REQUIRED),
        ("smtp://localhost", "localhost", 25, Encryption.IF_OFFERED),
        ("smtp://127.1.2.3:1025", "127.1.2.3", 1025, Encryption.IF_OFFERED),
        ("smtp://[::1]", "::1", 25, Encryption.IF_OFFERED),
    ],
)
def test_a_url_says_where_the_relay_is_and_how_to_talk_to_it(
    url: str, host: str, port: int, encryption: Encryption
) -> None:
    assert SmtpServer.parse(url) == SmtpServer(host=host, port=port, encryption=encryption)


def test_credentials_are_decoded_and_never_printed() -> None:
    parsed = SmtpServer.parse("smtp://ada%40example.com:c%3Anary%2F%25@relay.example.com")
    assert (parsed.user, parsed.password) == ("ada@example.com", "c:nary/%")
    assert "nary" not in repr(parsed)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "must begin with smtp"),
        ("canary", "must begin with smtp"),
        ("http://u:canary@h", "must begin with smtp"),
        ("smtp:canary", "must begin with smtp"),
        ("smtp://h\n.canary", "must begin with smtp"),
        ("smtp://", "must begin with smtp"),
        ("smtp://:25", "names no host"),
        ("smtp://u:canary@", "names no host"),
        ("smtp://u:p@can ary", "names no host"),
        ("smtp://canary..example", "names no host"),
        ("smtp://h/canary", "must end after the port"),
        ("smtp://h/", "must end after the port"),
        ("smtp://h?canary=1", "must end after the port"),
        ("smtp://h#canary", "must end after the port"),
        ("smtp://h?", "must end after the port"),
        ("smtp://u:cana/ry@h", "is not a URL such as"),
        ("smtp://h:canary", "is not a URL such as"),
        ("smtp://h:99999", "is not a URL such as"),
        ("smtp://h:0", "has an impossible port"),
        ("smtp://[canary]", "is not a URL such as"),
        ("smtp://u:canary%ff@h", "is not a URL such as"),
        ("smtp://u:canary%00@h", "is not a URL such as"),
        ("smtp://u:canary%0D%0A@h", "is not a URL such as"),
        ("smtp://canary@h", "needs user and password"),
        ("smtp://canary:@h", "needs user and password"),
        ("smtp://:canary@h", "needs user and password"),
        ("smtp://@h", "needs user and password"),
    ],
)
def test_another_url_is_refused_without_being_repeated(url: str, said: str) -> None:
    with pytest.raises(ValueError, match=f"^{said}") as problem:
        SmtpServer.parse(url)
    assert "canary" not in str(problem.value)
    assert problem.value.__suppress_context__ or problem.value.__context__ is None


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        (SENDER, SENDER),
        ("no-reply@accounts.example.com", "no-reply@accounts.example.com"),
        ("<no-reply@localhost>", "no-reply@localhost"),
        ("Verein für Türen <a@b.example>", "Verein für Türen <a@b.example>"),
        ('"Doors, Inc." <a@b.example>', '"Doors, Inc." <a@b.example>'),
    ],
)
def test_a_sender_is_an_address_with_or_without_a_name(given: str, taken: str) -> None:
    assert check_sender(given) == taken


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hallporter",
        "Doors, Inc. <a@b.example>",
        "A <a@b.example>, B <c@d.example>",
        "A\r\nBcc: eve <a@b.example>",
        "A\0 <a@b.example>",
        "A <a@b.example",
        "a@b.example (door)",
        "a b@c.example",
        "a..b@c.example",
        "a@b..example",
        "a@bücher.example",
        "ä@b.example",
    ],
)
def test_another_sender_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^is not a sender such as Hallporter <no-reply@accounts\.example\.com>"):
        check_sender(text)


async def test_a_sender_with_a_name_in_another_script_arrives() -> None:
    async with relay() as (handler, to):
        await SmtpMailer(to, sender="Verein für Türen <a@b.example>", templates=TEMPLATES).send(mail())
    assert handler.message()["From"] == "Verein für Türen <a@b.example>"
