"""Refreshing."""

import json
from datetime import datetime, timedelta

from application.mfa.required_enrolment import RequiredEnrolment
from application.ports.clock import Clock
from application.ports.randomness import Randomness
from application.ports.token_sealer import TokenSealer
from application.ports.unit_of_work import TransactionConflict, UnitOfWork
from application.sessions.access_tokens import AccessTokens
from application.sessions.issued_tokens import IssuedTokens
from domain.errors import ConcurrentUpdate
from domain.opaque_token import SECRET_BYTES
from domain.sessions.refresh_token import Presented, RefreshTokenSecret
from domain.sessions.session import InvalidRefreshToken, Session, SessionPolicy
from domain.sessions.token_family import TokenFamily
from domain.signing.signing_key import SigningKey
from domain.users.user import User

# Each time that somebody was faster, they have got something done: with one family there are not that many.
_MOST_DECISIONS = 20
_COME_BACK_AFTER = timedelta(seconds=1)


class RefreshSession:
    """Exchange a refresh token for the next one (RFC 9700 section 4.14).

    What is decided counts only if the session is still the one that it was decided on, so two tabs, two processes or a
    thief and an owner come one after the other: whoever was slower decides anew. Whoever lost the answer, or comes with
    the same token at the same moment, gets the same answer again: it was sealed under the token that they present.
    """

    def __init__(
        self,
        unit_of_work: UnitOfWork,
        access_tokens: AccessTokens,
        sealer: TokenSealer,
        enrolment: RequiredEnrolment,
        clock: Clock,
        randomness: Randomness,
        policy: SessionPolicy,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._access_tokens = access_tokens
        self._sealer = sealer
        self._enrolment = enrolment
        self._clock = clock
        self._randomness = randomness
        self._policy = policy

    async def execute(self, *, refresh_token: str) -> IssuedTokens:
        """The next tokens, or the same ones again within the grace period.

        Raises: InvalidRefreshToken, TransactionConflict.
        """
        presented = RefreshTokenSecret.parse(refresh_token)
        if presented is None:
            raise InvalidRefreshToken
        key = await self._access_tokens.key()
        for _ in range(_MOST_DECISIONS):
            async with self._unit_of_work.read() as tx:
                family = await tx.refresh_tokens.find_family(presented.digest())
            try:
                issued = await self._answer(presented, family, key) if family is not None else None
            except ConcurrentUpdate:
                continue
            if issued is None:
                raise InvalidRefreshToken
            return issued
        raise TransactionConflict(retry_after=_COME_BACK_AFTER)

    async def _answer(self, presented: RefreshTokenSecret, family: TokenFamily, key: SigningKey) -> IssuedTokens | None:
        """Raises: ConcurrentUpdate."""
        now = self._clock.now()
        match family.judge(at=now, policy=self._policy):
            case Presented.NEXT:
                return await self._rotate(presented, family, key, now)
            case Presented.SAME:
                return self._opened(presented, family, now)
            case Presented.REUSED:
                family.revoke(at=now)
                # Before the refusal: a family that has just been revoked must stay so.
                async with self._unit_of_work.begin() as tx:
                    await tx.sessions.save(family.session)
                return None
            case Presented.NOTHING:
                return None

    async def _rotate(
        self, presented: RefreshTokenSecret, family: TokenFamily, key: SigningKey, now: datetime
    ) -> IssuedTokens:
        session, user = family.session, family.user
        must_enrol = await self._must_enrol(session, user, now)
        issued = IssuedTokens(
            session_id=session.id,
            user=user,
            access_token=self._access_tokens.issue(session, key, roles=user.roles, must_enrol=must_enrol),
            access_token_lifetime=self._access_tokens.lifetime,
            refresh_token=RefreshTokenSecret.from_random(self._randomness.secret(SECRET_BYTES)),
            refresh_token_lifetime=family.session.expires_at - now,
        )
        rotated, successor = family.rotate(
            issued.refresh_token, sealed_answer=self._sealed(presented, issued, now), at=now
        )
        async with self._unit_of_work.write() as tx:
            await tx.refresh_tokens.rotate(rotated, successor, family.session)
        return issued

    async def _must_enrol(self, session: Session, user: User, now: datetime) -> bool:
        if not self._enrolment.concerns(user):
            return False
        async with self._unit_of_work.read() as tx:
            return await self._enrolment.is_due_in(tx, session, user, at=now)

    def _sealed(self, presented: RefreshTokenSecret, issued: IssuedTokens, now: datetime) -> str:
        expires_at = now + issued.access_token_lifetime
        answer = [issued.access_token, expires_at.isoformat(), issued.refresh_token.text]
        return self._sealer.seal(json.dumps(answer), under=presented, session_id=issued.session_id)

    def _opened(self, presented: RefreshTokenSecret, family: TokenFamily, now: datetime) -> IssuedTokens | None:
        session_id, sealed = family.session.id, family.token.sealed_answer
        answer = self._sealer.open(sealed, under=presented, session_id=session_id) if sealed is not None else None
        if answer is None:
            return None
        access_token, expires_at, refresh_token = json.loads(answer)
        return IssuedTokens(
            session_id=session_id,
            user=family.user,
            access_token=access_token,
            access_token_lifetime=datetime.fromisoformat(expires_at) - now,
            refresh_token=RefreshTokenSecret(refresh_token),
            refresh_token_lifetime=family.session.expires_at - now,
        )
