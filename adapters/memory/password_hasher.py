"""Password hashing without the work."""

import hashlib

from application.ports.password_hasher import PasswordHasher
from domain.ids import UserId
from domain.users.password import Password, PasswordHash


class MemoryPasswordHasher:
    """Fast and worthless, for tests. `comparisons` and `hashes` count the work that the real one would have done.

    `generation` stands for the hashing parameters: hashes of another one need a rehash.
    """

    def __init__(self, generation: int = 1) -> None:
        self.generation = generation
        self.comparisons = 0
        self.hashes = 0

    async def hash(self, password: Password, *, owner: UserId) -> PasswordHash:
        self.hashes += 1
        return PasswordHash(owner=owner, encoded=_encode(password, owner, self.generation, self.hashes))

    async def matches(self, password: Password, hashed: PasswordHash | None) -> bool:
        self.comparisons += 1
        if hashed is None:
            return False
        generation, salt, _ = hashed.encoded.split(":")
        return hashed.encoded == _encode(password, hashed.owner, int(generation), int(salt))

    def needs_rehash(self, hashed: PasswordHash) -> bool:
        return hashed.encoded.partition(":")[0] != str(self.generation)


def _encode(password: Password, owner: UserId, generation: int, salt: int) -> str:
    digest = hashlib.sha256(f"{salt}:{owner}:{password.text}".encode(errors="surrogatepass")).hexdigest()
    return f"{generation}:{salt}:{digest}"


def _is_password_hasher(memory: MemoryPasswordHasher) -> PasswordHasher:
    return memory
