"""Password hashing."""

from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Protocol

from domain.errors import Unavailable
from domain.ids import UserId
from domain.users.password import Password, PasswordHash


class HashingBusy(Unavailable):
    """More passwords wait than can be checked in good time, or there is no memory to check them in (PW-09)."""

    code = "hashing_busy"
    title = "The service is busy; try again in a moment"

    def __init__(self) -> None:
        super().__init__(retry_after=timedelta(seconds=1))


class PlaceInQueue(Protocol):
    """One place among those whose passwords are about to be checked."""

    def turn(self) -> AbstractAsyncContextManager[None]:
        """The block, in turn: few of those who have a place go on at once.

        The others wait here, where they take nothing from anybody, and not for connections to the database.
        """
        ...

    async def matches(self, password: Password, hashed: PasswordHash | None) -> bool:
        """As `PasswordHasher.matches`, in this place, once.

        Raises: HashingBusy, for a hash that takes more than one place.
        """
        ...


class PasswordHasher(Protocol):
    """Turns passwords into something that only proves them.

    Takes tens of milliseconds by design; never call it inside a transaction.
    """

    def reserve(self) -> AbstractAsyncContextManager[PlaceInQueue]:
        """A place for the block, before anything else is asked for that may have to be waited for.

        Raises: HashingBusy, at once.
        """
        ...

    async def hash(self, password: Password, *, owner: UserId) -> PasswordHash:
        """A new hash with a salt of its own: the same password twice gives two hashes.

        Raises: HashingBusy.
        """
        ...

    async def matches(self, password: Password, hashed: PasswordHash | None) -> bool:
        """Whether this password made that hash. Without a hash: False, after the work of a whole comparison (LG-02).

        Raises: HashingBusy.
        """
        ...

    def needs_rehash(self, hashed: PasswordHash) -> bool:
        """Whether it was made with parameters that are no longer in use, or by another system (PW-07)."""
        ...
