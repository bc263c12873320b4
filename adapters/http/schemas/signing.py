"""Signing keys."""

import json
from typing import Self

from pydantic import ConfigDict

from adapters.http.schemas.base import ResponseSchema
from domain.signing.signing_key import SigningKey


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

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
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
            ]
        }
    )

    keys: list[JsonWebKey]
