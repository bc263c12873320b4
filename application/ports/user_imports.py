"""Where imports are kept, and users by the thousand."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.ids import UserId, UserImportId
from domain.transfer.user_import import RowReport, UserImport, Verdict
from domain.users.user import User


@dataclass(slots=True, kw_only=True)
class Identities:
    """By what people are told apart: ids, ids of former systems, and canonical addresses."""

    ids: set[UUID] = field(default_factory=set)
    source_ids: set[str] = field(default_factory=set)
    emails: set[str] = field(default_factory=set)


class BulkUserRepository(Protocol):
    """All users, many at a time."""

    async def taken(self, asked: Identities) -> Identities:
        """Which of these somebody has, and whatever else those who have them are known by."""
        ...

    async def add_all(self, users: Sequence[User]) -> None:
        """Keep new users, without an event.

        Raises: EmailAlreadyRegistered, AlreadyImported; DuplicateKey for an id that is taken.
        """
        ...

    async def page(self, *, after: UserId | None, limit: int) -> Sequence[User]:
        """At most `limit` users by id, starting after `after`. The cost does not grow with depth."""
        ...


class UserImportRepository(Protocol):
    """All imports, with what became of each row, until they are purged."""

    async def add(self, user_import: UserImport) -> None:
        """Keep a new one. One that waits is queued as a job."""
        ...

    async def save(self, user_import: UserImport) -> None:
        """Keep the present state of a loaded one and count its version up.

        Raises: ConcurrentUpdate.
        """
        ...

    async def get(self, import_id: UserImportId) -> UserImport:
        """One import.

        Raises: ImportNotFound.
        """
        ...

    async def lock(self, import_id: UserImportId) -> UserImport:
        """One import as it stands now, and nobody else's to lock or save until this transaction ends.

        Raises: ImportNotFound, DatabaseUnavailable.
        """
        ...

    async def page(self, *, before: UserImportId | None, limit: int) -> Sequence[UserImport]:
        """At most `limit` imports, newest first by id, starting after `before`."""
        ...

    async def add_reports(self, import_id: UserImportId, reports: Sequence[RowReport]) -> None:
        """Keep what became of rows; each row once."""
        ...

    async def reports(
        self, import_id: UserImportId, *, after: int, limit: int, verdict: Verdict | None = None
    ) -> Sequence[RowReport]:
        """At most `limit` reports in the order of rows, after that row. The cost does not grow with depth."""
        ...

    async def claim(self, import_id: UserImportId, digests: Collection[bytes]) -> None:
        """Note what accepted rows of a dry run would have taken; each digest once."""
        ...

    async def claimed(self, import_id: UserImportId, digests: Collection[bytes]) -> set[bytes]:
        """Which of these were noted."""
        ...

    async def add_part(self, import_id: UserImportId, number: int, sealed: str, *, at: datetime) -> None:
        """Keep a part of the file, numbered from 0."""
        ...

    async def part(self, import_id: UserImportId, number: int) -> str | None:
        """That part of the file, or None behind the last one."""
        ...

    async def forget_parts(self, import_id: UserImportId) -> None:
        """Forget the file."""
        ...

    async def forget_claims(self, import_id: UserImportId, *, limit: int) -> int:
        """Forget at most `limit` of what was noted; how many."""
        ...

    async def with_parts_from_before(self, moment: datetime, *, limit: int) -> Sequence[UserImportId]:
        """At most `limit` imports that still have a file, and had it by then."""
        ...

    async def purge(self, *, untouched_since: datetime, limit: int) -> int:
        """Forget imports that nobody has touched since then: at most `limit` rows of theirs, or them; how many."""
        ...
