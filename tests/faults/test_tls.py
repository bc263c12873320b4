"""Whom a connection to the database trusts (incident 63).

The embedded server is built without TLS, so that something in front of it speaks it, as PostgreSQL does.
"""

import asyncio
import ipaddress
import ssl
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from sqlalchemy import make_url

from adapters.postgres import schema
from adapters.postgres.database import open_engine
from adapters.postgres.problems import DatabaseAway, DatabaseProblem
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.postgres.urls import asyncpg_url
from adapters.system.randomness import SystemRandomness
from application.ports.unit_of_work import DatabaseUnavailable

SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
OURS = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
ANOTHERS = x509.DNSName("database.example.com")


@dataclass(frozen=True)
class Authority:
    """Somebody who says whose certificate is whose."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def new(cls) -> "Authority":
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "the test's authority")])
        usage = x509.KeyUsage(
            digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
            key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        made = (
            _about(name, name, key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        return cls(key, made.sign(key, SHA256()))

    def issue(self, owner: x509.GeneralName, folder: Path) -> ssl.SSLContext:
        """What a server of that name speaks TLS with."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a database")])
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        certificate = (
            _about(name, self.certificate.subject, key)
            .add_extension(x509.SubjectAlternativeName([owner]), critical=False)
            .add_extension(authority, critical=False)
            .sign(self.key, SHA256())
        )
        chain = folder / "server.pem"
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        chain.write_bytes(private + certificate.public_bytes(Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        return context


def _about(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return x509.CertificateBuilder(
        subject_name=subject,
        issuer_name=issuer,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now - timedelta(minutes=1),
        not_valid_after=now + timedelta(hours=1),
    )


@asynccontextmanager
async def with_tls(database: str, context: ssl.SSLContext) -> AsyncIterator[str]:
    """The database behind somebody who speaks TLS; its URL there, without a mode."""
    behind = Path(str(make_url(database).query["host"])) / ".s.PGSQL.5432"
    tasks: set[asyncio.Task[None] | None] = set()

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        tasks.add(asyncio.current_task())
        with suppress(OSError, EOFError):
            assert await reader.readexactly(len(SSL_REQUEST)) == SSL_REQUEST
            writer.write(b"S")
            await writer.start_tls(context)
            from_server, to_server = await asyncio.open_unix_connection(behind)
            await asyncio.wait(
                [asyncio.create_task(_pump(reader, to_server)), asyncio.create_task(_pump(from_server, writer))]
            )
        with suppress(OSError):
            writer.close()
            await writer.wait_closed()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        place = make_url(database).set(drivername="postgresql", host="127.0.0.1", port=port, query={})
        yield place.render_as_string(hide_password=False)
        await asyncio.gather(*(task for task in tasks if task is not None), return_exceptions=True)


async def _pump(source: StreamReader, target: StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await source.read(2**16):
            target.write(chunk)
            await target.drain()
    with suppress(OSError):
        target.close()
        await target.wait_closed()


@pytest.fixture
def socket_only(database: str) -> str:
    if "host" not in make_url(database).query:
        pytest.skip("TEST_DATABASE_URL is not on a socket of this machine")
    return database


@pytest.mark.parametrize("mode", ["verify-full", "verify-ca", "require"])
async def test_incident_63_a_server_with_the_certificate_of_its_name_is_believed(
    socket_only: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    authority = Authority.new()
    trusted = tmp_path / "root.pem"
    trusted.write_bytes(authority.certificate.public_bytes(Encoding.PEM))
    monkeypatch.setenv("PGSSLROOTCERT", str(trusted))
    async with with_tls(socket_only, authority.issue(OURS, tmp_path)) as url:
        await schema.expect_up_to_date(asyncpg_url(f"{url}?sslmode={mode}"))


@pytest.mark.parametrize(
    ("owner", "mode", "is_known"),
    [(ANOTHERS, "verify-full", True), (OURS, "verify-full", False), (OURS, "verify-ca", False)],
    ids=["another's name", "a stranger's word", "a stranger's word, and no name asked for"],
)
async def test_incident_63_a_server_with_the_certificate_of_somebody_else_is_refused(
    socket_only: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    owner: x509.GeneralName,
    mode: str,
    *,
    is_known: bool,
) -> None:
    authority = Authority.new()
    trusted = tmp_path / "root.pem"
    believed = authority if is_known else Authority.new()
    trusted.write_bytes(believed.certificate.public_bytes(Encoding.PEM))
    monkeypatch.setenv("PGSSLROOTCERT", str(trusted))
    async with with_tls(socket_only, authority.issue(owner, tmp_path)) as plain:
        url = asyncpg_url(f"{plain}?sslmode={mode}")
        with pytest.raises(DatabaseProblem, match="does not take the encrypted connection") as problem:
            await schema.expect_up_to_date(url)
        # Nobody waits for it.
        assert not isinstance(problem.value, DatabaseAway)
        async with open_engine(url) as engine:
            with pytest.raises(DatabaseUnavailable):
                async with PostgresUnitOfWork(engine, SystemRandomness()).read():
                    pass
