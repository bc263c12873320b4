"""Signing without cryptography."""

import base64
import hashlib
import json
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from application.ports.token_signer import KeyMaterial, TokenSigner
from domain.audit.checkpoint import CheckpointClaims
from domain.ids import KeyId
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
        payload = _encoded(claims)
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
        said = json.loads(base64.urlsafe_b64decode(payload))
        ids = {name: UUID(said[name]) for name in ("subject", "session_id")}
        times = {name: datetime.fromisoformat(said[name]) for name in ("issued_at", "expires_at", "authenticated_at")}
        methods = tuple(AuthenticationMethod(method) for method in said["methods"])
        return AccessTokenClaims(**said | ids | times | {"methods": methods, "roles": tuple(said["roles"])})

    def sign_checkpoint(self, claims: CheckpointClaims, key: SigningKey) -> str:
        payload = _encoded(claims)
        return f"checkpoint.{key.id}.{payload}.{_seal(key, f'checkpoint:{payload}')}"

    def read_checkpoint(self, statement: str, key: SigningKey) -> CheckpointClaims | None:
        match statement.split("."):
            case ["checkpoint", key.id, payload, seal] if seal == _seal(key, f"checkpoint:{payload}"):
                said = json.loads(base64.urlsafe_b64decode(payload))
                return CheckpointClaims(**said | {"made_at": datetime.fromisoformat(said["made_at"])})
        return None


def _encoded(claims: AccessTokenClaims | CheckpointClaims) -> str:
    # Of what JSON has no type for, the text that it is made of again.
    return base64.urlsafe_b64encode(json.dumps(asdict(claims), default=str).encode()).decode()


def _seal(key: SigningKey, payload: str) -> str:
    return hashlib.sha256(f"{key.id}:{payload}".encode()).hexdigest()


def _is_token_signer(memory: MemoryTokenSigner) -> TokenSigner:
    return memory
