"""Why a database cannot be worked with, for people who start or run the service."""

import ssl

from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError

from adapters.postgres.errors import is_away, sqlstate_of
from adapters.postgres.servers import NoPrimaryError
from adapters.postgres.urls import places_of

# SQLSTATE (PostgreSQL manual, appendix A).
_WRONG_PASSWORD = {"28P01", "28000"}
_NO_SUCH_DATABASE = "3D000"


class DatabaseProblem(Exception):
    """The database cannot be used. The message is one sentence for people, and what to do; no password is in it."""


class DatabaseAway(DatabaseProblem):
    """The database does not answer, not yet or not any more. That may pass without anybody's doing."""


def problem_of(error: OSError | DBAPIError, url: str) -> DatabaseProblem:
    """What stood in the way of connecting to this URL, and what to do about it."""
    address, place = make_url(url), places_of(url)
    state = sqlstate_of(error)
    # The driver has no class of its own for a server without TLS; every other ConnectionError has one.
    if "ssl" in address.query and (type(error) is ConnectionError or isinstance(error, ssl.SSLError)):
        return DatabaseProblem(
            f"PostgreSQL at {place} does not take the encrypted connection that sslmode asks for: {error}."
        )
    if isinstance(error, NoPrimaryError):
        return DatabaseAway(
            f"None of the PostgreSQL servers at {place} takes writes. Promote one, or name the one that does."
        )
    if state is None:
        return DatabaseAway(unanswered(url))
    if state in _WRONG_PASSWORD:
        return DatabaseProblem(
            f"PostgreSQL at {place} refuses the user {address.username!r}. Correct user and password in DATABASE_URL."
        )
    if state == _NO_SUCH_DATABASE:
        return DatabaseProblem(
            f"PostgreSQL at {place} has no database {address.database!r}. "
            f"Create it (createdb {address.database}), or correct the name in DATABASE_URL."
        )
    said = f"PostgreSQL at {place} refuses with {state}: {str(getattr(error, 'orig', error)).rpartition(': ')[2]}"
    return DatabaseAway(said) if is_away(error) else DatabaseProblem(said)


def unanswered(url: str) -> str:
    """What to do where nobody answers."""
    return f"No PostgreSQL answers at {places_of(url)}. Start it, or correct host and port in DATABASE_URL."
