"""Recovery codes: ten on a sheet of paper, each good once in place of a factor that is lost (RC-08)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from domain import crockford
from domain.events import Event
from domain.ids import UserId
from domain.users.password import Password, PasswordHash

CODES = 10
HANDLE_LENGTH = 4
_SECRET_LENGTH = 16
_LENGTH = HANDLE_LENGTH + _SECRET_LENGTH
HANDLE_BYTES = 3
SECRET_BYTES = 10  # 80 bits


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryCodeSecret:
    """A recovery code as its owner has it: `7F3K-Q2MX-9RTB-0ABC-DEFG`.

    The first group is the `handle`, and no secret: it tells which of the ten is meant, so that one attempt costs one
    hash and not ten.
    """

    handle: str
    secret: str = field(repr=False)

    @classmethod
    def set_of(cls, random: bytes) -> Sequence[Self]:
        """Ten codes of `BYTES_OF_A_SET` random bytes, no two of one handle."""
        codes: list[Self] = []
        taken: set[str] = set()
        for start in range(0, CODES * _BYTES_OF_A_CODE, _BYTES_OF_A_CODE):
            handle = _next_free(random[start : start + HANDLE_BYTES], taken)
            taken.add(handle)
            secret = random[start + HANDLE_BYTES : start + _BYTES_OF_A_CODE]
            codes.append(cls(handle=handle, secret=crockford.written(secret, characters=_SECRET_LENGTH)))
        return codes

    @classmethod
    def parse(cls, typed: str) -> Self | None:
        """As people say and write it; None where it cannot be one."""
        characters = crockford.heard(typed, characters=_LENGTH)
        if characters is None:
            return None
        return cls(handle=characters[:HANDLE_LENGTH], secret=characters[HANDLE_LENGTH:])

    @property
    def text(self) -> str:
        """As it is shown, once."""
        return crockford.grouped(self.handle + self.secret)

    def as_password(self) -> Password:
        """What is hashed: fewer than 112 bits are kept as passwords are (ASVS 6.5.2)."""
        return Password(self.secret)


_BYTES_OF_A_CODE = HANDLE_BYTES + SECRET_BYTES
BYTES_OF_A_SET = CODES * _BYTES_OF_A_CODE


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryCode:
    """A recovery code as it is kept, of a set that was made together."""

    user_id: UserId
    handle: str
    hashed: PasswordHash
    made_at: datetime
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryCodesMade(Event):
    """A user was shown ten recovery codes; those of before are good for nothing.

    `renewed` is whether they asked for that, and not for the first second factor of theirs.
    """

    name = "recovery_codes.made"
    renewed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryCodeUsed(Event):
    """Somebody proved to be the user by a recovery code, which no longer is one; so many are left."""

    name = "recovery_code.used"
    is_own_act = True
    left: int


def _next_free(random: bytes, taken: set[str]) -> str:
    number = int.from_bytes(random)
    handle = crockford.written(number.to_bytes(HANDLE_BYTES), characters=HANDLE_LENGTH)
    while handle in taken:
        # No secret: the one after it will do.
        number = (number + 16) % 256**HANDLE_BYTES
        handle = crockford.written(number.to_bytes(HANDLE_BYTES), characters=HANDLE_LENGTH)
    return handle
