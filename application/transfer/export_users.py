"""Moving out."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from application.ports.clock import Clock
from application.ports.password_transfer import PasswordTransfer
from application.ports.unit_of_work import UnitOfWork
from domain.ids import UserId
from domain.transfer.transfer_events import UsersExported
from domain.users.user import User

_AT_ONCE = 1_000


class ExportUsers:
    """Give out all users, in rows that `ImportUsers` reads.

    They come by id, a page at a time, each page as it is then: who comes or goes meanwhile may be there or not.
    """

    def __init__(self, unit_of_work: UnitOfWork, passwords: PasswordTransfer, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._passwords = passwords
        self._clock = clock

    async def execute(self, *, with_hashes: bool, by: UserId | None = None) -> AsyncIterator[bytes]:
        """NDJSON, some rows at a time. Without `by`, it is the command line. That it began is written down first."""
        event = UsersExported(user_id=None, occurred_at=self._clock.now(), with_hashes=with_hashes, by=by)
        async with self._unit_of_work.begin() as tx:
            await tx.audit.append(event)
        return self._pages(with_hashes=with_hashes)

    async def _pages(self, *, with_hashes: bool) -> AsyncIterator[bytes]:
        after: UserId | None = None
        while True:
            async with self._unit_of_work.read() as tx:
                users = await tx.bulk_users.page(after=after, limit=_AT_ONCE)
            if not users:
                return
            yield "".join(self._line(user, with_hash=with_hashes) for user in users).encode()
            after = users[-1].id

    def _line(self, user: User, *, with_hash: bool) -> str:
        suspension = user.suspension
        row: dict[str, object] = {
            "id": str(user.id),
            "source_id": user.source_id,
            "email": user.email.display,
            "email_verified": user.email_verified,
            "email_verified_at": _written(user.email_verified_at),
            "display_name": user.display_name,
            "locale": user.locale,
            "roles": sorted(user.roles),
            "suspension": {
                "since": _written(suspension.since),
                "reason": suspension.reason,
                "until": _written(suspension.until),
            }
            if suspension is not None
            else None,
            "deletion_due_at": _written(user.deletion_due_at),
            "created_at": _written(user.created_at),
            "updated_at": _written(user.updated_at),
            "last_seen_at": _written(user.last_seen_at),
        }
        if with_hash and user.password_hash is not None:
            row["password_hash"] = self._passwords.hand_out(user.password_hash)
        return json.dumps(row, ensure_ascii=False) + "\n"


def _written(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment is not None else None
