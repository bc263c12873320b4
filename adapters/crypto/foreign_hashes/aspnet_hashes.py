"""ASP.NET Identity: PBKDF2, with its parameters in front of it, all in one base64.

As in `PasswordHasher` of https://github.com/dotnet/aspnetcore; numbers are big-endian.
"""

import re
import struct

from adapters.crypto.foreign_hashes.known_hash import malformed, unknown
from adapters.crypto.foreign_hashes.limits import expect_salt
from adapters.crypto.foreign_hashes.notation import from_base64
from adapters.crypto.foreign_hashes.pbkdf2_hashes import Pbkdf2Hash

_BASE64 = re.compile("[A-Za-z0-9+/]+={0,2}")
_VERSION_2 = struct.Struct("> x 16s 32s")
_VERSION_2_ITERATIONS = 1_000
_VERSION_3 = struct.Struct("> x I I I")
_ALGORITHMS = ("sha1", "sha256", "sha512")
_SHORTEST_SALT = 16


def read_aspnet(written: str) -> Pbkdf2Hash:
    """Version 2 (a zero first, then salt and digest) or 3 (a one, then algorithm, iterations, size of the salt).

    Raises: UnusableHash.
    """
    content = from_base64(written) if _BASE64.fullmatch(written) and len(written) % 4 == 0 else b""
    if content.startswith(b"\0") and len(content) == _VERSION_2.size:
        salt, digest = _VERSION_2.unpack(content)
        return Pbkdf2Hash(algorithm="sha1", iterations=_VERSION_2_ITERATIONS, salt=salt, digest=digest)
    if content.startswith(b"\1\0\0\0") and len(content) >= _VERSION_3.size:
        return _version_3(content)
    raise unknown(detail="it is in none of the notations that are known here")


def _version_3(content: bytes) -> Pbkdf2Hash:
    algorithm, iterations, salt_size = _VERSION_3.unpack_from(content)
    if algorithm >= len(_ALGORITHMS):
        raise malformed(detail="ASP.NET has no such algorithm")
    salt, digest = content[_VERSION_3.size :][:salt_size], content[_VERSION_3.size :][salt_size:]
    expect_salt(salt, shortest=_SHORTEST_SALT)
    return Pbkdf2Hash(algorithm=_ALGORITHMS[algorithm], iterations=iterations, salt=salt, digest=digest)
