"""Signing keys."""

import json
from typing import Self

from pydantic import Field

from adapters.http.schemas.base import ResponseSchema, Timestamp, examples
from domain.signing.signing_key import KeyState, SigningKey


class JsonWebKey(ResponseSchema):
    """A public key (RFC 7517, RFC 7518 section 6.2)."""

    kid: str
    alg: str
    use: str = "sig"
    kty: str
    crv: str
    x: str
    y: str

    @classmethod
    def of(cls, key: SigningKey) -> Self:
        public = json.loads(key.public_key)
        return cls(kid=key.id, alg=key.algorithm, kty=public["kty"], crv=public["crv"], x=public["x"], y=public["y"])


class JsonWebKeySet(ResponseSchema):
    """All keys that tokens of this service may be signed with."""

    model_config = examples(
        {
            "keys": [
                {
                    "kid": "a7181e70002e8d084bba9abbea528d5b",
                    "alg": "ES256",
                    "use": "sig",
                    "kty": "EC",
                    "crv": "P-256",
                    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
                }
            ]
        }
    )

    keys: list[JsonWebKey]


class SigningKeyResponse(ResponseSchema):
    """A signing key, as operators see it."""

    model_config = examples(
        {
            "id": "a7181e70002e8d084bba9abbea528d5b",
            "algorithm": "ES256",
            "state": "active",
            "created_at": "2026-01-31T12:00:00.000000Z",
            "state_since": "2026-01-31T12:00:00.000000Z",
        }
    )

    id: str = Field(description="The `kid` of the tokens that it signs.")
    algorithm: str
    state: KeyState = Field(description="`next`, `active`, `retiring`, `revoked`: it only ever moves down this list.")
    created_at: Timestamp
    state_since: Timestamp

    @classmethod
    def of(cls, key: SigningKey) -> Self:
        return cls(
            id=key.id,
            algorithm=key.algorithm,
            state=key.state,
            created_at=key.created_at,
            state_since=key.state_since,
        )


class SigningKeyList(ResponseSchema):
    """All signing keys, oldest first. There are a handful."""

    items: list[SigningKeyResponse]
