"""Which adapter stands behind which port. The only module that knows punq, and every adapter."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import punq

from adapters.crypto.argon2_hasher import Argon2PasswordHasher
from adapters.crypto.common_passwords import CommonPasswords
from adapters.crypto.jose_signer import JoseTokenSigner
from adapters.crypto.sealing import Sealer
from adapters.crypto.token_sealer import AesTokenSealer
from adapters.devices.ua_device_namer import UaDeviceNamer
from adapters.mail.email_parser import StrictEmailParser
from adapters.postgres.database import open_engine
from adapters.postgres.readiness import PostgresReadiness
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.system.clock import SystemClock
from adapters.system.randomness import SystemRandomness
from application.admin.list_users import ListUsers
from application.ports.clock import Clock
from application.ports.device_namer import DeviceNamer
from application.ports.email_parser import EmailParser
from application.ports.password_hasher import PasswordHasher
from application.ports.randomness import Randomness
from application.ports.readiness import Readiness
from application.ports.token_sealer import TokenSealer
from application.ports.token_signer import TokenSigner
from application.ports.unit_of_work import UnitOfWork
from application.sessions.access_tokens import AccessTokenPolicy, AccessTokens
from application.sessions.authenticate import Authenticate
from application.sessions.check_password import CheckPassword
from application.sessions.end_other_sessions import EndOtherSessions
from application.sessions.end_session import EndSession
from application.sessions.expect_fresh_proof import ExpectFreshProof
from application.sessions.introspect import Introspect
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
from application.users.change_password import ChangePassword
from application.users.create_user import CreateUser
from application.users.get_user import GetUser
from application.users.register_user import RegisterUser, RegistrationPolicy
from application.users.update_profile import UpdateProfile
from domain.sessions.session import SessionPolicy
from domain.signing.signing_key import SigningPolicy
from domain.users.password_policy import PasswordPolicy
from entrypoints.settings import Registration, Settings
from entrypoints.telemetry import log_events

USE_CASES: tuple[type, ...] = (
    AccessTokens,
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
    ExpectFreshProof,
    CheckPassword,
    Introspect,
    NoteUse,
    Reauthenticate,
    ChangePassword,
    PublishKeys,
    ListSigningKeys,
    RotateSigningKey,
    RevokeSigningKey,
    KeyRing,
)
"""Everything that is built from ports, and shared by all who ask for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapters:
    """One implementation for each port."""

    unit_of_work: UnitOfWork
    passwords: PasswordHasher
    signer: TokenSigner
    token_sealer: TokenSealer
    devices: DeviceNamer
    emails: EmailParser
    clock: Clock
    randomness: Randomness
    readiness: Readiness


class Container:
    """Hands out use cases, all built when it was."""

    def __init__(self, registry: punq.Container) -> None:
        self._instances: dict[type, Any] = {service: registry.resolve(service) for service in (*USE_CASES, Readiness)}

    def resolve[T](self, service: type[T], /) -> T:
        """The instance of a use case.

        Raises: LookupError for a class that is none.
        """
        if service not in self._instances:
            message = f"{service.__name__} is not among the use cases of the container"
            raise LookupError(message)
        instance: T = self._instances[service]
        return instance


@asynccontextmanager
async def open_adapters(settings: Settings, database_url: str) -> AsyncIterator[Adapters]:
    """The adapters of a running service; closed after the block."""
    sealer = Sealer(settings.root_key())
    randomness = SystemRandomness()
    passwords = Argon2PasswordHasher(
        sealer, memory_kib=settings.password_hash_memory_kib, iterations=settings.password_hash_iterations
    )
    try:
        async with open_engine(database_url, pool_size=settings.database_pool_size) as engine:
            yield Adapters(
                unit_of_work=PostgresUnitOfWork(engine, randomness, on_commit=log_events),
                passwords=passwords,
                signer=JoseTokenSigner(sealer),
                token_sealer=AesTokenSealer(),
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
        (Readiness, adapters.readiness),
        (RegistrationPolicy, RegistrationPolicy(open=settings.registration is Registration.OPEN)),
        (
            SessionPolicy,
            SessionPolicy(
                absolute_lifetime=timedelta(seconds=settings.session_lifetime_seconds),
                idle_lifetime=timedelta(seconds=settings.session_idle_lifetime_seconds),
                refresh_grace=timedelta(seconds=settings.refresh_grace_seconds),
                limit_per_user=settings.session_limit_per_user,
            ),
        ),
        (SigningPolicy, SigningPolicy(retiring_for=_longer_than(settings.access_token_lifetime_seconds))),
        (
            AccessTokenPolicy,
            AccessTokenPolicy(
                issuer=settings.public_url,
                audience=settings.public_url,
                lifetime=timedelta(seconds=settings.access_token_lifetime_seconds),
            ),
        ),
        (
            PasswordPolicy,
            PasswordPolicy(is_common=CommonPasswords.shipped().includes, min_length=settings.password_min_length),
        ),
    ):
        registry.register(port, instance=adapter)
    for use_case in USE_CASES:
        registry.register(use_case, scope=punq.Scope.singleton)
    return Container(registry)


def _longer_than(token_lifetime_seconds: int) -> timedelta:
    """For how long a key is believed after it was retired.

    For another minute processes that have not noticed sign with it, and clocks differ.
    """
    return timedelta(seconds=token_lifetime_seconds) + timedelta(minutes=5)
