"""Keycloak's credentials, as an export of a realm has them."""

import json
from collections.abc import Mapping

from adapters.crypto.foreign_hashes.argon2_hashes import Argon2Hash
from adapters.crypto.foreign_hashes.known_hash import KnownHash, malformed, unknown
from adapters.crypto.foreign_hashes.notation import from_base64, number
from adapters.crypto.foreign_hashes.objects import Fields, number_of, text_of
from adapters.crypto.foreign_hashes.pbkdf2_hashes import Pbkdf2Hash

_PBKDF2 = {"pbkdf2": "sha1", "pbkdf2-sha256": "sha256", "pbkdf2-sha512": "sha512"}
_VERSIONS = {"1.0": 16, "1.3": 19}
_VARIANTS = {"d": "argon2d", "i": "argon2i", "id": "argon2id"}


def is_keycloak(fields: Fields) -> bool:
    """Whether it has what only Keycloak's have: one of today, or of versions before 8."""
    return any(fields.get(name) is not None for name in ("secretData", "hashedSaltedValue"))


def read_keycloak(fields: Fields) -> KnownHash:
    """A credential of type `password`: `secretData` and `credentialData`, both JSON within a text, or objects.

    Before version 8: `hashedSaltedValue`, `salt`, `hashIterations` and `algorithm`.

    Raises: UnusableHash.
    """
    if text_of(fields, "type", default="password") != "password":
        raise unknown(detail="it is a credential of another kind than a password")
    if fields.get("secretData") is None:
        return _read(fields, salt=text_of(fields, "salt"), digest=text_of(fields, "hashedSaltedValue"))
    secret = _object(fields, "secretData")
    return _read(_object(fields, "credentialData"), salt=text_of(secret, "salt"), digest=text_of(secret, "value"))


def _read(fields: Fields, *, salt: str, digest: str) -> KnownHash:
    algorithm, iterations = text_of(fields, "algorithm"), number_of(fields, "hashIterations")
    salt_bytes, digest_bytes = from_base64(salt), from_base64(digest)
    if algorithm in _PBKDF2:
        return Pbkdf2Hash(algorithm=_PBKDF2[algorithm], iterations=iterations, salt=salt_bytes, digest=digest_bytes)
    if algorithm != "argon2":
        raise unknown(detail="it has an algorithm that is not known here")
    parameters = _object(fields, "additionalParameters")
    variant, version = _first(parameters, "type"), _first(parameters, "version")
    if variant not in _VARIANTS or version not in _VERSIONS:
        raise malformed(detail="there is no such type or version of Argon2")
    return Argon2Hash(
        format=_VARIANTS[variant],
        version=_VERSIONS[version],
        memory_kib=number(_first(parameters, "memory")),
        passes=iterations,
        lanes=number(_first(parameters, "parallelism")),
        salt=salt_bytes,
        digest=digest_bytes,
    )


def _object(fields: Fields, name: str) -> Fields:
    value = fields.get(name)
    if isinstance(value, str):
        written = text_of(fields, name)
        try:
            value = json.loads(written)
        except (ValueError, RecursionError) as error:
            raise malformed(detail=f"the field {name} is no JSON") from error
    if not isinstance(value, Mapping):
        raise malformed(detail=f"the field {name} is missing, or no object")
    return value


def _first(parameters: Fields, name: str) -> str:
    """Parameters are lists of one text."""
    match parameters.get(name):
        case [str() as value, *_]:
            return value
        case _:
            raise malformed(detail=f"the parameter {name} is missing")
