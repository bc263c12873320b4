"""What is kept twice under one key is a bug, and loud on both."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from application.ports.unit_of_work import DuplicateKey, Transaction, UnitOfWork
from domain.ids import KeyId
from domain.sessions.refresh_token import RefreshToken, RefreshTokenSecret
from domain.signing.signing_key import KeyState, SigningKey
from tests.world import new_session, new_user

type Act = Callable[[Transaction], Awaitable[None]]

USER = new_user()
SESSION = new_session(USER)
TOKEN = RefreshToken.first(RefreshTokenSecret.from_random(bytes(32)), session_id=SESSION.id, at=SESSION.created_at)
KEY = SigningKey(
    id=KeyId("0a0a0a0a"),
    algorithm="ES256",
    public_key="{}",
    sealed_private_key="sealed",
    state=KeyState.RETIRING,
    created_at=SESSION.created_at,
    state_since=SESSION.created_at,
)

AGAIN: dict[str, Act] = {
    "user": lambda tx: tx.users.add(replace(USER, email=new_user("other@example.com").email)),
    "session": lambda tx: tx.sessions.add(SESSION),
    "digest": lambda tx: tx.refresh_tokens.add(replace(TOKEN, generation=2)),
    "generation": lambda tx: tx.refresh_tokens.add(replace(TOKEN, digest=bytes(32))),
    "rotated to a taken generation": lambda tx: tx.refresh_tokens.rotate(
        TOKEN, replace(TOKEN, digest=bytes(32)), replace(SESSION)
    ),
    "signing key": lambda tx: tx.signing_keys.add(KEY),
}


@pytest.mark.parametrize("what", AGAIN)
async def test_nothing_is_kept_twice(uow: UnitOfWork, what: str) -> None:
    async with uow.begin() as tx:
        await tx.users.add(USER)
        await tx.sessions.add(SESSION)
        await tx.refresh_tokens.add(TOKEN)
        await tx.signing_keys.add(KEY)

    async def add_again() -> None:
        async with uow.begin() as tx:
            await AGAIN[what](tx)

    with pytest.raises(DuplicateKey):
        await add_again()
    async with uow.read() as tx:
        assert await tx.refresh_tokens.find(TOKEN.digest) == TOKEN
        assert (await tx.users.get(USER.id)).email == USER.email
