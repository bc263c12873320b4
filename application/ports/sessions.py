"""Where sessions are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.ids import SessionId, UserId
from domain.sessions.principal import Principal
from domain.sessions.refresh_token import RefreshToken
from domain.sessions.session import Device, Session


@dataclass(frozen=True, slots=True, kw_only=True)
class AsUsual:
    """What nearly every sign-in meets: fewer live sessions than `most`, and a device that is not new.

    `first_is_new` as for `is_new_device`.
    """

    most: int
    first_is_new: bool


class SessionRepository(Protocol):
    """All sessions. What is handed out is the caller's own copy: it counts only once it is saved."""

    async def add(self, session: Session) -> None:
        """Keep a new session of an existing user.

        Raises: UserNotFound.
        """
        ...

    async def open(
        self,
        session: Session,
        first: RefreshToken,
        *,
        only_if: AsUsual | None,
        used_after: datetime,
        seen_unless_after: datetime,
    ) -> bool:
        """Keep a new session of an existing user, the first token of its family, and that the user was seen.

        False, and nothing is kept, where it is not as `only_if` says; live are those that were used since `used_after`.
        Of those that open at the same moment none sees the others. When the user was seen is noted as by
        `UserRepository.note_seen`, or not at all where that would mean to wait. One write, for `write` or `begin`.

        Raises: UserNotFound.
        """
        ...

    async def save(self, session: Session) -> None:
        """Keep the present state of a loaded session and count its version up.

        Raises: ConcurrentUpdate when it was changed or removed since it was loaded.
        """
        ...

    async def get(self, session_id: SessionId) -> Session:
        """One session, live or not.

        Raises: SessionNotFound.
        """
        ...

    async def note_use(self, session_id: SessionId, *, at: datetime, unless_after: datetime) -> None:
        """Move `last_used_at` to that moment, unless it is later than `unless_after`; the version stays.

        A session that is not there is no matter.
        """
        ...

    async def lock(self, session_id: SessionId) -> Session:
        """One session as it stands now, and nobody else's to lock or save until this transaction ends.

        Waits for whoever has it locked, up to a second. Only inside `begin`.

        Raises: SessionNotFound, DatabaseUnavailable.
        """
        ...

    async def live_of(self, user_id: UserId, *, at: datetime, used_after: datetime) -> Sequence[Session]:
        """The user's sessions for which `Session.is_live` holds and that were used since, last signed in first."""
        ...

    async def lock_live_of(self, user_id: UserId, *, at: datetime, used_after: datetime) -> Sequence[Session]:
        """As `live_of`, and nobody else's to lock or save until this transaction ends. Only inside `begin`.

        Waits up to a second for whoever has one of them.

        Raises: DatabaseUnavailable.
        """
        ...

    async def all_of(self, user_id: UserId) -> Sequence[Session]:
        """All sessions of the user that are kept, live or not, last signed in first."""
        ...

    async def is_new_device(self, user_id: UserId, device: Device, *, first_is_new: bool) -> bool:
        """Whether no session that is kept was on a device of this name (LG-11).

        Where a device has no name its user agent counts. `first_is_new` is the answer where no session is kept.
        """
        ...

    async def purge(self, *, over_since: datetime, limit: int) -> int:
        """Forget sessions that ended or expired before that moment, after their refresh tokens.

        At most `limit` tokens of theirs, or them; how many.
        """
        ...

    async def find_live(self, session_id: SessionId, *, at: datetime) -> Principal | None:
        """The session and its user if `Session.is_live` holds at that moment, in one statement."""
        ...
