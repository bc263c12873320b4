"""Where sessions are kept."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.ids import SessionId
from domain.sessions.session import Session
from domain.users.user import User


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A session that opens doors now, and whose it is."""

    session: Session
    user: User


class SessionRepository(Protocol):
    """All sessions. What is handed out is the caller's own copy: it counts only once it is saved."""

    async def add(self, session: Session) -> None:
        """Keep a new session of an existing user.

        Raises: UserNotFound, at the latest when the transaction commits.
        """
        ...

    async def save(self, session: Session) -> None:
        """Keep the present state of a loaded session and count its version up.

        Raises: ConcurrentUpdate when it was changed or removed since it was loaded, at the latest when the
        transaction commits.
        """
        ...

    async def get(self, session_id: SessionId) -> Session:
        """One session, live or not.

        Raises: SessionNotFound.
        """
        ...

    async def lock(self, session_id: SessionId) -> Session:
        """One session as it stands now, and nobody else's to lock or save until this transaction ends.

        Waits for whoever has it locked. Only inside `begin`.

        Raises: SessionNotFound.
        """
        ...

    async def find_live(self, session_id: SessionId, *, at: datetime) -> LiveSession | None:
        """The session and its user if `Session.is_live` holds at that moment, in one statement."""
        ...
