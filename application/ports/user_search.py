"""Which users are looked for, and in what order."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self
from uuid import UUID

from domain.ids import UserId
from domain.users.user import User


class UserStatus(StrEnum):
    """How a user stands. One may be suspended and about to be deleted; active is whoever is neither."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    DELETION_SCHEDULED = "deletion_scheduled"


class UserOrder(StrEnum):
    """In what order users come; with a minus, the other way round. Among equals the id decides."""

    OLDEST = "created_at"
    NEWEST = "-created_at"
    EMAIL = "email"
    EMAIL_BACKWARDS = "-email"
    LONGEST_UNSEEN = "last_seen_at"
    LAST_SEEN = "-last_seen_at"

    @property
    def backwards(self) -> bool:
        return self.value.startswith("-")

    @property
    def key(self) -> str:
        """What decides, by its name."""
        return self.value.removeprefix("-")


@dataclass(frozen=True, slots=True, kw_only=True)
class UserFilter:
    """What all of them have in common; None says nothing.

    `email_prefix` is how the canonical address begins. `created_after` is the first moment that counts,
    `created_before` and `last_seen_before` the first that counts no more.
    """

    status: UserStatus | None = None
    role: str | None = None
    email_verified: bool | None = None
    email_prefix: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    last_seen_before: datetime | None = None

    @property
    def usual_order(self) -> UserOrder:
        """The order in which those whom it admits stand closest together."""
        if self.email_prefix is not None:
            return UserOrder.EMAIL
        return UserOrder.LONGEST_UNSEEN if self.last_seen_before is not None else UserOrder.NEWEST

    def admits(self, user: User) -> bool:
        """Whether the user is one of them. Repositories may say the same in their own language."""
        found = (
            (self.status is None or self.status in statuses_of(user)),
            (self.role is None or self.role in user.roles),
            (self.email_verified is None or user.email_verified is self.email_verified),
            (self.email_prefix is None or user.email.canonical.startswith(self.email_prefix)),
            (self.created_after is None or user.created_at >= self.created_after),
            (self.created_before is None or user.created_at < self.created_before),
            (self.last_seen_before is None or user.last_seen_at < self.last_seen_before),
        )
        return all(found)


@dataclass(frozen=True, slots=True)
class UserPosition:
    """Where a list stands: what decides the order, and the id, of the user whom it begins after."""

    key: datetime | str
    user_id: UserId

    def __str__(self) -> str:
        key = self.key if isinstance(self.key, str) else self.key.isoformat()
        return f"{key} {self.user_id}"

    @classmethod
    def read(cls, text: str, order: UserOrder) -> Self:
        """The position of that order whose text it is."""
        key, _, user_id = text.rpartition(" ")
        return cls(key if order.key == "email" else datetime.fromisoformat(key), UserId(UUID(user_id)))

    @classmethod
    def of(cls, user: User, order: UserOrder) -> Self:
        """The position of one user in that order."""
        keys: dict[str, datetime | str] = {
            "created_at": user.created_at,
            "email": user.email.canonical,
            "last_seen_at": user.last_seen_at,
        }
        return cls(keys[order.key], user.id)


def statuses_of(user: User) -> frozenset[UserStatus]:
    """Each that the user has."""
    if user.suspension is None and user.deletion_due_at is None:
        return _ACTIVE
    has = {UserStatus.SUSPENDED: user.suspension, UserStatus.DELETION_SCHEDULED: user.deletion_due_at}
    return frozenset(status for status, found in has.items() if found is not None)


_ACTIVE = frozenset({UserStatus.ACTIVE})
