"""Users with passkeys, for tests."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.memory.passkeys import MemoryAuthenticator, MemoryPasskeys
from application.mfa.ask_for_passkey import AskForPasskey
from application.mfa.factor_proof import PasskeyAnswer
from application.mfa.offer_passkey import OfferPasskey
from application.mfa.passkey_ceremonies import AskedPasskey
from application.mfa.register_passkey import RegisteredPasskey, RegisterPasskey
from application.sessions.issued_tokens import IssuedTokens
from application.sessions.sign_in_with_passkey import SignInWithPasskey
from domain.ids import ChallengeId, FactorId
from domain.mfa.recovery_code import RecoveryCodeSecret
from domain.sessions.session import Device
from domain.users.user import User
from tests.authenticator import Authenticator, SoftwareAuthenticator
from tests.factors import Acting
from tests.world import World


@dataclass
class Key:
    """A passkey of somebody's, and the authenticator that has it."""

    world: World
    authenticator: Authenticator
    registered: RegisteredPasskey | None = None
    codes: list[str] = field(default_factory=list)

    @property
    def factor_id(self) -> FactorId:
        assert self.registered is not None
        return self.registered.passkey.id

    def created(self, asked: AskedPasskey) -> PasskeyAnswer:
        return PasskeyAnswer(asked.ceremony_id, self.authenticator.create(options_of(asked)))

    def answered(self, asked: AskedPasskey) -> PasskeyAnswer:
        return PasskeyAnswer(asked.ceremony_id, self.authenticator.get(options_of(asked)))

    async def to_sign_in(self) -> PasskeyAnswer:
        return self.answered(await ask(self.world).to_sign_in())

    async def for_challenge(self, challenge_id: ChallengeId) -> PasskeyAnswer:
        return self.answered(await ask(self.world).as_second_factor(challenge_id=challenge_id))

    async def for_session(self, user: User, acting: Acting) -> PasskeyAnswer:
        asked = await ask(self.world).as_fresh_proof(user_id=user.id, session_id=acting.session_id)
        return self.answered(asked)


def authenticator_of(world: World, credential_id: bytes = b"a passkey") -> Authenticator:
    """One that the world's checks are made for."""
    if isinstance(world.adapters.passkeys, MemoryPasskeys):
        return MemoryAuthenticator(credential_id=credential_id)
    return SoftwareAuthenticator(origin=world.settings.public_url, credential_id=credential_id)


def options_of(asked: AskedPasskey) -> Mapping[str, Any]:
    return asked.options


def ask(world: World) -> AskForPasskey:
    return world.container.resolve(AskForPasskey)


async def offered(world: World, user: User, acting: Acting) -> AskedPasskey:
    return await world.container.resolve(OfferPasskey).execute(user_id=user.id, session_id=acting.session_id)


async def register(
    world: World, user: User, acting: Acting, answer: PasskeyAnswer, name: str | None = None
) -> RegisteredPasskey:
    return await world.container.resolve(RegisterPasskey).execute(
        user_id=user.id, session_id=acting.session_id, answer=answer, name=name
    )


async def passkey_of(
    world: World, user: User, acting: Acting | None = None, authenticator: Authenticator | None = None
) -> Key:
    """A passkey that is the user's, through that session or another one."""
    acting = acting or await world.sign_in(user.email.display)
    key = Key(world, authenticator or authenticator_of(world, f"passkey of {user.id}".encode()))
    key.registered = await register(world, user, acting, key.created(await offered(world, user, acting)))
    key.codes = [code.text for code in shown(key.registered)]
    return key


def shown(registered: RegisteredPasskey) -> list[RecoveryCodeSecret]:
    return list(registered.codes)


async def sign_in_by(world: World, answer: PasskeyAnswer, **how: Any) -> IssuedTokens:
    device = Device(user_agent="tests", network_address="192.0.2.7")
    return await world.container.resolve(SignInWithPasskey).execute(answer=answer, device=device, **how)
