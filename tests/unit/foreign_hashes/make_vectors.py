"""Make anew what can be made anew of `vectors.json`: hashes by those who write them, never by Hallporter.

    uv run --no-project --with django==6.1.3,werkzeug==3.1.9,passlib==1.7.4,bcrypt==5.0.0,argon2-cffi==25.1.0 \
        python tests/unit/foreign_hashes/make_vectors.py

It takes perl, whose crypt() is that of the system's library, and openssl. What others have published stays as it is.
"""

import base64
import json
import subprocess
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("vectors.json")
ASCII = "a quiet harbour at dawn"
OTHER = "größer als 日本語 🔑"
LONG = "one of 256 characters: " + "ü" * 233
PASSWORDS = (ASCII, OTHER, LONG)
SALT = "Zürich & salt"

type Vector = dict[str, object]


def vector(made_by: str, kind: str, hash: object, password: str) -> Vector:
    return {"made_by": made_by, "format": kind, "hash": hash, "password": password}


def of_django() -> Iterator[Vector]:
    import_module("django.conf").settings.configure()
    hashers = import_module("django.contrib.auth.hashers")
    for name, kind, cheaper in (
        ("PBKDF2PasswordHasher", "pbkdf2_sha256", {"iterations": 1_000}),
        ("PBKDF2SHA1PasswordHasher", "pbkdf2_sha1", {"iterations": 1_000}),
        ("ScryptPasswordHasher", "scrypt", {"work_factor": 2**10}),
        ("Argon2PasswordHasher", "argon2id", {"memory_cost": 64, "parallelism": 2}),
        ("BCryptSHA256PasswordHasher", "bcrypt_sha256", {"rounds": 4}),
        ("MD5PasswordHasher", "md5", {}),
    ):
        hasher = getattr(hashers, name)()
        for attribute, value in cheaper.items():
            setattr(hasher, attribute, value)
        for password in PASSWORDS:
            yield vector(f"Django {version('django')}, {name}", kind, hasher.encode(password, hasher.salt()), password)
    hasher = hashers.BCryptPasswordHasher()
    hasher.rounds = 4
    yield vector(
        f"Django {version('django')}, BCryptPasswordHasher", "bcrypt", hasher.encode(OTHER, hasher.salt()), OTHER
    )


def of_werkzeug() -> Iterator[Vector]:
    security = import_module("werkzeug.security")
    for method in ("scrypt:1024:8:2", "pbkdf2:sha1:1000", "pbkdf2:sha256:1000", "pbkdf2:sha512:1000"):
        kind = "_".join(method.split(":")[:-1]) if method.startswith("pbkdf2") else "scrypt"
        for password in PASSWORDS:
            hashed = security.generate_password_hash(password, method)
            yield vector(f"Werkzeug {version('werkzeug')}, {method}", kind, hashed, password)


def of_passlib() -> Iterator[Vector]:
    handlers = import_module("passlib.hash")
    for name, kind, cheaper in (
        ("scrypt", "scrypt", {"rounds": 8, "parallelism": 2}),
        ("pbkdf2_sha1", "pbkdf2_sha1", {"rounds": 1_000}),
        ("pbkdf2_sha256", "pbkdf2_sha256", {"rounds": 1_000}),
        ("pbkdf2_sha512", "pbkdf2_sha512", {"rounds": 1_000}),
        ("ldap_md5", "md5", {}),
        ("ldap_salted_md5", "md5", {}),
        ("ldap_sha1", "sha1", {}),
        ("ldap_salted_sha1", "sha1", {}),
        ("ldap_salted_sha256", "sha256", {}),
        ("ldap_salted_sha512", "sha512", {}),
        ("django_salted_sha1", "sha1", {}),
        ("django_salted_md5", "md5", {}),
        ("ldap_sha512_crypt", "sha512_crypt", {"rounds": 1_000}),
    ):
        handler = getattr(handlers, name).using(**cheaper)
        for password in PASSWORDS:
            yield vector(f"passlib {version('passlib')}, {name}", kind, handler.hash(password), password)


def of_argon2() -> Iterator[Vector]:
    argon2 = import_module("argon2")
    low_level = import_module("argon2.low_level")
    for variant, kind in ((argon2.Type.D, "argon2d"), (argon2.Type.I, "argon2i"), (argon2.Type.ID, "argon2id")):
        for lanes, password in zip((1, 2, 4), PASSWORDS, strict=True):
            hasher = argon2.PasswordHasher(time_cost=2, memory_cost=64, parallelism=lanes, hash_len=24, type=variant)
            yield vector(f"argon2-cffi {version('argon2-cffi')}, p={lanes}", kind, hasher.hash(password), password)
    old = low_level.hash_secret(OTHER.encode(), b"sixteen bytes of", 2, 64, 1, 32, argon2.Type.I, version=16)
    yield vector(f"argon2-cffi {version('argon2-cffi')}, version 1.0", "argon2i", old.decode(), OTHER)


def of_bcrypt() -> Iterator[Vector]:
    bcrypt = import_module("bcrypt")
    for password in (ASCII, OTHER):
        for prefix in (b"2a", b"2b"):
            hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(4, prefix)).decode()
            yield vector(f"bcrypt {version('bcrypt')}", "bcrypt", hashed, password)


