"""How settings are written. What a check raises is a predicate without a subject: the setting's name goes before it."""

import re

from pydantic import SecretStr

from adapters.mail.smtp import SmtpServer
from adapters.postgres.database import asyncpg_url

_PUBLIC_URL = re.compile(
    r"https?://(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?(?:/[\w.~/-]*)?",
    re.ASCII | re.IGNORECASE,
)
DOMAIN = re.compile(r"(?:[a-z0-9-]+\.)+[a-z][a-z0-9-]*", re.IGNORECASE)
_ORIGIN = re.compile(r"https?://(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?", re.ASCII)


def checked_database_url(url: SecretStr) -> SecretStr:
    """As the engine wants it."""
    return SecretStr(asyncpg_url(url.get_secret_value()))


def checked_smtp_url(url: SecretStr) -> SecretStr:
    """Unchanged, if it can be used."""
    SmtpServer.parse(url.get_secret_value())
    return url


def checked_origins(text: object) -> tuple[str, ...]:
    """Origins with commas between (RFC 6454), in lower case."""
    given = text.split(",") if isinstance(text, str) else text if isinstance(text, tuple) else ()
    origins = tuple(str(origin).strip().rstrip("/").lower() for origin in given)
    if not all(_ORIGIN.fullmatch(origin) for origin in origins):
        message = "must be origins such as https://app.mycompany.com, with commas between; neither * nor null is one"
        raise ValueError(message)
    return origins


def checked_public_url(url: str) -> str:
    """Without a slash at its end."""
    if not _PUBLIC_URL.fullmatch(url):
        message = "must be a URL such as https://accounts.mycompany.com, without query, fragment or user"
        raise ValueError(message)
    return url.rstrip("/")
