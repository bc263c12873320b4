"""What can be set, from the environment and `.env`.

Everything has a working default in development. In production nothing that matters has one: what is missing, short or
an example is refused at start, all problems at once (SK-01).
"""

import os
import re
import secrets
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from adapters.postgres.database import asyncpg_url
from domain.users.password_policy import MAX_LENGTH, MIN_LENGTH_FLOOR

MIN_SECRET_KEY_LENGTH = 32
_MEMORY_FOR_ONE_PASS_KIB = 47_104
_MIN_DIFFERENT_CHARACTERS = 12
# What keys are called that somebody meant to replace. By chance each is in one key of many millions.
_EXAMPLE = re.compile(
    r"change.?me|example|secret|passw|hallporter|your.?key|replace|insecure|openssl|generate|default|random|develop"
    r"|testing|01234567|12345678|abcdef|qwerty|(.)\1{5}|(.{4,})\2{2}|[\s<>$(){}]",
    re.IGNORECASE,
)


class Environment(StrEnum):
    """Where this runs. Production refuses defaults."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"
    TEST = "test"


class Registration(StrEnum):
    """Who may register: everybody, or nobody but through an operator."""

    OPEN = "open"
    CLOSED = "closed"


class LogFormat(StrEnum):
    """Lines for people or for machines."""

    TEXT = "text"
    JSON = "json"


class SettingsProblem(Exception):
    """The settings cannot be used. `problems` names each setting, what is wrong, and what to set; no value."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(["The settings are not usable:", *(f"  - {problem}" for problem in problems)]))


def _database_url(url: SecretStr) -> SecretStr:
    return SecretStr(asyncpg_url(url.get_secret_value()))


_PUBLIC_URL = re.compile(
    r"https?://(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?(?:/[\w.~/-]*)?",
    re.ASCII | re.IGNORECASE,
)


def _public_url(url: str) -> str:
    if not _PUBLIC_URL.fullmatch(url):
        message = "must be a URL such as https://accounts.mycompany.com, without query, fragment or user"
        raise ValueError(message)
    return url.rstrip("/")


class Settings(BaseSettings):
    """Every setting. The name in the environment is the field's, in capitals."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    environment: Environment = Field(
        default=Environment.DEVELOPMENT, description="development, production or test; production refuses defaults"
    )
    database_url: Annotated[SecretStr, AfterValidator(_database_url)] | None = Field(
        default=None, description="postgresql://user:password@host:5432/database; left out: the embedded server"
    )
    secret_key: SecretStr | None = Field(
        default=None, description="root of all keys, 32 characters or more; in development made and kept by itself"
    )
    public_url: Annotated[str, AfterValidator(_public_url)] = Field(
        default="http://127.0.0.1:8000", description="where callers reach this service; issuer of its tokens"
    )
    hallporter_home: Path = Field(
        default=Path(".hallporter"), description="folder of the embedded server and the development key"
    )
    registration: Registration = Field(default=Registration.OPEN, description="open or closed")
    password_min_length: int = Field(
        default=15, ge=MIN_LENGTH_FLOOR, le=MAX_LENGTH, description="shortest password, in characters"
    )
    password_hash_memory_kib: int = Field(
        default=19_456, ge=19_456, le=1_048_576, description="Argon2id memory for one password, in KiB"
    )
    password_hash_iterations: int = Field(default=2, ge=1, le=32, description="Argon2id passes over that memory")
    access_token_lifetime_seconds: int = Field(
        default=600, ge=30, le=3600, description="life of an access token, in seconds"
    )
    session_lifetime_seconds: int = Field(
        default=30 * 86_400, ge=60, le=400 * 86_400, description="longest life of a session, in seconds"
    )
    session_idle_lifetime_seconds: int = Field(
        default=14 * 86_400, ge=60, le=400 * 86_400, description="life of a session that nobody refreshes, in seconds"
    )
    session_limit_per_user: int = Field(
        default=100, ge=1, le=1000, description="live sessions of one user, at most; beyond it the oldest end"
    )
    refresh_grace_seconds: int = Field(
        default=10, ge=0, le=60, description="how long a rotated refresh token gets the same answer; 0 is never"
    )
    database_pool_size: int = Field(
        default=10, ge=1, le=100, description="database connections of one process, at most"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(default="INFO", description="least severity logged")
    log_format: LogFormat | None = Field(
        default=None, description="text or json; left out: json in production, text elsewhere"
    )

    @model_validator(mode="after")
    def _refuse_what_is_unsafe(self) -> Self:
        problems = [
            *self._key_problems(),
            *self._hashing_problems(),
            *self._lifetime_problems(),
            *(self._production_problems() if self.is_production else []),
        ]
        if problems:
            raise SettingsProblem(problems)
        return self

    @property
    def is_production(self) -> bool:
        return self.environment is Environment.PRODUCTION

    @property
    def effective_log_format(self) -> LogFormat:
        """What `log_format` comes down to."""
        return self.log_format or (LogFormat.JSON if self.is_production else LogFormat.TEXT)

    def root_key(self) -> bytes:
        """The key that all others are derived from: `secret_key`, or in development one that is made and kept.

        Raises: SettingsProblem where it cannot be kept.
        """
        if self.secret_key is not None:
            return self.secret_key.get_secret_value().encode()
        return _kept_key(self.hallporter_home.expanduser().absolute() / "secret-key")

    def _hashing_problems(self) -> Iterator[str]:
        """OWASP's equivalents of the minimum: less memory must be passed over more often (PW-06)."""
        if self.password_hash_iterations == 1 and self.password_hash_memory_kib < _MEMORY_FOR_ONE_PASS_KIB:
            yield (
                "PASSWORD_HASH_ITERATIONS is too low for PASSWORD_HASH_MEMORY_KIB. "
                f"Set it to 2, or the memory to {_MEMORY_FOR_ONE_PASS_KIB}"
            )

    def _lifetime_problems(self) -> Iterator[str]:
        """Whether a session is idle is judged on refreshing: no access token may last longer than that (ST-04)."""
        if self.session_idle_lifetime_seconds < self.access_token_lifetime_seconds:
            yield "SESSION_IDLE_LIFETIME_SECONDS is below ACCESS_TOKEN_LIFETIME_SECONDS. Set it to as much or more"

    def _key_problems(self) -> Iterator[str]:
        if self.secret_key is None:
            return
        key = self.secret_key.get_secret_value()
        advice = "Set it to the output of: openssl rand -base64 48"
        if len(key) < MIN_SECRET_KEY_LENGTH:
            yield f"SECRET_KEY is shorter than {MIN_SECRET_KEY_LENGTH} characters. {advice}"
        elif len(set(key)) < _MIN_DIFFERENT_CHARACTERS or _EXAMPLE.search(key):
            yield f"SECRET_KEY looks like an example and not like chance. {advice}"

    def _production_problems(self) -> Iterator[str]:
        if self.secret_key is None:
            yield "SECRET_KEY is missing. Set it to the output of: openssl rand -base64 48"
        if self.database_url is None:
            yield "DATABASE_URL is missing. Set it to postgresql://user:password@host:5432/database"
        if "public_url" not in self.model_fields_set:
            yield "PUBLIC_URL is missing. Set it to the address that callers use, such as https://accounts.mycompany.com"
        elif not self.public_url.startswith("https://"):
            yield "PUBLIC_URL is not https. Put TLS in front and set the https address"


