"""A refresh token among its kin."""

from dataclasses import dataclass, replace
from datetime import datetime

from domain.sessions.refresh_token import Presented, RefreshToken, RefreshTokenSecret
from domain.sessions.session import EndReason, Session, SessionPolicy
from domain.users.user import User


@dataclass(slots=True, kw_only=True)
class TokenFamily:
    """A token that was presented, the session it belongs to, and whose that is."""

    token: RefreshToken
    session: Session
    user: User

    def judge(self, *, at: datetime, policy: SessionPolicy) -> Presented:
        """What the presenter is entitled to (ST-07).

        The direct predecessor of the youngest token is good for the same answer within the grace period. Anything older
        ends the family, within the grace period too: its holder has seen the successor, or somebody else has.
        """
        session, token = self.session, self.token
        if not session.is_live(user=self.user, at=at) or session.is_idle(at=at, policy=policy):
            return Presented.NOTHING
        if token.generation == session.generation:
            return Presented.NEXT
        if (
            token.generation == session.generation - 1
            and token.rotated_at is not None
            and at < token.rotated_at + policy.refresh_grace
        ):
            return Presented.SAME
        return Presented.REUSED

    def rotate(
        self, successor: RefreshTokenSecret, *, sealed_answer: str, at: datetime
    ) -> tuple[RefreshToken, RefreshToken]:
        """The presented token, rotated, and its successor."""
        self.session.rotate(at=at)
        rotated = replace(self.token, rotated_at=at, sealed_answer=sealed_answer)
        return rotated, RefreshToken(
            digest=successor.digest(),
            session_id=self.session.id,
            generation=self.session.generation,
            issued_at=at,
        )

    def revoke(self, *, at: datetime) -> None:
        """End the session: a token of it was used twice."""
        self.session.end(reason=EndReason.REFRESH_TOKEN_REUSED, at=at)
