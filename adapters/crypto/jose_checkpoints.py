"""Checkpoints of the audit log as signed statements (JWS in compact form).

They are signed by the keys of access tokens, and can be taken for one nowhere: the type is another, and each side reads
its own alone. Reading takes a public key and nothing else, so that it can be done where nothing of ours runs.
"""

import json
import re
from datetime import datetime

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from adapters.crypto.jose_text import decoded_object, is_canonical, parsed_object
from domain.audit.chain import canonical, moment
from domain.audit.checkpoint import CheckpointClaims
from domain.ids import KeyId

TYPE = "hallporter-audit-checkpoint+jws"
_ALGORITHM = "ES256"
_HEADER_FIELDS = {"alg", "kid", "typ"}
_COMPACT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_MAX_LENGTH = 4096


def signed_checkpoint(claims: CheckpointClaims, key: ECKey, key_id: KeyId) -> str:
    """The statement."""
    payload = canonical(
        {
            "iss": claims.issuer,
            "position": claims.position,
            "sequence": claims.sequence,
            "chain_hash": claims.chain_hash,
            "made_at": moment(claims.made_at),
            "entries": claims.entries,
        }
    )
    header = {"alg": _ALGORITHM, "kid": key_id, "typ": TYPE}
    return jws.serialize_compact(header, payload, key, algorithms=[_ALGORITHM])


def key_id_of(statement: str) -> KeyId | None:
    """The `kid` that a statement names, or None where it is none. Nothing is verified yet."""
    if len(statement) > _MAX_LENGTH or not _COMPACT.fullmatch(statement):
        return None
    header = decoded_object(statement.partition(".")[0])
    if header is None or set(header) != _HEADER_FIELDS or header["typ"] != TYPE or header["alg"] != _ALGORITHM:
        return None
    return KeyId(header["kid"]) if isinstance(header["kid"], str) else None


def read_checkpoint(statement: str, jwk: str) -> CheckpointClaims | None:
    """The claims, when the key of this JSON Web Key signed them and each has the right type; None otherwise."""
    if key_id_of(statement) is None or not is_canonical(statement.rpartition(".")[2]):
        return None
    try:
        key = ECKey.import_key(json.loads(jwk))
        payload = parsed_object(jws.deserialize_compact(statement, key, algorithms=[_ALGORITHM]).payload)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return _as_claims(payload) if payload is not None else None


def _as_claims(payload: dict[str, object]) -> CheckpointClaims | None:
    match payload:
        case {
            "iss": str(issuer),
            "position": int(position),
            "sequence": int(sequence),
            "chain_hash": str(chain_hash),
            "made_at": str(made_at),
            "entries": int(entries),
        } if _HASH.fullmatch(chain_hash) and position > 0:
            try:
                at = datetime.fromisoformat(made_at)
            except ValueError:
                return None
            return CheckpointClaims(
                issuer=issuer,
                position=position,
                sequence=sequence,
                chain_hash=chain_hash,
                made_at=at,
                entries=entries,
            )
    return None
