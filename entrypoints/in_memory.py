"""The whole service in memory, for tests of ours and of whoever builds on it: docs/testing.md shows how."""

from dataclasses import replace
from datetime import timedelta

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
from application.sessions.issued_tokens import IssuedTokens
from application.sessions.sign_in import SignIn
from application.users.register_user import RegisterUser
from domain.messages.message import MessageKind
from domain.sessions.session import Device
from domain.throttling.throttle import Limit
from domain.users.user import User
from entrypoints.adapters import Adapters
from entrypoints.container import build_container
from entrypoints.settings import Environment, Settings
from entrypoints.telemetry import log_events
from entrypoints.worker import make_worker

EMAIL = "ada@example.com"
PASSWORD = "a quiet harbour at dawn"  # noqa: S105  (of nobody)

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


def memory_adapters() -> Adapters:
    """A fake for each port."""
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


class World:
    """Every use case, on adapters that a test can reach into: a clock to move, mail to read.

    They are `memory_adapters`, unless others are given, whose mailer is a `MemoryMailer` too. `clock` takes the place
    of theirs.
    """

    def __init__(self, adapters: Adapters | None = None, settings: Settings = SETTINGS) -> None:
        self.clock = MemoryClock()
        self.adapters = replace(adapters or memory_adapters(), clock=self.clock)
        self.settings = settings
        self.container = build_container(settings, self.adapters)
        self.unit_of_work = self.adapters.unit_of_work

    @property
    def mailer(self) -> MemoryMailer:
        """Who has all the mail that was sent."""
        assert isinstance(self.adapters.mailer, MemoryMailer)  # noqa: S101  (for the type checker)
        return self.adapters.mailer

    async def work(self) -> list[Mail]:
        """Do the jobs that are due, and look at the mail that came of it, oldest first."""
        before = len(self.mailer.sent)
        await make_worker(self.settings, self.adapters, self.container).drain()
        return self.mailer.sent[before:]

    async def mailed(self, kind: MessageKind) -> Mail:
        """The one mail of that kind among those that are sent now."""
        (mail,) = [mail for mail in await self.work() if mail.kind is kind]
        return mail

    async def register(self, email: str = EMAIL, password: str = PASSWORD) -> User:
        """Somebody who has registered."""
        user = await self.container.resolve(RegisterUser).execute(email=email, password=password)
        assert user is not None  # noqa: S101  (for the type checker: the settings tell who is taken)
        return user

    async def sign_in(self, email: str = EMAIL, password: str = PASSWORD, device: Device | None = None) -> IssuedTokens:
        """The tokens of somebody without a second factor."""
        issued = await self.begin_sign_in(email, password, device)
        assert isinstance(issued, IssuedTokens)  # noqa: S101  (for the type checker)
        return issued

    async def begin_sign_in(
        self, email: str = EMAIL, password: str = PASSWORD, device: Device | None = None
    ) -> IssuedTokens | FactorRequired:
        """What signing in comes to first."""
        return await self.container.resolve(SignIn).execute(
            email=email, password=password, device=device or Device(user_agent="tests", network_address="192.0.2.7")
        )


def token_of(mail: Mail) -> str:
    """The token of the link in a mail."""
    return mail.content["link"].partition("#")[2]