def load_settings() -> Settings:
    """The settings of this process.

    Raises: SettingsProblem, with everything that is wrong.
    """
    try:
        return Settings()
    except (UnicodeDecodeError, OSError) as error:
        reason = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror
        raise SettingsProblem([f"The file .env cannot be read ({reason}). Mend it, or move it away"]) from None
    except ValidationError as error:
        malformed = {str(item["loc"][0]) for item in error.errors() if item["loc"]}
        problems = [_as_problem(item["loc"], item["msg"]) for item in error.errors()]
        raise SettingsProblem([*problems, *_problems_besides(malformed)]) from None


def load_settings_or_exit() -> Settings:
    """The settings, or a plain message and exit code 2: for programs of which we are not the outermost part."""
    try:
        return load_settings()
    except SettingsProblem as problem:
        sys.stderr.write(f"{problem}\n")
        raise SystemExit(2) from None


def _problems_besides(malformed: set[str]) -> list[str]:
    """What is wrong with the well-formed settings; people should have to start once, not once for each problem."""
    try:
        Settings(**{name: Settings.model_fields[name].default for name in malformed})
    except SettingsProblem as rest:
        return [problem for problem in rest.problems if problem.partition(" ")[0].lower() not in malformed]
    return []


def _as_problem(location: tuple[int | str, ...], message: str) -> str:
    name = str(location[0]).upper() if location else "The settings"
    return f"{name}: {message.removeprefix('Value error, ')}"


def _kept_key(path: Path) -> bytes:
    """The key in this file. The first process to ask writes it, whole and readable for its owner alone."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _write_new_key(path)
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        with open(descriptor, "rb") as file:  # noqa: PTH123  (of a descriptor: what is judged is what is read)
            found = os.fstat(descriptor)
            key = file.read().strip()
    except OSError as error:
        problem = f"SECRET_KEY is not set, and none can be kept in {path} ({error.strerror}). Set HALLPORTER_HOME"
        raise SettingsProblem([problem]) from error
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        problem = f"{path} could be read or written by others. Make it yours alone: chmod 600, and chown to this user"
        raise SettingsProblem([problem])
    if len(key) < MIN_SECRET_KEY_LENGTH:
        problem = f"{path} does not hold a key. Restore it, or remove it: what it protected is lost then"
        raise SettingsProblem([problem])
    return key


def _write_new_key(path: Path) -> None:
    # Made aside, complete and on disk, before it gets its name: nobody ever reads half a key.
    descriptor, aside = tempfile.mkstemp(dir=path.parent, prefix="secret-key.")
    with open(descriptor, "w") as file:  # noqa: PTH123  (mkstemp gives a descriptor)
        file.write(secrets.token_urlsafe(48) + "\n")
        file.flush()
        os.fsync(descriptor)
    with suppress(FileExistsError):  # another process was faster; its key is as good
        path.hardlink_to(aside)
    Path(aside).unlink()
