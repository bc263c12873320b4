"""Access tokens as signed JWTs (RFC 9068), by the library joserfc.

What the library leaves open is closed here, and held by a file of hostile tokens: one algorithm per key, three known
header fields, the type `at+jwt`, strict types of claims, a length limit before anything is parsed (ST-08 to ST-12).
"""

import json
import re
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from adapters.crypto.jose_checkpoints import read_checkpoint, signed_checkpoint
from adapters.crypto.jose_text import decoded_object, is_canonical, parsed_object
from adapters.crypto.read_tokens import ReadTokens
from adapters.crypto.sealing import SealBroken, Sealer
from application.ports.token_signer import KeyMaterial, TokenSigner
from domain.audit.checkpoint import CheckpointClaims
from domain.ids import KeyId, SessionId, UserId
from domain.sessions.access_token import AccessTokenClaims
from domain.sessions.authentication_method import AuthenticationMethod
from domain.signing.signing_key import SigningKey

ALGORITHM = "ES256"
TYPE = "at+jwt"
MAX_TOKEN_LENGTH = 8192
_CURVE = "P-256"
_PURPOSE = "signing key"
_HEADER_FIELDS = {"alg", "kid", "typ"}
_COMPACT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
_KEY_ID = re.compile(r"[0-9a-f]{8,64}", re.ASCII)
_REMEMBERED_KEYS = 32


class JoseTokenSigner:
    """`TokenSigner` with ES256; private keys are sealed under the root key."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer
        self._public: OrderedDict[str, ECKey] = OrderedDict()
        self._private: OrderedDict[str, ECKey] = OrderedDict()
        self._read = ReadTokens()

    def generate(self, key_id: KeyId) -> KeyMaterial:
        key = ECKey.generate_key(_CURVE)
        private = json.dumps(key.as_dict(private=True)).encode()
        return KeyMaterial(
            algorithm=ALGORITHM,
            public_key=json.dumps(key.as_dict(private=False)),
            sealed_private_key=self._sealer.seal(private, purpose=_PURPOSE, owner=key_id),
        )

    def opens(self, key: SigningKey) -> bool:
        try:
            self._sealer.open(key.sealed_private_key, purpose=_PURPOSE, owner=key.id)
        except SealBroken:
            return False
        return True

    def sign(self, claims: AccessTokenClaims, key: SigningKey) -> str:
        header = {"alg": key.algorithm, "kid": key.id, "typ": TYPE}
        return jwt.encode(header, _as_json(claims), self._private_key(key), algorithms=[key.algorithm])

    def key_id(self, token: str) -> KeyId | None:
        if len(token) > MAX_TOKEN_LENGTH:
            return None
        return self._read.key_id(token) or _key_id_in(token)

    def read(self, token: str, key: SigningKey) -> AccessTokenClaims | None:
        if self.key_id(token) != key.id:
            return None
        claims = self._read.find(token, key)
        if claims is None:
            claims = self._verified(token, key)
            if claims is not None:
                self._read.note(token, key, claims)
        return claims

    def _verified(self, token: str, key: SigningKey) -> AccessTokenClaims | None:
        if not is_canonical(token.rpartition(".")[2]):
            return None
        try:
            signed = jws.deserialize_compact(token, self._public_key(key), algorithms=[key.algorithm])
        except (JoseError, ValueError):
            return None
        payload = parsed_object(signed.payload)
        return _as_claims(payload) if payload is not None else None

    def sign_checkpoint(self, claims: CheckpointClaims, key: SigningKey) -> str:
        return signed_checkpoint(claims, self._private_key(key), key.id)

    def read_checkpoint(self, statement: str, key: SigningKey) -> CheckpointClaims | None:
        return read_checkpoint(statement, key.public_key)

    def _public_key(self, key: SigningKey) -> ECKey:
        return _remembered(self._public, key.public_key, lambda: key.public_key)

    def _private_key(self, key: SigningKey) -> ECKey:
        return _remembered(
            self._private,
            key.id,
            lambda: self._sealer.open(key.sealed_private_key, purpose=_PURPOSE, owner=key.id).decode(),
        )


def _key_id_in(token: str) -> KeyId | None:
    if not _COMPACT.fullmatch(token):
        return None
    header = decoded_object(token.partition(".")[0])
    if header is None or set(header) != _HEADER_FIELDS or header["typ"] != TYPE:
        return None
    key_id = header["kid"]
    return KeyId(key_id) if isinstance(key_id, str) and _KEY_ID.fullmatch(key_id) else None


def _remembered(keys: OrderedDict[str, ECKey], name: str, jwk: Callable[[], str]) -> ECKey:
    """Parsing a key takes longer than using it."""
    if name not in keys:
        keys[name] = ECKey.import_key(json.loads(jwk()))
        if len(keys) > _REMEMBERED_KEYS:
            keys.popitem(last=False)
    return keys[name]


def _as_json(claims: AccessTokenClaims) -> dict[str, Any]:
    return {
        "iss": claims.issuer,
        "aud": claims.audience,
        "sub": str(claims.subject),
        "sid": str(claims.session_id),
        "client_id": claims.client_id,
        "jti": claims.token_id,
        "iat": int(claims.issued_at.timestamp()),
        "exp": int(claims.expires_at.timestamp()),
        "auth_time": int(claims.authenticated_at.timestamp()),
        "amr": list(claims.methods),
        "roles": list(claims.roles),
    }


def _as_claims(payload: dict[str, object]) -> AccessTokenClaims | None:
    match payload:
        case {
            "iss": str(issuer),
            "aud": str(audience),
            "sub": str(subject),
            "sid": str(session_id),
            "client_id": str(client_id),
            "jti": str(token_id),
            "iat": int(issued_at),
            "exp": int(expires_at),
            "auth_time": int(authenticated_at),
            "amr": [*methods],
            "roles": [*roles],
        } if not any(isinstance(moment, bool) or moment < 0 for moment in (issued_at, expires_at, authenticated_at)):
            if not all(isinstance(role, str) for role in roles):
                return None
            try:
                return AccessTokenClaims(
                    issuer=issuer,
                    audience=audience,
                    subject=UserId(UUID(subject)),
                    session_id=SessionId(UUID(session_id)),
                    client_id=client_id,
                    token_id=token_id,
                    issued_at=datetime.fromtimestamp(issued_at, UTC),
                    expires_at=datetime.fromtimestamp(expires_at, UTC),
                    authenticated_at=datetime.fromtimestamp(authenticated_at, UTC),
                    methods=tuple(AuthenticationMethod(str(method)) for method in methods),
                    roles=tuple(str(role) for role in roles),
                )
            except (ValueError, OverflowError, OSError):
                return None
    return None


def _is_token_signer(signer: JoseTokenSigner) -> TokenSigner:
    return signer
