"""How a database is named in settings, and to the engine."""

import re

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

# For certificates there are libpq's variables: PGSSLROOTCERT, PGSSLCERT, PGSSLKEY.
_LAST_PORT = 65_535
_SSL_MODES = {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}
_TAKE_WRITES = {"primary", "read-write"}
_PARAMETERS = {"host", "port", "ssl", "sslmode", "target_session_attrs"}
# Hosts with commas between, as libpq has them and SQLAlchemy not, and what stands around them.
_SEVERAL_HOSTS = re.compile(r"(?P<before>[\w+]+://(?:[^/?#]*@)?)(?P<hosts>[^/?#@]*,[^/?#@]*)(?P<after>.*)", re.DOTALL)
_HOST = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[^:\[\]]+)(?::(?P<port>[0-9]+))?")
_DEFAULT_PORT = "5432"


def asyncpg_url(text: str) -> str:
    """The URL as the engine wants it: `postgresql://` and `postgres://` are fine, and so are libpq's several hosts.

    Of several, the one is used that takes writes.

    Raises: ValueError, whose message never repeats the URL.
    """
    try:
        url = _with_hosts(text)
        ports = [url.port or 1, *(int(port) for port in _listed(url.query.get("port", ())))]
    except (ArgumentError, ValueError):
        url, ports = None, []
    if url is None or not all(0 < port <= _LAST_PORT for port in ports):
        message = "is not a URL such as postgresql://user:password@host:5432/database"
        raise ValueError(message)
    if url.drivername not in {"postgresql", "postgres", "postgresql+asyncpg"}:
        message = "must begin with postgresql://"
        raise ValueError(message)
    if not url.database:
        message = "names no database: end it with /database"
        raise ValueError(message)
    if set(url.query) - _PARAMETERS:
        message = f"has parameters that are not supported; these are: {', '.join(sorted(_PARAMETERS))}"
        raise ValueError(message)
    if not set(_as_tuple(url.query.get("sslmode", ()))) <= _SSL_MODES:
        message = f"has an sslmode that does not exist; these do: {', '.join(sorted(_SSL_MODES))}"
        raise ValueError(message)
    if not set(_as_tuple(url.query.get("target_session_attrs", ()))) <= _TAKE_WRITES:
        message = f"has a target_session_attrs that may lead to copies; these do not: {', '.join(sorted(_TAKE_WRITES))}"
        raise ValueError(message)
    query = {("ssl" if name == "sslmode" else name): value for name, value in url.query.items()}
    return url.set(drivername="postgresql+asyncpg", query=query).render_as_string(hide_password=False)


def places_of(url: str) -> str:
    """Hosts and ports of a URL of `asyncpg_url`, for people."""
    parsed = make_url(url)
    hosts = _listed(parsed.query.get("host", ())) or [parsed.host or "localhost"]
    ports = _listed(parsed.query.get("port", ())) or [str(parsed.port or _DEFAULT_PORT)] * len(hosts)
    return ", ".join(f"{f'[{host}]' if ':' in host else host}:{port}" for host, port in zip(hosts, ports, strict=True))


def _with_hosts(text: str) -> URL:
    """The URL, with several hosts as SQLAlchemy takes them.

    Raises: ArgumentError; ValueError.
    """
    several = _SEVERAL_HOSTS.fullmatch(text)
    if several is None:
        url = make_url(text)
        hosts, ports = _listed(url.query.get("host", ())), _listed(url.query.get("port", ()))
        if len(hosts) <= 1:
            return url
        # As libpq has it: one port is everybody's.
        ports = (ports or [_DEFAULT_PORT]) * (len(hosts) if len(ports) <= 1 else 1)
    else:
        url = make_url(several["before"] + several["after"])
        found = [_HOST.fullmatch(host) for host in several["hosts"].split(",")]
        hosts = [host["host"].strip("[]") if host else "" for host in found]
        ports = [(host["port"] or _DEFAULT_PORT) if host else "" for host in found]
    if not all(hosts) or len(hosts) != len(ports):
        raise ValueError
    query = {"target_session_attrs": "read-write"} | dict(url.query)
    return url.set(query=query | {"host": ",".join(hosts), "port": ",".join(ports)})


def _listed(value: str | tuple[str, ...]) -> list[str]:
    return [one for some in _as_tuple(value) for one in some.split(",")]


def _as_tuple(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value
