"""The work itself: a token verified, a row read, JSON written. As little of it as there can be."""

import base64
import hashlib
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # it has no stubs
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

_POOL_SIZE = 10
_HALF = 32
_PAGE = 50
_SIGNED = ec.ECDSA(hashes.SHA256())
_SHOWN = (
    "users.id, email, email_verified_at, display_name, locale, suspended_at, deletion_due_at, roles, "
    "users.created_at, users.updated_at"
)
# Who is calling, and whether they still may: what Hallporter asks for each request.
_CALLER = f"""
SELECT {_SHOWN}
FROM sessions JOIN users ON users.id = sessions.user_id
WHERE sessions.id = $1 AND users.id = $2
  AND ended_at IS NULL AND expires_at > now()
  AND (suspended_at IS NULL OR suspended_until <= now())
  AND (deletion_due_at IS NULL OR deletion_due_at > now())
  AND users.security_epoch = sessions.security_epoch
"""  # noqa: S608  (constants)
_USERS = f"SELECT {_SHOWN}, suspension_reason, suspended_until, password_hash, last_seen_at FROM users "  # noqa: S608
_NEWEST = f"{_USERS} ORDER BY users.created_at DESC, users.id DESC LIMIT $1"
_ROTATE = "UPDATE refresh_tokens SET issued_at = now() WHERE digest = $1 RETURNING session_id, generation"


async def _nothing(_connection: object) -> None:
    """What a pool does to a connection that comes back: its own reset would be another round trip."""


@dataclass
class Work:
    """What the environment says, and the connections."""

    keys: Mapping[str, ec.EllipticCurvePublicKey] = field(default_factory=dict)
    issuer: str = ""
    pool: Any = None

    async def open(self) -> None:
        """Read the keys and connect."""
        self.issuer = os.environ["BARE_ISSUER"]
        self.keys = {key["kid"]: _public_key(key) for key in json.loads(os.environ["BARE_KEYS"])["keys"]}
        self.pool = await asyncpg.create_pool(
            os.environ["BARE_DATABASE_URL"], min_size=_POOL_SIZE, max_size=_POOL_SIZE, reset=_nothing
        )

    async def close(self) -> None:
        """Let go."""
        await self.pool.close()

    async def me(self, authorization: str) -> bytes | None:
        """The caller as JSON; None where nobody may be told."""
        row = await self._caller(authorization)
        return _json(_user(row)) if row is not None else None

    async def users(self, authorization: str) -> bytes | None:
        """The newest users as JSON; None for whoever is no operator."""
        caller = await self._caller(authorization)
        if caller is None or "admin" not in caller["roles"]:
            return None
        rows = await self.pool.fetch(_NEWEST, _PAGE + 1)
        return _json({"items": [_operated(row) for row in rows[:_PAGE]], "next_cursor": "more"})

    async def refresh(self, body: bytes) -> bytes | None:
        """One statement for a refresh token, as JSON; None where there is no such token."""
        digest = hashlib.sha256(json.loads(body)["refresh_token"].encode()).digest()
        row = await self.pool.fetchrow(_ROTATE, digest)
        return _json({"session_id": str(row["session_id"]), "generation": row["generation"]}) if row else None

    async def _caller(self, authorization: str) -> Any:  # noqa: ANN401  (a row of an untyped library)
        claims = self._claims(authorization.removeprefix("Bearer "))
        return await self.pool.fetchrow(_CALLER, claims["sid"], claims["sub"]) if claims is not None else None

    def _claims(self, token: str) -> dict[str, Any] | None:
        signed, _, signature = token.rpartition(".")
        header, _, payload = signed.partition(".")
        said, raw = json.loads(_decoded(header)), _decoded(signature)
        if said["alg"] != "ES256" or said["typ"] != "at+jwt" or len(raw) != 2 * _HALF:
            return None
        pair = encode_dss_signature(int.from_bytes(raw[:_HALF]), int.from_bytes(raw[_HALF:]))
        try:
            self.keys[said["kid"]].verify(pair, signed.encode(), _SIGNED)
        except InvalidSignature:
            return None
        claims: dict[str, Any] = json.loads(_decoded(payload))
        is_ours = claims["iss"] == claims["aud"] == self.issuer
        return claims if is_ours and claims["iat"] <= time.time() + 30 and claims["exp"] > time.time() else None


def _public_key(jwk: Mapping[str, str]) -> ec.EllipticCurvePublicKey:
    x, y = (int.from_bytes(_decoded(jwk[name])) for name in ("x", "y"))
    return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _moment(value: datetime | None) -> str | None:
    return value.isoformat(timespec="microseconds").replace("+00:00", "Z") if value is not None else None


def _user(row: Any) -> dict[str, object]:  # noqa: ANN401  (a row of an untyped library)
    return {
        "id": str(row["id"]),
        "email": row["email"],
        "email_verified": row["email_verified_at"] is not None,
        "display_name": row["display_name"],
        "locale": row["locale"],
        "is_active": row["suspended_at"] is None,
        "deletion_due_at": _moment(row["deletion_due_at"]),
        "roles": sorted(row["roles"]),
        "created_at": _moment(row["created_at"]),
        "updated_at": _moment(row["updated_at"]),
    }


def _operated(row: Any) -> dict[str, object]:  # noqa: ANN401  (a row of an untyped library)
    is_suspended = row["suspended_at"] is not None
    is_leaving = row["deletion_due_at"] is not None
    status = (["deletion_scheduled"] if is_leaving else []) + (["suspended"] if is_suspended else [])
    suspension = {
        "reason": row["suspension_reason"],
        "since": _moment(row["suspended_at"]),
        "until": _moment(row["suspended_until"]),
    }
    return _user(row) | {
        "status": status or ["active"],
        "suspension": suspension if is_suspended else None,
        "has_password": row["password_hash"] is not None,
        "last_seen_at": _moment(row["last_seen_at"]),
    }
