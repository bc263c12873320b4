"""Access tokens, from claims to text and back."""

from dataclasses import dataclass
from datetime import timedelta

from application.ports.clock import Clock
from application.ports.randomness import Randomness
from application.ports.token_signer import TokenSigner
from application.signing.key_ring import KeyRing
from domain.sessions.access_token import AccessTokenClaims
from domain.sessions.session import InvalidAccessToken, Session
from domain.signing.signing_key import SigningKey

# Between our own processes, whose clocks may differ a little (ST-10 allows up to 30 seconds).
_LEEWAY = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessTokenPolicy:
    """Who issues access tokens, for whom, through which client, and for how long."""

    issuer: str
    audience: str
    client_id: str = "hallporter"
    lifetime: timedelta = timedelta(minutes=10)

    @property
    def enrolment_audience(self) -> str:
        """For whom the tokens are of those who have to enrol a second factor first: for nobody but us (MF-07)."""
        return f"{self.audience}/enrolment"


class AccessTokens:
    """Issues access tokens for sessions and checks what comes back (RFC 9068 sections 2 and 4)."""

    def __init__(
        self, keys: KeyRing, signer: TokenSigner, clock: Clock, randomness: Randomness, policy: AccessTokenPolicy
    ) -> None:
        self._keys = keys
        self._signer = signer
        self._clock = clock
        self._randomness = randomness
        self._policy = policy

    @property
    def lifetime(self) -> timedelta:
        """How long an access token is good."""
        return self._policy.lifetime

    async def key(self) -> SigningKey:
        """The key to issue with. May ask the database: get it before a transaction."""
        return await self._keys.active()

    def issue(self, session: Session, key: SigningKey, *, roles: frozenset[str], must_enrol: bool = False) -> str:
        """A new access token for the session of a user who has these roles.

        Services verify it by its signature alone. So that of a user who must enrol a second factor first is for another
        audience than theirs, and says no roles.
        """
        now = self._clock.now().replace(microsecond=0)
        claims = AccessTokenClaims(
            issuer=self._policy.issuer,
            audience=self._policy.enrolment_audience if must_enrol else self._policy.audience,
            subject=session.user_id,
            session_id=session.id,
            client_id=self._policy.client_id,
            token_id=str(self._randomness.uuid(at=now)),
            issued_at=now,
            expires_at=now + self._policy.lifetime,
            authenticated_at=session.authenticated_at.replace(microsecond=0),
            methods=session.methods,
            roles=tuple(sorted(roles)) if not must_enrol else (),
        )
        return self._signer.sign(claims, key)

    def is_for_enrolment(self, claims: AccessTokenClaims) -> bool:
        """Whether the token is for nobody but us."""
        return claims.audience == self._policy.enrolment_audience

    async def verify(self, token: str) -> AccessTokenClaims:
        """What the token says, if one of our keys signed it, for us, and it is valid now.

        Raises: InvalidAccessToken.
        """
        key_id = self._signer.key_id(token)
        key = await self._keys.find(key_id) if key_id is not None else None
        claims = self._signer.read(token, key) if key is not None else None
        now = self._clock.now()
        if (
            claims is None
            or claims.issuer != self._policy.issuer
            or claims.audience not in {self._policy.audience, self._policy.enrolment_audience}
            or claims.client_id != self._policy.client_id
            or not claims.token_id
            or not claims.methods
            or claims.issued_at > now + _LEEWAY
            or claims.expires_at <= now
        ):
            raise InvalidAccessToken
        return claims
