"""Signing without cryptography."""

import base64
import hashlib
import json
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from application.ports.token_signer import KeyMaterial, TokenSigner
from domain.audit.checkpoint import CheckpointClaims
from domain.ids import KeyId, SessionId, UserId
from domain.sessions.access_token import AccessTokenClaims
from domain.sessions.authentication_method import AuthenticationMethod
from domain.signing.signing_key import SigningKey


class MemoryTokenSigner:
    """Tokens that anybody can read and, knowing the key's id, forge. For tests.

    `root` stands for the root key: keys made under another one do not open.
    """

    def __init__(self, root: str = "root") -> None:
        self._root = root

    def generate(self, key_id: KeyId) -> KeyMaterial:
        return KeyMaterial(
            algorithm="none",
            public_key='{"kty": "none", "crv": "", "x": "", "y": ""}',
            sealed_private_key=self._sealed(key_id),
        )

    def opens(self, key: SigningKey) -> bool:
        return key.sealed_private_key == self._sealed(key.id)

    def _sealed(self, key_id: KeyId) -> str:
        return f"{self._root}:{key_id}"

    def sign(self, claims: AccessTokenClaims, key: SigningKey) -> str:
        content = json.dumps(
            {
                "iss": claims.issuer,
                "aud": claims.audience,
                "sub": str(claims.subject),
                "sid": str(claims.session_id),
                "client_id": claims.client_id,
                "jti": claims.token_id,
                "iat": claims.issued_at.isoformat(),
                "exp": claims.expires_at.isoformat(),
                "auth_time": claims.authenticated_at.isoformat(),
                "amr": list(claims.methods),
                "roles": list(claims.roles),
            }
        )
        payload = base64.urlsafe_b64encode(content.encode()).decode()
        return f"{key.id}.{payload}.{_seal(key, payload)}"

    def key_id(self, token: str) -> KeyId | None:
        parts = token.split(".")
        return KeyId(parts[0]) if len(parts) == len(("key", "payload", "seal")) else None

    def read(self, token: str, key: SigningKey) -> AccessTokenClaims | None:
        if self.key_id(token) != key.id:
            return None
        _, payload, seal = token.split(".")
        if seal != _seal(key, payload):
            return None
        claims = json.loads(base64.urlsafe_b64decode(payload))
        return AccessTokenClaims(
            issuer=claims["iss"],
            audience=claims["aud"],
            subject=UserId(UUID(claims["sub"])),
            session_id=SessionId(UUID(claims["sid"])),
            client_id=claims["client_id"],
            token_id=claims["jti"],
            issued_at=datetime.fromisoformat(claims["iat"]),
            expires_at=datetime.fromisoformat(claims["exp"]),
            authenticated_at=datetime.fromisoformat(claims["auth_time"]),
            methods=tuple(AuthenticationMethod(method) for method in claims["amr"]),
            roles=tuple(claims["roles"]),
        )

    def sign_checkpoint(self, claims: CheckpointClaims, key: SigningKey) -> str:
        content = asdict(claims) | {"made_at": claims.made_at.isoformat()}
        payload = base64.urlsafe_b64encode(json.dumps(content).encode()).decode()
        return f"checkpoint.{key.id}.{payload}.{_seal(key, f'checkpoint:{payload}')}"

    def read_checkpoint(self, statement: str, key: SigningKey) -> CheckpointClaims | None:
        match statement.split("."):
            case ["checkpoint", key.id, payload, seal] if seal == _seal(key, f"checkpoint:{payload}"):
                content = json.loads(base64.urlsafe_b64decode(payload))
                return CheckpointClaims(**content | {"made_at": datetime.fromisoformat(content["made_at"])})
        return None


def _seal(key: SigningKey, payload: str) -> str:
    return hashlib.sha256(f"{key.id}:{payload}".encode()).hexdigest()


def _is_token_signer(memory: MemoryTokenSigner) -> TokenSigner:
    return memory
