"""What PostgreSQL refuses, in the words of the core.

Told apart by SQLSTATE and by the names of constraints, never by text. SQLAlchemy wraps nearly everything as plain
`DBAPIError`; a refused connection arrives as a bare `OSError`.
"""

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from application.ports.unit_of_work import DatabaseUnavailable, DuplicateKey, TransactionEnded
from domain.errors import DomainError
from domain.sessions.session import SessionNotFound
from domain.signing.signing_key import ActiveSigningKeyExists
from domain.users.user import EmailAlreadyRegistered, UserNotFound

# PostgreSQL manual, appendix A: connection lost, resources exhausted, shutting down, lock or statement timed out,
# chosen as deadlock victim, read-only after a failover.
_PASSING_CLASSES = ("08", "53", "57", "58", "40")
_PASSING_STATES = {"55P03", "25006"}
# A write after a refused one, and a unique violation that has no word of its own below.
_BUGS: Mapping[str, type[Exception]] = {"25P02": TransactionEnded, "23505": DuplicateKey}
_RETRY_AFTER = timedelta(seconds=2)

CONSTRAINTS: Mapping[str, type[DomainError]] = {
    "uq_users_email_canonical": EmailAlreadyRegistered,
    "uq_signing_keys_active": ActiveSigningKeyExists,
    "fk_sessions_user_id_users": UserNotFound,
    "fk_one_time_tokens_user_id_users": UserNotFound,
    "fk_email_changes_user_id_users": UserNotFound,
    "fk_messages_user_id_users": UserNotFound,
    "fk_idempotent_requests_user_id_users": UserNotFound,
    "fk_refresh_tokens_session_id_sessions": SessionNotFound,
}


def translated(error: Exception) -> Exception | None:
    """The core's word for what the database said, or None where that is a bug of ours."""
    if isinstance(error, PoolTimeout | OSError):
        return DatabaseUnavailable(retry_after=_RETRY_AFTER)
    if not isinstance(error, DBAPIError):
        return None
    refusal = CONSTRAINTS.get(getattr(_driver_error(error), "constraint_name", None) or "")
    if refusal is not None:
        return refusal()
    state = getattr(error.orig, "sqlstate", None) or ""
    if state in _BUGS:
        return _BUGS[state]()
    if (
        state.startswith(_PASSING_CLASSES)
        or state in _PASSING_STATES
        or error.connection_invalidated
        or isinstance(error, InterfaceError)
    ):
        return DatabaseUnavailable(retry_after=_RETRY_AFTER)
    return None


def _driver_error(error: DBAPIError) -> BaseException | None:
    return error.orig.__cause__ if error.orig is not None else None
