"""What tests are made of: a set of adapters, the container on them, and people to put in."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import cast

from adapters.mail.email_parser import StrictEmailParser
from adapters.memory.clock import MemoryClock
from adapters.memory.device_namer import MemoryDeviceNamer
from adapters.memory.keyed_hash import MemoryKeyedHash
from adapters.memory.mailbox import MemoryMailbox
from adapters.memory.mailer import MemoryMailer
from adapters.memory.passkeys import MemoryPasskeys
from adapters.memory.password_hasher import MemoryPasswordHasher
from adapters.memory.password_transfer import MemoryPasswordTransfer
from adapters.memory.randomness import MemoryRandomness
from adapters.memory.rate_limiter import MemoryRateLimiter
from adapters.memory.readiness import MemoryReadiness
from adapters.memory.secret_sealer import MemorySecretSealer
from adapters.memory.token_sealer import MemoryTokenSealer
from adapters.memory.token_signer import MemoryTokenSigner
from adapters.memory.unit_of_work import MemoryUnitOfWork
from application.config.show_config import Locales
from application.jobs.handle_job import JOBS_OF_EVENTS
from application.mfa.ask_for_factor import FactorRequired
from application.ports.mailer import Mail
from application.ports.token_signer import TokenSigner
from application.ports.unit_of_work import UnitOfWork
from application.sessions.issued_tokens import IssuedTokens
from application.sessions.refresh_session import RefreshSession
from application.sessions.sign_in import SignIn
from application.users.get_user import GetUser
from application.users.register_user import RegisterUser
from domain.ids import KeyId, SessionId, UserId
from domain.messages.message import MessageKind
from domain.sessions.authentication_method import AuthenticationMethod
from domain.sessions.refresh_token import RefreshTokenSecret
from domain.sessions.session import Device, Session, SessionPolicy
from domain.signing.signing_key import KeyState, SigningKey
from domain.throttling.throttle import Limit
from domain.users.password import PasswordHash
from domain.users.user import User
from entrypoints.adapters import Adapters
from entrypoints.container import Container, build_container
from entrypoints.settings import Environment, Settings
from entrypoints.telemetry import log_events
from entrypoints.worker import make_worker

EMAIL = "ada@example.com"
PASSWORD = "a quiet harbour at dawn"

DEFAULTS = Settings(_env_file=None, environment=Environment.TEST, public_url="https://accounts.example.com")
# All tests come from one network, and many of them all at once.
PLENTY = Limit(1_000_000, timedelta(minutes=1))
SETTINGS = DEFAULTS.model_copy(
    update=dict.fromkeys(
        (
            "limit_credentials",
            "limit_refreshes",
            "limit_registrations",
            "limit_all_registrations",
            "limit_mails",
            "limit_all_mails",
            "limit_passkey_options",
        ),
        PLENTY,
    )
)


@dataclass
class World:
    """Use cases on adapters that a test can reach into: the clock to move, the hasher to count."""

    adapters: Adapters
    container: Container
    clock: MemoryClock
    unit_of_work: UnitOfWork
    settings: Settings

    @property
    def passwords(self) -> MemoryPasswordHasher:
        assert isinstance(self.adapters.passwords, MemoryPasswordHasher)
        return self.adapters.passwords

    @property
    def mailer(self) -> MemoryMailer:
        assert isinstance(self.adapters.mailer, MemoryMailer)
        return self.adapters.mailer

    async def work(self) -> list[Mail]:
        """Do the jobs that are due, and look at the mail that came of it, oldest first."""
        before = len(self.mailer.sent)
        await make_worker(self.settings, self.adapters, self.container).drain()
        return self.mailer.sent[before:]

    async def lose_jobs(self) -> None:
        """Let the queue forget everything."""
        async with self.adapters.open_queue() as queries:
            await queries.clear_queue()

    async def mailed(self, kind: MessageKind) -> Mail:
        """The one mail of that kind among those that are sent now."""
        (mail,) = [mail for mail in await self.work() if mail.kind is kind]
        return mail

    async def register(self, email: str = EMAIL, password: str = PASSWORD) -> User:
        user = await self.container.resolve(RegisterUser).execute(email=email, password=password)
        assert user is not None
        return user

    async def user(self, email: str = EMAIL) -> User:
        return await self.container.resolve(GetUser).execute(who=email)

    async def sign_in(self, email: str = EMAIL, password: str = PASSWORD, device: Device | None = None) -> IssuedTokens:
        issued = await self.begin_sign_in(email, password, device)
        assert isinstance(issued, IssuedTokens)
        return issued

    async def begin_sign_in(
        self, email: str = EMAIL, password: str = PASSWORD, device: Device | None = None
    ) -> IssuedTokens | FactorRequired:
        return await self.container.resolve(SignIn).execute(
            email=email, password=password, device=device or Device(user_agent="tests", network_address="192.0.2.7")
        )

    async def refresh(self, token: RefreshTokenSecret) -> IssuedTokens:
        return await self.container.resolve(RefreshSession).execute(refresh_token=token.text)

    async def suspend(self, user_id: UserId) -> None:
        async with self.unit_of_work.begin() as tx:
            user = await tx.users.get(user_id)
            user.suspend(reason="spam", at=self.clock.now())
            await tx.users.save(user)

    async def events_of(self, user_id: UserId | None) -> list[str]:
        """What happened to a user, or to nobody in particular; last things first."""
        async with self.unit_of_work.read() as tx:
            about = cast("UserId", user_id)
            return [entry.event for entry in await tx.audit.of_user(about, limit=100)]


def token_of(mail: Mail) -> str:
    """The token of the link in a mail."""
    return mail.content["link"].partition("#")[2]


def memory_adapters() -> Adapters:
    """Everything in memory."""
    unit_of_work = MemoryUnitOfWork(on_commit=log_events, acted_on=JOBS_OF_EVENTS)
    return Adapters(
        unit_of_work=unit_of_work,
        secret_sealer=MemorySecretSealer(),
        keyed_hash=MemoryKeyedHash(),
        passkeys=MemoryPasskeys(),
        mailer=MemoryMailer(),
        mailbox=MemoryMailbox(),
        locales=Locales(("de", "en")),
        open_queue=unit_of_work.jobs.open,
        rate_limiter=MemoryRateLimiter(),
        passwords=MemoryPasswordHasher(),
        password_transfer=MemoryPasswordTransfer(),
        signer=MemoryTokenSigner(),
        token_sealer=MemoryTokenSealer(),
        devices=MemoryDeviceNamer(),
        emails=StrictEmailParser(),
        clock=MemoryClock(),
        randomness=MemoryRandomness(),
        readiness=MemoryReadiness(),
    )


def make_world(adapters: Adapters | None = None, settings: Settings = SETTINGS) -> World:
    """A world on these adapters, with a clock of its own."""
    clock = MemoryClock()
    adapters = replace(adapters or memory_adapters(), clock=clock)
    return World(adapters, build_container(settings, adapters), clock, adapters.unit_of_work, settings)


_clock = MemoryClock()
_randomness = MemoryRandomness()


def new_user(email: str = EMAIL, name: str | None = None) -> User:
    """A user nobody has stored yet."""
    now = _clock.now()
    user_id = UserId(_randomness.uuid(at=now))
    return User.register(
        id=user_id,
        email=StrictEmailParser().parse(email),
        password_hash=PasswordHash(owner=user_id, encoded="hash"),
        display_name=name,
        at=now,
    )


def make_signing_key(signer: TokenSigner, key_id: str, state: KeyState, *, at: datetime) -> SigningKey:
    """A key nobody has stored yet."""
    material = signer.generate(KeyId(key_id))
    return SigningKey(
        id=KeyId(key_id),
        algorithm=material.algorithm,
        public_key=material.public_key,
        sealed_private_key=material.sealed_private_key,
        state=state,
        created_at=at,
        state_since=at,
    )


def new_session(user: User, policy: SessionPolicy | None = None, *, session_id: SessionId | None = None) -> Session:
    """A session nobody has stored yet."""
    now = _clock.now()
    return Session.start(
        id=session_id or SessionId(_randomness.uuid(at=now)),
        user=user,
        methods=(AuthenticationMethod.PASSWORD,),
        device=Device(user_agent="tests", network_address="192.0.2.7"),
        policy=policy or SessionPolicy(),
        at=now,
    )
