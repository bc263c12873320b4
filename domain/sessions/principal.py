"""Who is calling."""

from dataclasses import dataclass

from domain.ids import SessionId, UserId
from domain.sessions.session import Session
from domain.users.user import User


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """A user who has proven to be one, and the session through which they call; both as they were a moment ago.

    `has_factors` is whether the user has a second factor now, whatever was shown when the session began (MF-09).
    """

    user: User
    session: Session
    has_factors: bool = False

    @property
    def user_id(self) -> UserId:
        return self.user.id

    @property
    def session_id(self) -> SessionId:
        return self.session.id