def of_crypt() -> Iterator[Vector]:
    for password in PASSWORDS:
        for setting, kind in (
            ("$2a$04$abcdefghijklmnopqrstuu", "bcrypt"),
            ("$2b$04$abcdefghijklmnopqrstuu", "bcrypt"),
            ("$2y$04$abcdefghijklmnopqrstuu", "bcrypt"),
            ("$1$saltsalt$", "md5_crypt"),
            ("$5$somesalt$", "sha256_crypt"),
            ("$5$rounds=1234$sixteenletters/.$", "sha256_crypt"),
            ("$6$somesalt$", "sha512_crypt"),
            ("$6$rounds=1234$s$", "sha512_crypt"),
        ):
            yield vector("crypt(3) of libxcrypt, by perl", kind, crypt(password, setting), password)
    yield vector("crypt(3) of libxcrypt, by perl", "bcrypt", crypt(ASCII, "$2x$04$abcdefghijklmnopqrstuu"), ASCII)


def of_openssl() -> Iterator[Vector]:
    made_by = openssl("version").decode().split(" (")[0].strip().rsplit(" ", 3)[0]
    # It takes the first 256 bytes of a password, which crypt(3) does not.
    for password in (ASCII, OTHER):
        for option, kind in (
            ("-5", "sha256_crypt"),
            ("-6", "sha512_crypt"),
            ("-1", "md5_crypt"),
            ("-apr1", "apr_md5_crypt"),
        ):
            hashed = openssl("passwd", option, "-stdin", given=password.encode()).decode().strip()
            yield vector(f"{made_by}, passwd {option}", kind, hashed, password)
    for password in PASSWORDS:
        for algorithm in ("md5", "sha1", "sha256", "sha512"):
            for position, content in (("before", SALT + password), ("after", password + SALT)):
                digest = openssl("dgst", f"-{algorithm}", "-binary", given=content.encode())
                fields = {"format": algorithm, "salt": SALT, "salt_position": position}
                yield vector(f"{made_by}, dgst", algorithm, {**fields, "hash": digest.hex()}, password)
            digest = openssl("dgst", f"-{algorithm}", "-binary", given=password.encode())
            yield vector(f"{made_by}, dgst", algorithm, {"format": algorithm, "hash": in_base64(digest)}, password)
        yield from of_kdf(made_by, password)


def of_kdf(made_by: str, password: str) -> Iterator[Vector]:
    salt, secret = SALT.encode(), f"hexpass:{password.encode().hex()}"
    hex_salt = f"hexsalt:{salt.hex()}"
    for algorithm in ("sha1", "sha256", "sha512"):
        options = kdf_options(f"digest:{algorithm}", secret, hex_salt, "iter:1000")
        digest = openssl("kdf", "-keylen", "64", *options, "-binary", "PBKDF2")
        fields = {"format": f"pbkdf2_{algorithm}", "iterations": 1_000, "hash": in_base64(digest)}
        raw = {**fields, "salt": salt.hex(), "salt_encoding": "hex"}
        yield vector(f"{made_by}, kdf PBKDF2", f"pbkdf2_{algorithm}", raw, password)
        name = "pbkdf2" if algorithm == "sha1" else f"pbkdf2-{algorithm}"
        yield vector(
            f"{made_by}, kdf PBKDF2, in the layout of Keycloak 26",
            f"pbkdf2_{algorithm}",
            {
                "type": "password",
                "createdDate": 1_740_654_903_754,
                "secretData": json.dumps(
                    {"value": in_base64(digest), "salt": in_base64(salt), "additionalParameters": {}}
                ),
                "credentialData": json.dumps({"hashIterations": 1_000, "algorithm": name, "additionalParameters": {}}),
            },
            password,
        )
    options = kdf_options(secret, hex_salt, "n:1024", "r:8", "p:2")
    digest = openssl("kdf", "-keylen", "32", *options, "-binary", "SCRYPT")
    fields = {"format": "scrypt", "n": 1024, "r": 8, "p": 2, "hash": digest.hex()}
    raw = {**fields, "salt": in_base64(salt), "salt_encoding": "base64"}
    yield vector(f"{made_by}, kdf SCRYPT", "scrypt", raw, password)


def kdf_options(*options: str) -> Iterator[str]:
    for option in options:
        yield from ("-kdfopt", option)


def crypt(password: str, setting: str) -> str:
    return run("perl", "-e", "print crypt($ARGV[0], $ARGV[1])", password, setting).decode()


def openssl(*arguments: str, given: bytes = b"") -> bytes:
    return run("openssl", *arguments, given=given)


def run(*command: str, given: bytes = b"") -> bytes:
    return subprocess.run(command, input=given, capture_output=True, check=True).stdout


def in_base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def main() -> None:
    vectors: Any = json.loads(FILE.read_text()) if FILE.exists() else {"published": []}
    sources = (of_django, of_werkzeug, of_passlib, of_argon2, of_bcrypt, of_crypt, of_openssl)
    vectors["made"] = [made for source in sources for made in source()]
    FILE.write_text(json.dumps(vectors, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
