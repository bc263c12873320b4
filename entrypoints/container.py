"""Which adapter stands behind which port. The only module that knows punq, and every adapter."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import punq

from adapters.crypto.argon2_hasher import Argon2PasswordHasher
from adapters.crypto.jose_signer import JoseTokenSigner
from adapters.crypto.sealing import Sealer
from adapters.crypto.secret_sealer import AesSecretSealer
from adapters.crypto.token_sealer import AesTokenSealer
from adapters.devices.ua_device_namer import UaDeviceNamer
from adapters.jobs.job_queue import OpenQueue, PgQueuerJobQueue
from adapters.mail.email_parser import StrictEmailParser
from adapters.mail.mailbox_mailer import MailboxMailer
from adapters.mail.smtp import SmtpMailer, SmtpServer
from adapters.mail.templates import Templates
from adapters.memory.rate_limiter import MemoryRateLimiter
from adapters.postgres.database import open_engine
from adapters.postgres.jobs import open_queue
from adapters.postgres.mailbox import PostgresMailbox
from adapters.postgres.rate_limiter import PostgresRateLimiter
from adapters.postgres.readiness import PostgresReadiness
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.system.clock import SystemClock
from adapters.system.randomness import SystemRandomness
from application.admin.list_users import ListUsers
from application.config.show_config import Locales, ShowConfig
from application.idempotency.claim_request import ClaimRequest
from application.idempotency.finish_request import FinishRequest
from application.jobs.handle_job import JOBS_OF_EVENTS, HandleJob
from application.jobs.list_parked_jobs import ListParkedJobs
from application.jobs.retry_parked_jobs import RetryParkedJobs
from application.messages.deliver_message import DeliverMessage
from application.messages.list_messages import ListMessages
from application.messages.prepare_messages import PrepareMessages
from application.paging.cursors import Cursors
from application.ports.clock import Clock
from application.ports.device_namer import DeviceNamer
from application.ports.email_parser import EmailParser
from application.ports.jobs import JobQueue
from application.ports.mailbox import Mailbox
from application.ports.mailer import Mailer
from application.ports.password_hasher import PasswordHasher
from application.ports.randomness import Randomness
from application.ports.rate_limiter import LocalRateLimiter, RateLimiter
from application.ports.readiness import Readiness
from application.ports.secret_sealer import SecretSealer
from application.ports.token_sealer import TokenSealer
from application.ports.token_signer import TokenSigner
from application.ports.unit_of_work import UnitOfWork
from application.recovery.request_email_verification import RequestEmailVerification
from application.recovery.request_password_reset import RequestPasswordReset
from application.recovery.reset_password import ResetPassword
from application.recovery.verify_email import VerifyEmail
from application.sessions.access_tokens import AccessTokens
from application.sessions.authenticate import Authenticate
from application.sessions.check_password import CheckPassword
from application.sessions.end_other_sessions import EndOtherSessions
from application.sessions.end_session import EndSession
from application.sessions.expect_admin import ExpectAdmin
from application.sessions.expect_fresh_proof import ExpectFreshProof
from application.sessions.introspect import Introspect
from application.sessions.known_devices import KnownDevices
from application.sessions.list_sessions import ListSessions
from application.sessions.note_use import NoteUse
from application.sessions.reauthenticate import Reauthenticate
from application.sessions.refresh_session import RefreshSession
from application.sessions.sign_in import SignIn
from application.sessions.sign_out import SignOut
from application.signing.key_ring import KeyRing
from application.signing.list_signing_keys import ListSigningKeys
from application.signing.publish_keys import PublishKeys
from application.signing.revoke_signing_key import RevokeSigningKey
from application.signing.rotate_signing_key import RotateSigningKey
from application.throttling.guess_budget import GuessBudget
from application.throttling.throttle_all import ThrottleAll
from application.throttling.throttle_network import ThrottleNetwork
from application.upkeep.erase_due_users import EraseDueUsers
from application.upkeep.forget_erased_user import ForgetErasedUser
from application.upkeep.purge_expired import PurgeExpired
from application.upkeep.requeue_stranded_messages import RequeueStrandedMessages
from application.users.cancel_deletion import CancelDeletion
from application.users.change_password import ChangePassword
from application.users.confirm_email_change import ConfirmEmailChange
from application.users.create_user import CreateUser
from application.users.draft_user import DraftUser
from application.users.export_user import ExportUser
from application.users.get_user import GetUser
from application.users.list_security_events import ListSecurityEvents
from application.users.register_user import RegisterUser
from application.users.request_email_change import RequestEmailChange
from application.users.revert_email_change import RevertEmailChange
from application.users.schedule_deletion import ScheduleDeletion
from application.users.update_profile import UpdateProfile
from entrypoints.malloc import give_back_free_memory
from entrypoints.policies import policies_of
from entrypoints.settings import Settings
from entrypoints.telemetry import log_events

USE_CASES: tuple[type, ...] = (
    AccessTokens,
    ClaimRequest,
    FinishRequest,
    ThrottleNetwork,
    ThrottleAll,
    GuessBudget,
    KnownDevices,
    DraftUser,
    CreateUser,
    RegisterUser,
    GetUser,
    UpdateProfile,
    ListUsers,
    SignIn,
    RefreshSession,
    Authenticate,
    SignOut,
    ListSessions,
    EndSession,
    EndOtherSessions,
    ExpectAdmin,
    ExpectFreshProof,
    CheckPassword,
    Introspect,
    NoteUse,
    Reauthenticate,
    ChangePassword,
    RequestEmailVerification,
    VerifyEmail,
    RequestPasswordReset,
    ResetPassword,
    RequestEmailChange,
    ConfirmEmailChange,
    RevertEmailChange,
    ScheduleDeletion,
    CancelDeletion,
    ListSecurityEvents,
    Cursors,
    ExportUser,
    EraseDueUsers,
    ForgetErasedUser,
    RequeueStrandedMessages,
    PurgeExpired,
    PrepareMessages,
    DeliverMessage,
    ListMessages,
    HandleJob,
    ShowConfig,
    ListParkedJobs,
    RetryParkedJobs,
    PublishKeys,
    ListSigningKeys,
    RotateSigningKey,
    RevokeSigningKey,
    KeyRing,
)
"""Everything that is built from ports, and shared by all who ask for it."""

SERVED_PORTS: tuple[type, ...] = (Readiness, Mailbox)
"""Ports that endpoints ask themselves, for nothing is decided there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapters:
    """One implementation for each port."""

    unit_of_work: UnitOfWork
    passwords: PasswordHasher
    signer: TokenSigner
    token_sealer: TokenSealer
    secret_sealer: SecretSealer
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


