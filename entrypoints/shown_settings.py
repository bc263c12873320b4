"""Settings for people to look at: what each is, where it comes from, and nothing secret."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum
from urllib.parse import urlsplit

from pydantic import SecretStr
from pydantic_settings import DotEnvSettingsSource, EnvSettingsSource

from adapters.postgres.urls import places_of
from domain.throttling.throttle import Limit
from entrypoints.passkey_settings import effective_origins, effective_rp_id
from entrypoints.setting_formats import written_limit
from entrypoints.settings import Settings


class Source(StrEnum):
    """Where a value comes from."""

    ENVIRONMENT = "environment"
    DOTENV = ".env"
    DEFAULT = "default"
    DERIVED = "derived"
    """Nobody has set it, and it follows from others."""


@dataclass(frozen=True, slots=True)
class ShownSetting:
    """One setting, with what is secret left out."""

    name: str
    value: str
    source: Source


def shown_settings(settings: Settings) -> Sequence[ShownSetting]:
    """All of them, those of the service as a whole before those of its parts."""
    environment, dotenv = EnvSettingsSource(Settings).env_vars, DotEnvSettingsSource(Settings).env_vars
    derived = _derived(settings)
    shown: list[ShownSetting] = []
    for field in sorted(Settings.model_fields, key=lambda field: field not in Settings.__annotations__):
        name, value = field.upper(), getattr(settings, field)
        source = Source.ENVIRONMENT if environment.get(field) else Source.DEFAULT
        if source is Source.DEFAULT and dotenv.get(field):
            source = Source.DOTENV
        if source is Source.DEFAULT and field in derived and value in {None, ()}:
            shown.append(ShownSetting(name, derived[field], Source.DERIVED))
        else:
            shown.append(ShownSetting(name, _written(value), source))
    return shown


def unknown_names() -> Sequence[str]:
    """What stands in `.env` and is no setting: perhaps one that is misspelt."""
    return sorted(name.upper() for name in DotEnvSettingsSource(Settings).env_vars if name not in Settings.model_fields)


def _derived(settings: Settings) -> Mapping[str, str]:
    origins = effective_origins(settings, public_url=settings.public_url, cors_origins=settings.cors_origins)
    return {
        "database_url": f"the embedded server in {settings.hallporter_home}",
        "database_pooler_url": "none: requests go to the database itself",
        "database_replica_url": "none: lists are those of the database",
        "secret_key": f"kept in {settings.hallporter_home}/secret-key",
        "smtp_url": "the mailbox of development",
        "redis_url": "counters are in PostgreSQL",
        "service_name": settings.public_host,
        "mail_from": settings.sender,
        "mail_templates": "ours",
        "links_url": settings.effective_links_url,
        "allowed_hosts": ",".join([settings.public_host, *settings.effective_allowed_hosts]),
        "passkey_rp_id": effective_rp_id(settings, public_url=settings.public_url),
        "passkey_origins": ",".join(origins),
        "log_format": settings.effective_log_format.value,
    }


def _written(value: object) -> str:
    """As it is written in the environment."""
    match value:
        case SecretStr():
            return _without_secret(value.get_secret_value())
        case Limit():
            return written_limit(value)
        case tuple():
            return ",".join(map(str, value))
        case bool():
            return str(value).lower()
    return str(value.value) if isinstance(value, Enum) else "" if value is None else str(value)


def _without_secret(text: str) -> str:
    """A URL without user, password and what follows the path; of anything else only that it is set."""
    parts = urlsplit(text)
    if not parts.netloc:
        return f"set, {len(text)} characters"
    who = "***@" if "@" in parts.netloc else ""
    # Several servers of a database stand in what follows the path.
    where = parts.netloc.rpartition("@")[2] or places_of(text).replace(" ", "")
    return f"{parts.scheme}://{who}{where}{parts.path}"
