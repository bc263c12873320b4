"""Who is calling."""

from dataclasses import dataclass

from domain.ids import SessionId, UserId
from domain.sessions.session import Session
from domain.users.user import User


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """A user who has proven to be one, and the session through which they call; both as they were a moment ago."""

    user: User
    session: Session

    @property
    def user_id(self) -> UserId:
        return self.user.id

    @property
    def session_id(self) -> SessionId:
        return self.session.id
