"""Telling by its first characters what a written hash is."""

from collections.abc import Callable, Mapping

from adapters.crypto.foreign_hashes.argon2_hashes import read_argon2
from adapters.crypto.foreign_hashes.aspnet_hashes import read_aspnet
from adapters.crypto.foreign_hashes.bcrypt_hashes import read_bcrypt, read_django_bcrypt, read_wordpress
from adapters.crypto.foreign_hashes.crypt_hashes import read_md5_crypt, read_phpass, read_sha_crypt
from adapters.crypto.foreign_hashes.firebase_hashes import read_firebase, read_firebase_object
from adapters.crypto.foreign_hashes.keycloak_hashes import is_keycloak, read_keycloak
from adapters.crypto.foreign_hashes.known_hash import KnownHash, malformed, too_costly, unknown
from adapters.crypto.foreign_hashes.limits import LONGEST_TEXT, expect_affordable
from adapters.crypto.foreign_hashes.objects import Fields
from adapters.crypto.foreign_hashes.pbkdf2_hashes import (
    read_django_pbkdf2,
    read_pbkdf2,
    read_pbkdf2_object,
    read_werkzeug_pbkdf2,
)
from adapters.crypto.foreign_hashes.salted_digests import (
    read_digest_object,
    read_dollars,
    read_ldap,
    read_our_digest,
)
from adapters.crypto.foreign_hashes.scrypt_hashes import (
    read_django_scrypt,
    read_scrypt,
    read_scrypt_object,
    read_werkzeug_scrypt,
)

_CRYPT = "{CRYPT}"
_DIGESTS = ("md5", "sha1", "sha256", "sha512")
_READERS: tuple[tuple[str, Callable[[str], KnownHash]], ...] = (
    ("$argon2", read_argon2),
    ("argon2$", lambda written: read_argon2(written.removeprefix("argon2"))),  # Django's
    ("$2", read_bcrypt),
    ("bcrypt$", read_django_bcrypt),
    ("bcrypt_sha256$", read_django_bcrypt),
    ("$scrypt$", read_scrypt),
    ("scrypt:", read_werkzeug_scrypt),
    ("scrypt$", read_django_scrypt),
    ("$pbkdf2", read_pbkdf2),
    ("pbkdf2_", read_django_pbkdf2),
    ("pbkdf2:", read_werkzeug_pbkdf2),
    ("{", read_ldap),
    *((f"{algorithm}$", read_dollars) for algorithm in _DIGESTS),
    ("$5$", read_sha_crypt),
    ("$6$", read_sha_crypt),
    ("$1$", read_md5_crypt),
    ("$apr1$", read_md5_crypt),
    ("$P$", read_phpass),
    ("$H$", read_phpass),
    ("$wp$2", read_wordpress),
    ("$fbscrypt$", read_firebase),
    ("$salted-", read_our_digest),
    ("$hmac-", read_our_digest),
    ("A", read_aspnet),  # a zero or a one, in base64
)
_OBJECT_READERS: Mapping[str, Callable[[Fields], KnownHash]] = {
    **dict.fromkeys(_DIGESTS, read_digest_object),
    **dict.fromkeys(("pbkdf2_sha1", "pbkdf2_sha256", "pbkdf2_sha512"), read_pbkdf2_object),
    "scrypt": read_scrypt_object,
    "firebase_scrypt": read_firebase_object,
}


def recognise(written: str | Mapping[str, object]) -> KnownHash:
    """What a hash is, provided that it can be checked in bounds.

    Raises: UnusableHash.
    """
    known = read(written)
    expect_affordable(known)
    return known


def read(written: object) -> KnownHash:
    """What a hash is, whatever it asks for: one that was taken in before a bound was lowered can still be checked.

    Raises: UnusableHash.
    """
    if isinstance(written, str):
        return _read_text(written)
    if isinstance(written, Mapping):
        return _read_object(written)
    raise unknown(detail="a hash is a text, or an object with fields")


def _read_text(written: str) -> KnownHash:
    if len(written) > LONGEST_TEXT:
        raise too_costly(detail=f"it is longer than {LONGEST_TEXT} characters")
    if written.startswith(_CRYPT + "$"):
        # What LDAP leaves to crypt(3).
        written = written.removeprefix(_CRYPT)
    for beginning, reader in _READERS:
        if written.startswith(beginning):
            if not written.isascii():
                raise malformed(detail="it is not ASCII")
            return reader(written)
    raise unknown(detail="it is in none of the notations that are known here")


def _read_object(fields: Fields) -> KnownHash:
    if is_keycloak(fields):
        return read_keycloak(fields)
    name = fields.get("format")
    reader = _OBJECT_READERS.get(name) if isinstance(name, str) else None
    if reader is None:
        raise unknown(detail="there is no such format")
    return reader(fields)
