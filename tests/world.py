"""What tests are made of: a world to put people in, and people to put there."""

from datetime import datetime
from typing import cast, override

from adapters.mail.content import VARIABLES
from adapters.mail.email_parser import StrictEmailParser
from adapters.memory.clock import MemoryClock
from adapters.memory.password_hasher import MemoryPasswordHasher
from adapters.memory.randomness import MemoryRandomness
from application.ports.mailer import Mail
from application.ports.token_signer import TokenSigner
from application.sessions.issued_tokens import IssuedTokens
from application.sessions.refresh_session import RefreshSession
from application.users.get_user import GetUser
from domain.ids import KeyId, SessionId, UserId
from domain.sessions.authentication_method import AuthenticationMethod
from domain.sessions.refresh_token import RefreshTokenSecret
from domain.sessions.session import Device, Session, SessionPolicy
from domain.signing.signing_key import KeyState, SigningKey
from domain.users.password import PasswordHash
from domain.users.user import User
from entrypoints import in_memory
from entrypoints.adapters import Adapters
from entrypoints.in_memory import DEFAULTS, EMAIL, PASSWORD, PLENTY, SETTINGS, memory_adapters, token_of
from entrypoints.settings import Settings

__all__ = [
    "DEFAULTS",
    "EMAIL",
    "PASSWORD",
    "PLENTY",
    "SETTINGS",
    "World",
    "make_signing_key",
    "make_world",
    "memory_adapters",
    "new_session",
    "new_user",
    "token_of",
]


class World(in_memory.World):
    """The one that is shipped, and more of what can be done there."""

    @property
    def passwords(self) -> MemoryPasswordHasher:
        assert isinstance(self.adapters.passwords, MemoryPasswordHasher)
        return self.adapters.passwords

    @override
    async def work(self) -> list[Mail]:
        sent = await super().work()
        for mail in sent:
            assert set(mail.content) == set(VARIABLES[mail.kind]), "no template could be filled in"
        return sent

    async def lose_jobs(self) -> None:
        """Let the queue forget everything."""
        async with self.adapters.open_queue() as queries:
            await queries.clear_queue()

    async def user(self, email: str = EMAIL) -> User:
        return await self.container.resolve(GetUser).execute(who=email)

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


def make_world(adapters: Adapters | None = None, settings: Settings = SETTINGS) -> World:
    """A world on these adapters, with a clock of its own."""
    return World(adapters, settings)


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
