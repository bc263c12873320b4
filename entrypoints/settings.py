"""What can be set, from the environment and `.env`.

Everything has a working default in development. In production nothing that matters has one: what is missing, short or
an example is refused at start, all problems at once (SK-01).
"""

import re
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from adapters.mail.smtp_server import check_sender
from domain.users.password_policy import MAX_LENGTH, MIN_LENGTH_FLOOR
from entrypoints.database_settings import DatabaseSettings
from entrypoints.kept_key import MIN_SECRET_KEY_LENGTH, kept_key
from entrypoints.metrics_settings import MetricsSettings, metrics_problems
from entrypoints.mfa_settings import MfaSettings
from entrypoints.passkey_settings import PasskeySettings, passkey_problems
from entrypoints.retention_settings import RetentionSettings
from entrypoints.setting_formats import (
    DOMAIN,
    checked_database_url,
    checked_hosts,
    checked_origins,
    checked_public_url,
    checked_smtp_url,
)
from entrypoints.settings_problem import SettingsProblem
from entrypoints.throttle_settings import ThrottleSettings
from entrypoints.traces_settings import TracesSettings, traces_problems

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
    """Who may register: everybody, nobody but through an operator, or everybody without being told who is one."""

    OPEN = "open"
    DISCREET = "discreet"
    CLOSED = "closed"


class LogFormat(StrEnum):
    """Lines for people or for machines."""

    TEXT = "text"
    JSON = "json"


class Settings(
    DatabaseSettings, MetricsSettings, MfaSettings, ThrottleSettings, PasskeySettings, RetentionSettings, TracesSettings
):
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
    database_url: Annotated[SecretStr, AfterValidator(checked_database_url)] | None = Field(
        default=None, description="postgresql://user:password@host:5432/database; left out: the embedded server"
    )
    secret_key: SecretStr | None = Field(
        default=None, description="root of all keys, 32 characters or more; in development made and kept by itself"
    )
    public_url: Annotated[str, AfterValidator(checked_public_url)] = Field(
        default="http://127.0.0.1:8000", description="where callers reach this service; issuer of its tokens"
    )
    hallporter_home: Path = Field(
        default=Path(".hallporter"), description="folder of the embedded server and the development key"
    )
    registration: Registration = Field(
        default=Registration.OPEN,
        description="open, discreet (nobody is told which addresses are registered) or closed",
    )
    smtp_url: Annotated[SecretStr, AfterValidator(checked_smtp_url)] | None = Field(
        default=None, description="smtps://user:password@host:465 or smtp://…:587; left out: the mailbox of development"
    )
    service_name: str | None = Field(
        default=None,
        min_length=1,
        max_length=60,
        description="what mails call the service; left out: the host of PUBLIC_URL",
    )
    mail_from: Annotated[str, AfterValidator(check_sender)] | None = Field(
        default=None, description="sender of mails; left out: no-reply at the host of PUBLIC_URL"
    )
    mail_templates: Path | None = Field(default=None, description="folder of layouts and texts that replace ours")
    links_url: Annotated[str, AfterValidator(checked_public_url)] | None = Field(
        default=None, description="where links in mails lead; left out: pages of ours, PUBLIC_URL/links"
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(checked_origins)] = Field(
        default=(), description="origins whose pages may call us, with commas between: https://app.mycompany.com"
    )
    allowed_hosts: Annotated[tuple[str, ...], NoDecode, BeforeValidator(checked_hosts)] = Field(
        default=(), description="hosts by which callers may call besides that of PUBLIC_URL, with commas between"
    )
    worker: bool = Field(default=True, description="whether processes that serve requests send mail and keep house too")
    job_lease_seconds: int = Field(
        default=30, ge=1, le=3600, description="how long a worker may be silent before its jobs go to others"
    )
    deletion_grace_seconds: int = Field(
        default=14 * 86_400,
        ge=0,
        le=90 * 86_400,
        description="how long users who asked to be deleted may change their mind",
    )
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
            *self._mail_problems(),
            *metrics_problems(self),
            *traces_problems(self),
            *passkey_problems(self, public_url=self.public_url, cors_origins=self.cors_origins),
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

    @property
    def public_host(self) -> str:
        """The host of `public_url`, with its port if there is one."""
        return urlsplit(self.public_url).netloc

    @property
    def effective_allowed_hosts(self) -> tuple[str, ...]:
        """What `allowed_hosts` comes down to: outside production this machine's own names are among them."""
        return self.allowed_hosts if self.is_production else (*self.allowed_hosts, "localhost", "127.0.0.1", "[::1]")

    @property
    def effective_links_url(self) -> str:
        """What `links_url` comes down to."""
        return self.links_url or f"{self.public_url}/links"

    @property
    def sender(self) -> str:
        """What `mail_from` comes down to."""
        host = urlsplit(self.public_url).hostname or ""
        # Addresses of machines are no domains: with an SMTP server, MAIL_FROM is asked for.
        domain = host if DOMAIN.fullmatch(host) else "hallporter.invalid"
        return self.mail_from or f"no-reply@{domain}"

    def root_key(self) -> bytes:
        """The key that all others are derived from: `secret_key`, or in development one that is made and kept.

        Raises: SettingsProblem where it cannot be kept.
        """
        if self.secret_key is not None:
            return self.secret_key.get_secret_value().encode()
        return kept_key(self.hallporter_home.expanduser().absolute() / "secret-key")

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

    def _mail_problems(self) -> Iterator[str]:
        is_asked_for_anyway = self.is_production and "public_url" not in self.model_fields_set
        if self.smtp_url is not None and self.sender.endswith(".invalid") and not is_asked_for_anyway:
            yield "MAIL_FROM is missing. Set it to an address that mail may come from, such as no-reply@mycompany.com"

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
        if self.smtp_url is None:
            yield "SMTP_URL is missing. Set it to smtps://user:password@host:465 or smtp://user:password@host:587"
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
