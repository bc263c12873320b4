"""How settings are written. What a check raises is a predicate without a subject: the setting's name goes before it."""

import re
from contextlib import suppress
from datetime import timedelta
from ipaddress import ip_address
from urllib.parse import urlsplit

from pydantic import SecretStr

from adapters.mail.smtp_server import SmtpServer
from adapters.postgres.urls import asyncpg_url
from domain.throttling.throttle import Limit

_PUBLIC_URL = re.compile(
    r"https?://(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?(?:/[\w.~/-]*)?",
    re.ASCII | re.IGNORECASE,
)
DOMAIN = re.compile(r"(?:[a-z0-9-]+\.)+[a-z][a-z0-9-]*", re.ASCII | re.IGNORECASE)
_LIMIT = re.compile(
    r"(?P<count>[1-9][0-9]{0,6})/(?P<units>[1-9][0-9]{0,3})?(?P<unit>second|minute|hour|day)s?", re.ASCII
)
_UNITS = {
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
}
_REDIS_USER = r"(?:[^\s/?#@:]*:[^\s/?#@:]+@)?"
_REDIS_HOST = r"(?:[a-z0-9](?:[a-z0-9_.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?"
_REDIS_URL = re.compile(
    rf"rediss?://{_REDIS_USER}{_REDIS_HOST}(?:/[0-9]{{0,4}})?|unix://{_REDIS_USER}/[^\s?#]+(?:\?db=[0-9]{{1,4}})?",
    re.ASCII | re.IGNORECASE,
)
_DEFAULT_PORTS = {"https": ":443", "http": ":80"}
_APP = re.compile(r"android:apk-key-hash:[\w-]{43}", re.ASCII)
_LAST_PORT = 65_535
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\]", re.ASCII)
_ORIGIN = re.compile(r"https?://(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?", re.ASCII)


def checked_listener(text: str) -> str:
    """Unchanged, if one can listen there."""
    with suppress(ValueError):
        host, port = host_and_port(text)
        ip_address(host)
        if 0 < port <= _LAST_PORT:
            return text
    message = "must be an address of this machine and a port, such as 127.0.0.1:9464 or [::1]:9464"
    raise ValueError(message)


def host_and_port(text: str) -> tuple[str, int]:
    """The two parts of an address to listen on.

    Raises: ValueError.
    """
    host, _, port = text.rpartition(":")
    return host.removeprefix("[").removesuffix("]"), int(port)


def checked_database_url(url: SecretStr) -> SecretStr:
    """As the engine wants it."""
    return SecretStr(asyncpg_url(url.get_secret_value()))


def checked_replica_url(url: SecretStr) -> SecretStr:
    """As the engine wants it: one server, which takes no writes."""
    checked = checked_database_url(url)
    if "target_session_attrs=" in checked.get_secret_value():
        message = "must name one server, without target_session_attrs"
        raise ValueError(message)
    return checked


def checked_smtp_url(url: SecretStr) -> SecretStr:
    """Unchanged, if it can be used."""
    SmtpServer.parse(url.get_secret_value())
    return url


def checked_redis_url(url: SecretStr) -> SecretStr:
    """Unchanged, if it can be used."""
    text = url.get_secret_value()
    try:
        port = urlsplit(text).port if _REDIS_URL.fullmatch(text) else 0
    except ValueError:
        port = 0
    if port == 0:
        message = (
            "must be a URL such as redis://user:password@host:6379/0, rediss:// for TLS, or unix:///path/of/socket; "
            "percent-encode what is special in the password"
        )
        raise ValueError(message)
    return url


def checked_hosts(text: object) -> tuple[str, ...]:
    """Hosts with commas between, in lower case. Ports are no part of them."""
    given = text.split(",") if isinstance(text, str) else text if isinstance(text, tuple) else ()
    hosts = tuple(str(host).strip().lower() for host in given)
    if not all(_HOST.fullmatch(host) for host in hosts):
        message = "must be hosts such as accounts.internal or 10.0.0.7, with commas between, without ports; * is none"
        raise ValueError(message)
    return hosts


def checked_origins(text: object) -> tuple[str, ...]:
    """Origins with commas between (RFC 6454), in lower case."""
    given = text.split(",") if isinstance(text, str) else text if isinstance(text, tuple) else ()
    origins = tuple(str(origin).strip().rstrip("/").lower() for origin in given)
    if not all(_ORIGIN.fullmatch(origin) for origin in origins):
        message = "must be origins such as https://app.mycompany.com, with commas between; neither * nor null is one"
        raise ValueError(message)
    return origins


def checked_passkey_origins(text: object) -> tuple[str, ...]:
    """Origins with commas between, of pages or of apps. Those of apps keep their case."""
    given = text.split(",") if isinstance(text, str) else text if isinstance(text, tuple) else ()
    written = [str(origin).strip() for origin in given]
    origins = tuple(name if _APP.fullmatch(name) else name.rstrip("/").lower() for name in written)
    if not all(_APP.fullmatch(origin) or _is_secure_page(origin) for origin in origins):
        message = (
            "must be origins such as https://app.mycompany.com, with commas between (http on localhost alone), "
            "or of Android apps such as android:apk-key-hash:…"
        )
        raise ValueError(message)
    return tuple(origin if _APP.fullmatch(origin) else origin_of(origin) for origin in origins)


def origin_of(url: str) -> str:
    """Scheme, host and port as browsers write them: without the port that goes without saying (RFC 6454)."""
    scheme, _, rest = url.partition("://")
    host = rest.partition("/")[0]
    return f"{scheme}://{host.removesuffix(_DEFAULT_PORTS.get(scheme, ''))}"


def _is_secure_page(origin: str) -> bool:
    """Browsers have passkeys on pages of domains, by https, and on this machine."""
    host = urlsplit(origin).hostname or "" if _ORIGIN.fullmatch(origin) else ""
    return host == "localhost" or (origin.startswith("https://") and DOMAIN.fullmatch(host) is not None)


def checked_rp_id(domain: str) -> str:
    """In lower case."""
    if domain != "localhost" and not DOMAIN.fullmatch(domain):
        message = "must be a domain such as mycompany.com, without https:// and port; an address of a machine is none"
        raise ValueError(message)
    return domain.lower()


def parsed_limit(given: object) -> Limit:
    """So many in such a time: `30/minute`, `5/10minutes`."""
    if isinstance(given, Limit):
        return given
    parts = _LIMIT.fullmatch(str(given).replace(" ", ""))
    if parts is None:
        message = "must be so many in such a time, such as 30/minute, 5/10minutes or 100/day"
        raise ValueError(message)
    return Limit(int(parts["count"]), int(parts["units"] or 1) * _UNITS[parts["unit"]])


def written_limit(limit: Limit) -> str:
    """As `parsed_limit` reads it."""
    for unit, length in reversed(_UNITS.items()):
        number, rest = divmod(limit.per, length)
        if number and not rest:
            return f"{limit.count}/{number}{unit}s" if number > 1 else f"{limit.count}/{unit}"
    return f"{limit.count}/{limit.per}"


def checked_public_url(url: str) -> str:
    """Without a slash at its end."""
    if not _PUBLIC_URL.fullmatch(url):
        message = "must be a URL such as https://accounts.mycompany.com, without query, fragment or user"
        raise ValueError(message)
    return url.rstrip("/")
