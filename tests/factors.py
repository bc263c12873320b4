"""Users with second factors, for tests."""

import base64
from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from application.mfa.activate_totp import ActivateTotp
from application.mfa.answer_challenge import AnswerChallenge
from application.mfa.ask_for_factor import FactorRequired
from application.mfa.enrol_totp import EnrolTotp
from application.mfa.factor_proof import CodeProof, FactorProof
from application.sessions.authenticate import Authenticate
from application.sessions.issued_tokens import IssuedTokens
from domain.ids import ChallengeId, FactorId, SessionId
from domain.mfa.factor import FactorKind
from domain.mfa.totp import STEP_SECONDS, code_at, step_at
from domain.sessions.principal import Principal
from domain.users.user import User
from tests.world import EMAIL, World

STEP = timedelta(seconds=STEP_SECONDS)


class Acting(Protocol):
    """Somebody who is signed in."""

    @property
    def session_id(self) -> SessionId: ...


class App:
    """An authenticator app, and the sheet of recovery codes beside it."""

    def __init__(self, world: World, factor_id: FactorId, secret: str, codes: Sequence[str] = ()) -> None:
        self._world = world
        self.factor_id = factor_id
        self.secret = base64.b32decode(secret)
        self.codes = list(codes)

    def code(self, steps: int = 0) -> str:
        """What it shows now, or so many steps from now."""
        return code_at(self.secret, step_at(self._world.clock.now()) + steps)

    def next_code(self) -> str:
        """What it shows after the code of now has gone."""
        self._world.clock.advance(STEP)
        return self.code()

    def wrong_code(self) -> str:
        """What it shows at none of the moments that count."""
        good = {self.code(steps) for steps in (-1, 0, 1)}
        return next(code for code in ("000000", "111111", "222222", "333333") if code not in good)


def totp(code: str) -> CodeProof:
    return CodeProof(FactorKind.TOTP, code)


def recovery(code: str) -> CodeProof:
    return CodeProof(FactorKind.RECOVERY_CODE, code)


async def verified_user(world: World, email: str = EMAIL) -> User:
    await world.register(email)
    return await prove_address(world, email)


async def prove_address(world: World, email: str = EMAIL) -> User:
    async with world.unit_of_work.begin() as tx:
        user = await tx.users.find_by_email(world.adapters.emails.parse(email))
        assert user is not None
        user.verify_email(by_own_hand=True, at=world.clock.now())
        await tx.users.save(user)
    return user


async def offered_app(world: World, user: User, acting: Acting, name: str | None = None) -> App:
    """An app that has shown no code yet."""
    enrol = world.container.resolve(EnrolTotp)
    offered = await enrol.execute(user_id=user.id, session_id=acting.session_id, name=name)
    return App(world, offered.factor.id, offered.secret)


async def activate(world: World, user: User, acting: Acting, app: App, code: str | None = None) -> None:
    codes = await world.container.resolve(ActivateTotp).execute(
        user_id=user.id, session_id=acting.session_id, factor_id=app.factor_id, code=code or app.code()
    )
    app.codes = [code.text for code in codes]


async def app_of(world: World, user: User, acting: Acting | None = None) -> App:
    """An app that is a second factor of the user, through that session or another one."""
    acting = acting or await world.sign_in(user.email.display)
    app = await offered_app(world, user, acting)
    await activate(world, user, acting, app)
    return app


async def challenge(world: World, email: str = EMAIL) -> ChallengeId:
    """A sign-in whose password was right."""
    asked = await world.begin_sign_in(email)
    assert isinstance(asked, FactorRequired)
    return asked.challenge_id


async def answer(world: World, challenge_id: ChallengeId | UUID, proof: FactorProof) -> IssuedTokens:
    return await world.container.resolve(AnswerChallenge).execute(
        challenge_id=ChallengeId(challenge_id), proof=proof, network_address="192.0.2.7"
    )


async def principal_of(world: World, tokens: IssuedTokens) -> Principal:
    return await world.container.resolve(Authenticate).execute(access_token=tokens.access_token)
