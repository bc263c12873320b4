"""What PostgreSQL refuses, in the words of the core.

Told apart by SQLSTATE (PostgreSQL manual, appendix A) and by the names of constraints, never by text. SQLAlchemy wraps
nearly everything as plain `DBAPIError`; a refused connection arrives as a bare `OSError`, and what goes wrong where
another library works on the driver's connection as the driver's own error.
"""

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from adapters.postgres.driver import ENCODING_ERROR, INTERFACE_ERROR, OUT_OF_STEP, OUTDATED_PLAN, SERVER_ERROR
from adapters.postgres.models import Base
from application.ports.unit_of_work import DatabaseUnavailable, DuplicateKey, TransactionConflict, TransactionEnded
from domain.errors import DomainError, InvalidFields, Violation
from domain.mfa.passkey import PasskeyAlreadyRegistered
from domain.sessions.session import SessionNotFound
from domain.signing.signing_key import ActiveSigningKeyExists
from domain.transfer.user_import import AlreadyImported
from domain.users.registration import EmailAlreadyRegistered
from domain.users.user import UserNotFound

# Connection lost, resources exhausted, shutting down or cancelled, system errors, rolled back for other reasons.
_PASSING_CLASSES = ("08", "53", "57", "58", "40")
# Of those, what says that there is no server that could work for us. Whoever is cancelled has met one.
_AWAY_CLASSES = ("08", "53", "57", "58")
_CANCELLED = "57014"
# Lock or transaction timed out; read-only after a failover.
READ_ONLY = "25006"
_PASSING_STATES = {"55P03", "25P03", "25P04", READ_ONLY}
NOT_PERMITTED = "42501"
# We are refused: who we are, the database's name, our rights. Callers can only wait until operators have mended it.
_MISCONFIGURED = ("28", "3D000", NOT_PERMITTED)
# Chosen as the victim of a deadlock, or not serialisable: nothing was wrong with it but the moment.
_CONFLICTS = {"40001", "40P01"}
# Values that cannot be stored: text that is no text, numbers and times out of range, malformed ids, too long for an
# index. All of it is refused long before; here it is a bug of ours, but not one that sending it again would get past.
_UNSTORABLE = {
    *("22000", "22001", "22003", "22008", "22021", "22P02", "22P03", "22P05", "2201W", "2201X"),
    *("54000",),
}
# A write after a refused one, and a unique violation that has no word of its own below.
_BUGS: Mapping[str, type[Exception]] = {"25P02": TransactionEnded, "23505": DuplicateKey}
# The driver's errors in the words of SQLAlchemy's dialect, where a connection could not be made.
_WRAPPED: type[Exception] = AsyncAdapt_asyncpg_dbapi.Error
DRIVER_ERRORS = (_WRAPPED, SERVER_ERROR, INTERFACE_ERROR, OUT_OF_STEP)
_RETRY_AFTER = timedelta(seconds=2)
_RETRY_CONFLICT_AFTER = timedelta(seconds=1)

# What a row cannot refer to because it is not there, by the table that it would be in.
_MISSING = {"users": UserNotFound, "sessions": SessionNotFound}
CONSTRAINTS: Mapping[str, type[DomainError]] = {
    "uq_users_email_canonical": EmailAlreadyRegistered,
    "uq_users_source_id": AlreadyImported,
    "uq_signing_keys_active": ActiveSigningKeyExists,
    "uq_passkeys_credential_id": PasskeyAlreadyRegistered,
    **{
        str(reference.name): _MISSING[reference.referred_table.name]
        for table in Base.metadata.tables.values()
        for reference in table.foreign_key_constraints
        if reference.referred_table.name in _MISSING
    },
}


def translated(error: Exception) -> Exception | None:
    """The core's word for what the database said, or None where that is a bug of ours."""
    driver_error = driver_error_in(error)
    state = sqlstate_of(error) or ""
    known = CONSTRAINTS.get(getattr(driver_error, "constraint_name", None) or "") or _BUGS.get(state)
    if known is not None:
        return known()
    if state in _CONFLICTS or isinstance(driver_error, OUTDATED_PLAN):
        return TransactionConflict(retry_after=_RETRY_CONFLICT_AFTER)
    if _is_unstorable(driver_error, state):
        return InvalidFields([Violation("", "unstorable_value", "A value cannot be stored.")])
    if (
        isinstance(error, PoolTimeout | OSError)
        or isinstance(driver_error, (INTERFACE_ERROR, OUT_OF_STEP))
        or state.startswith((*_PASSING_CLASSES, *_MISCONFIGURED))
        or state in _PASSING_STATES
        or _is_lost(error)
    ):
        return DatabaseUnavailable(retry_after=_RETRY_AFTER)
    return None


def stays(error: Exception) -> bool:
    """Whether a failure that we have a word for will not pass by itself: somebody has to mend it."""
    driver_error = driver_error_in(error)
    state = sqlstate_of(error) or ""
    return (
        state.startswith(_MISCONFIGURED)
        or _is_unstorable(driver_error, state)
        # Other than that the connection is closed, the driver complains of how it is used.
        or (isinstance(driver_error, INTERFACE_ERROR) and isinstance(error, DBAPIError) and not _is_lost(error))
    )


def is_away(error: Exception) -> bool:
    """Whether the server is not there, not yet or no more: whoever can wait for it may."""
    state = sqlstate_of(error) or ""
    return (
        isinstance(error, ConnectionError | TimeoutError)
        or _is_lost(error)
        or (state.startswith(_AWAY_CLASSES) and state != _CANCELLED)
    )


def sqlstate_of(error: Exception) -> str | None:
    """The SQLSTATE, where there is one."""
    return getattr(driver_error_in(error), "sqlstate", None)


def driver_error_in(error: BaseException) -> BaseException | None:
    """What the driver itself raised, if it did."""
    if isinstance(error, DBAPIError):
        return error.orig.__cause__ if error.orig is not None else None
    if isinstance(error, _WRAPPED):
        return error.__cause__
    return error if isinstance(error, (SERVER_ERROR, INTERFACE_ERROR, OUT_OF_STEP)) else None


def _is_unstorable(driver_error: BaseException | None, state: str) -> bool:
    return state in _UNSTORABLE or isinstance(driver_error, ENCODING_ERROR)


def _is_lost(error: Exception) -> bool:
    return isinstance(error, DBAPIError) and error.connection_invalidated
