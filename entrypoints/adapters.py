"""The adapters of a running service. The only module that knows every one of them."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from adapters.crypto.argon2_hasher import Argon2PasswordHasher
from adapters.crypto.hashing_threads import HashingThreads
from adapters.crypto.jose_signer import JoseTokenSigner
from adapters.crypto.keyed_hash import HmacKeyedHash
from adapters.crypto.password_transfer import SealingPasswordTransfer
from adapters.crypto.sealing import Sealer
from adapters.crypto.secret_sealer import AesSecretSealer
from adapters.crypto.token_sealer import AesTokenSealer
from adapters.devices.ua_device_namer import UaDeviceNamer
from adapters.jobs.job_queue import OpenQueue
from adapters.mail.email_parser import StrictEmailParser
from adapters.mail.mailbox_mailer import MailboxMailer
from adapters.mail.smtp_server import SmtpServer
from adapters.mail.templates import Templates
from adapters.postgres.counted_pool import CountedPool
from adapters.postgres.database import open_engine, pool_of
from adapters.postgres.jobs import open_queue
from adapters.postgres.mailbox import PostgresMailbox
from adapters.postgres.rate_limiter import PostgresRateLimiter
from adapters.postgres.readiness import PostgresReadiness
from adapters.postgres.replica import open_replica
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.system.clock import SystemClock
from adapters.system.randomness import SystemRandomness
from adapters.webauthn.passkeys import WebAuthnPasskeys
from application.config.show_config import Locales
from application.jobs.handle_job import JOBS_OF_EVENTS
from application.ports.clock import Clock
from application.ports.delayed_reads import DelayedReads
from application.ports.device_namer import DeviceNamer
from application.ports.email_parser import EmailParser
from application.ports.keyed_hash import KeyedHash
from application.ports.mailbox import Mailbox
from application.ports.mailer import Mailer
from application.ports.passkeys import Passkeys
from application.ports.password_hasher import PasswordHasher
from application.ports.password_transfer import PasswordTransfer
from application.ports.randomness import Randomness
from application.ports.rate_limiter import RateLimiter
from application.ports.readiness import Readiness
from application.ports.secret_sealer import SecretSealer
from application.ports.token_sealer import TokenSealer
from application.ports.token_signer import TokenSigner
from application.ports.unit_of_work import UnitOfWork
from domain.events import Event
from entrypoints.malloc import give_back_free_memory
from entrypoints.passkey_settings import effective_origins, effective_rp_id
from entrypoints.settings import Settings
from entrypoints.telemetry import log_events


@dataclass(frozen=True, slots=True, kw_only=True)
class Workings:
    """What of them can be watched at work."""

    pool: CountedPool
    hashing: HashingThreads


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapters:
    """One implementation for each port."""

    unit_of_work: UnitOfWork
    passwords: PasswordHasher
    password_transfer: PasswordTransfer
    signer: TokenSigner
    token_sealer: TokenSealer
    secret_sealer: SecretSealer
    keyed_hash: KeyedHash
    passkeys: Passkeys
    mailer: Mailer
    mailbox: Mailbox
    locales: Locales
    open_queue: OpenQueue
    rate_limiter: RateLimiter
    devices: DeviceNamer
    emails: EmailParser
    clock: Clock
    randomness: Randomness
    readiness: Readiness
    delayed_reads: DelayedReads | None = None
    """Left out: those of the unit of work, which are not delayed."""
    workings: Workings | None = None


def mailer_of(settings: Settings, templates: Templates, mailbox: Mailbox) -> Mailer:
    """Mail by SMTP where there is a server, else into the mailbox."""
    if settings.smtp_url is None:
        return MailboxMailer(mailbox, templates=templates, clock=SystemClock())
    from adapters.mail.smtp import SmtpMailer  # noqa: PLC0415  (what sends is loaded where there is a relay)

    server = SmtpServer.parse(settings.smtp_url.get_secret_value())
    return SmtpMailer(server, sender=settings.sender, templates=templates)


def passkeys_of(settings: Settings) -> Passkeys:
    """Passkeys of the domain, and on the pages, that the settings come down to."""
    return WebAuthnPasskeys(
        rp_id=effective_rp_id(settings, public_url=settings.public_url),
        rp_name=settings.service_name or settings.public_host,
        origins=effective_origins(settings, public_url=settings.public_url, cors_origins=settings.cors_origins),
    )


@asynccontextmanager
async def open_rate_limiter(settings: Settings, otherwise: RateLimiter) -> AsyncIterator[RateLimiter]:
    """Counters in Redis where there is one, else those given. An absent server is asked again at each use."""
    if settings.redis_url is None:
        yield otherwise
        return
    from adapters.redis.rate_limiter import open_redis_rate_limiter  # noqa: PLC0415  (the library takes 20 MB)

    async with open_redis_rate_limiter(settings.redis_url.get_secret_value()) as limiter:
        yield limiter


@asynccontextmanager
async def open_adapters(
    settings: Settings,
    database_url: str,
    *,
    role: str | None = None,
    on_commit: Callable[[Sequence[Event]], None] = log_events,
) -> AsyncIterator[Adapters]:
    """The adapters of a running service; closed after the block.

    Connections work as `role`, where there is one (SK-06). `on_commit` is told the events of each transaction.

    The queue listens, which nobody can behind a pooler: it goes to the database itself.

    Raises: TemplatesProblem.
    """
    templates = Templates(service=settings.service_name or settings.public_host, folder=settings.mail_templates)
    pooler, replica = settings.database_pooler_url, settings.database_replica_url
    open_requests = partial(
        open_engine, pooler.get_secret_value() if pooler else database_url, role=role, pooler=pooler is not None
    )
    sealer = Sealer(settings.root_key())
    randomness = SystemRandomness()
    passwords = Argon2PasswordHasher(
        sealer,
        memory_kib=settings.password_hash_memory_kib,
        iterations=settings.password_hash_iterations,
        on_idle=give_back_free_memory,
    )
    try:
        async with (
            open_requests(pool_size=settings.database_pool_size) as engine,
            # Whoever is busy is not out of order: probes do not wait for connections that requests have (fault 8).
            open_requests(pool_size=1, name="hallporter probes") as probes,
            open_rate_limiter(settings, PostgresRateLimiter(engine)) as rate_limiter,
            open_replica(
                replica.get_secret_value() if replica else None,
                engine,
                randomness,
                pool_size=settings.database_pool_size,
                most_behind=timedelta(seconds=settings.replica_max_lag_seconds),
                role=role,
            ) as delayed_reads,
        ):
            mailbox = PostgresMailbox(engine)
            yield Adapters(
                unit_of_work=PostgresUnitOfWork(engine, randomness, on_commit=on_commit, acted_on=JOBS_OF_EVENTS),
                secret_sealer=AesSecretSealer(sealer),
                keyed_hash=HmacKeyedHash(settings.root_key()),
                passkeys=passkeys_of(settings),
                mailer=mailer_of(settings, templates, mailbox),
                mailbox=mailbox,
                locales=Locales(tuple(templates.locales)),
                open_queue=partial(open_queue, database_url, role=role),
                passwords=passwords,
                password_transfer=SealingPasswordTransfer(sealer),
                signer=JoseTokenSigner(sealer),
                token_sealer=AesTokenSealer(),
                rate_limiter=rate_limiter,
                devices=UaDeviceNamer(),
                emails=StrictEmailParser(),
                clock=SystemClock(),
                randomness=randomness,
                readiness=PostgresReadiness(probes),
                delayed_reads=delayed_reads,
                workings=Workings(pool=pool_of(engine), hashing=passwords.threads),
            )
    finally:
        passwords.close()
