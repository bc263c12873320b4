"""Password hashing without the work."""

import base64
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from application.ports.password_hasher import PasswordHasher, PlaceInQueue
from domain.ids import UserId
from domain.users.password import Password, PasswordHash

OURS, SHA1 = "$memory$", "{SHA}"
"""What its own hashes begin with, and what those of another system do: SHA-1 without salt, as LDAP writes it."""


class MemoryPasswordHasher:
    """Fast and worthless, for tests. `comparisons` and `hashes` count the work that the real one would have done.

    `generation` stands for the hashing parameters: hashes of another one need a rehash.
    """

    def __init__(self, generation: int = 1) -> None:
        self.generation = generation
        self.comparisons = 0
        self.hashes = 0

    @asynccontextmanager
    async def reserve(self) -> AsyncIterator[PlaceInQueue]:
        # There is always room: nobody works here.
        yield self

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        yield

    async def hash(self, password: Password, *, owner: UserId) -> PasswordHash:
        self.hashes += 1
        return keep(_encode(password, self.generation, self.hashes), owner=owner)

    async def matches(self, password: Password, hashed: PasswordHash | None) -> bool:
        self.comparisons += 1
        text = open_kept(hashed) if hashed is not None else None
        if text is None:
            return False
        if text.startswith(SHA1):
            # One of another system, and a bad one: no password is ever kept so.
            return text == SHA1 + base64.b64encode(hashlib.sha1(_as_bytes(password)).digest()).decode()  # noqa: S324
        generation, salt, _ = text.removeprefix(OURS).split("$")
        return text == _encode(password, int(generation), int(salt))

    def needs_rehash(self, hashed: PasswordHash) -> bool:
        text = open_kept(hashed)
        return text is not None and not text.startswith(f"{OURS}{self.generation}$")


def keep(text: str, *, owner: UserId) -> PasswordHash:
    """What stands for a seal: it opens for its owner alone."""
    return PasswordHash(owner=owner, encoded=f"{owner}:{text}")


def open_kept(hashed: PasswordHash) -> str | None:
    """What was kept, or None where it is another's."""
    owner, _, text = hashed.encoded.partition(":")
    return text if owner == str(hashed.owner) else None


def _encode(password: Password, generation: int, salt: int) -> str:
    return f"{OURS}{generation}${salt}${hashlib.sha256(f'{salt}:'.encode() + _as_bytes(password)).hexdigest()}"


def _as_bytes(password: Password) -> bytes:
    return password.text.encode(errors="surrogatepass")


def _is_password_hasher(memory: MemoryPasswordHasher) -> PasswordHasher:
    return memory