class Container:
    """Hands out use cases, all built when it was."""

    def __init__(self, registry: punq.Container) -> None:
        self._instances: dict[type, Any] = {
            service: registry.resolve(service) for service in (*USE_CASES, *SERVED_PORTS)
        }

    def resolve[T](self, service: type[T], /) -> T:
        """The instance of a use case.

        Raises: LookupError for a class that is none.
        """
        if service not in self._instances:
            message = f"{service.__name__} is not among the use cases of the container"
            raise LookupError(message)
        instance: T = self._instances[service]
        return instance


def mailer_of(settings: Settings, templates: Templates, mailbox: Mailbox) -> Mailer:
    """Mail by SMTP where there is a server, else into the mailbox."""
    if settings.smtp_url is None:
        return MailboxMailer(mailbox, templates=templates, clock=SystemClock())
    server = SmtpServer.parse(settings.smtp_url.get_secret_value())
    return SmtpMailer(server, sender=settings.sender, templates=templates)


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
async def open_adapters(settings: Settings, database_url: str) -> AsyncIterator[Adapters]:
    """The adapters of a running service; closed after the block.

    Raises: TemplatesProblem.
    """
    templates = Templates(service=settings.service_name or settings.public_host, folder=settings.mail_templates)
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
            open_engine(database_url, pool_size=settings.database_pool_size) as engine,
            open_rate_limiter(settings, PostgresRateLimiter(engine)) as rate_limiter,
        ):
            mailbox = PostgresMailbox(engine)
            yield Adapters(
                unit_of_work=PostgresUnitOfWork(engine, randomness, on_commit=log_events, acted_on=JOBS_OF_EVENTS),
                secret_sealer=AesSecretSealer(sealer),
                mailer=mailer_of(settings, templates, mailbox),
                mailbox=mailbox,
                locales=Locales(tuple(templates.locales)),
                open_queue=partial(open_queue, database_url),
                passwords=passwords,
                signer=JoseTokenSigner(sealer),
                token_sealer=AesTokenSealer(),
                rate_limiter=rate_limiter,
                devices=UaDeviceNamer(),
                emails=StrictEmailParser(),
                clock=SystemClock(),
                randomness=randomness,
                readiness=PostgresReadiness(engine),
            )
    finally:
        passwords.close()


def build_container(settings: Settings, adapters: Adapters) -> Container:
    """Every use case of USE_CASES on these adapters. A port without an adapter stops the start and not a request."""
    registry = punq.Container()
    for port, adapter in (
        (UnitOfWork, adapters.unit_of_work),
        (PasswordHasher, adapters.passwords),
        (TokenSigner, adapters.signer),
        (TokenSealer, adapters.token_sealer),
        (DeviceNamer, adapters.devices),
        (EmailParser, adapters.emails),
        (Clock, adapters.clock),
        (Randomness, adapters.randomness),
        (SecretSealer, adapters.secret_sealer),
        (Mailer, adapters.mailer),
        (Mailbox, adapters.mailbox),
        (JobQueue, PgQueuerJobQueue(adapters.open_queue)),
        (Readiness, adapters.readiness),
        (RateLimiter, adapters.rate_limiter),
        (LocalRateLimiter, MemoryRateLimiter()),
        (Locales, adapters.locales),
        *policies_of(settings),
    ):
        registry.register(port, instance=adapter)
    for use_case in USE_CASES:
        registry.register(use_case, scope=punq.Scope.singleton)
    return Container(registry)
