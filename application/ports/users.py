"""Where users are kept."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from application.paging.page import Page
from application.ports.user_search import UserFilter, UserOrder, UserPosition
from domain.ids import UserId
from domain.mfa.factor import FactorKind
from domain.users.email_address import EmailAddress
from domain.users.user import User


class UserRepository(Protocol):
    """All users. What is handed out is the caller's own copy: it counts only once it is saved."""

    async def add(self, user: User) -> None:
        """Keep a new user. One write, for `write` or `begin`.

        Raises: EmailAlreadyRegistered, AlreadyImported.
        """
        ...

    async def save(self, user: User) -> None:
        """Keep the present state of a loaded user and count its version up.

        Raises: EmailAlreadyRegistered; ConcurrentUpdate when it was changed or removed since it was loaded.
        """
        ...

    async def get(self, user_id: UserId) -> User:
        """One user.

        Raises: UserNotFound.
        """
        ...

    async def lock(self, user_id: UserId) -> User:
        """One user as it stands now, and nobody else's to lock or save until this transaction ends.

        Waits for whoever has it locked, up to a second. Only inside `begin`.

        Raises: UserNotFound, DatabaseUnavailable.
        """
        ...

    async def find_by_email(self, email: EmailAddress) -> User | None:
        """The user with this address, by its canonical form."""
        ...

    async def find_with_factors(self, email: EmailAddress) -> tuple[User, frozenset[FactorKind]] | None:
        """The same with the kinds of second factors that they could show. As much is looked up for nobody (LG-02)."""
        ...

    async def remove(self, user_id: UserId) -> None:
        """Forget the user, and with them sessions, tokens, messages and all that belongs to them. The audit log stays.

        One who is not there is no matter.
        """
        ...

    async def due_for_erasure(self, *, at: datetime, limit: int) -> Sequence[UserId]:
        """At most `limit` users whose deletion is due at that moment, longest due first."""
        ...

    async def lock_admins(self) -> Sequence[User]:
        """Every user with the role admin, by id, and nobody else's to lock or save until this transaction ends.

        Waits as `lock` does. Only inside `begin`.

        Raises: DatabaseUnavailable.
        """
        ...

    async def over_suspended(self, *, at: datetime, limit: int) -> Sequence[UserId]:
        """At most `limit` users whose suspension has come to its end by that moment, first ended first."""
        ...

    async def note_seen(self, user_id: UserId, *, at: datetime, unless_after: datetime) -> None:
        """Move `last_seen_at` to that moment, unless it is later than `unless_after`; the version stays.

        A user who is not there is no matter. `save` leaves it alone.
        """
        ...

    async def page(
        self, *, only: UserFilter, order: UserOrder, after: UserPosition | None, limit: int
    ) -> Page[User, UserPosition]:
        """At most `limit` of the users whom the filter admits, in that order, beginning after a position of the same.

        At most MOST_EXAMINED entries are looked at; where that ends a page early, the next goes on from there. So the
        cost grows neither with depth nor with what the filter keeps out.
        """
        ...
