"""Introspection (RFC 7662 section 2.2)."""

from typing import Self

from pydantic import Field, SecretStr

from adapters.http.schemas.base import RequestSchema, ResponseSchema, examples
from application.sessions.introspect import Introspection

# More than the longest token that is read: a longer one is not active, like every other that is none.
_MAX_LENGTH = 16_384


class TokenIntrospection(RequestSchema):
    """The token in question."""

    model_config = examples({"token": "eyJhbGciOiJFUzI1NiJ9.e30.c2ln"})

    token: SecretStr = Field(max_length=_MAX_LENGTH)


class IntrospectionResponse(ResponseSchema):
    """What the token is good for. Of one that is not active nothing is said."""

    model_config = examples({"active": False})

    active: bool
    token_type: str | None = None
    iss: str | None = None
    sub: str | None = None
    aud: str | None = None
    client_id: str | None = None
    sid: str | None = None
    jti: str | None = None
    iat: int | None = None
    exp: int | None = None
    auth_time: int | None = None
    amr: list[str] | None = None
    roles: list[str] | None = None

    @classmethod
    def of(cls, found: Introspection | None) -> Self:
        if found is None:
            return cls(active=False)
        claims = found.claims
        return cls(
            active=True,
            token_type="access_token",  # noqa: S106  (the name of the kind)
            iss=claims.issuer,
            sub=str(claims.subject),
            aud=claims.audience,
            client_id=claims.client_id,
            sid=str(claims.session_id),
            jti=claims.token_id,
            iat=int(claims.issued_at.timestamp()),
            exp=int(claims.expires_at.timestamp()),
            auth_time=int(found.principal.session.authenticated_at.timestamp()),
            amr=list(found.principal.session.methods),
            roles=sorted(found.principal.user.roles),
        )
