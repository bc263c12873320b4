"""The schema: the models describe it, feed Alembic, and name the columns in queries. None is ever instantiated."""

from adapters.postgres.models.audit import AuditEntryModel
from adapters.postgres.models.base import Base
from adapters.postgres.models.sessions import RefreshTokenModel, SessionModel
from adapters.postgres.models.signing import SigningKeyModel
from adapters.postgres.models.users import UserModel

__all__ = ["AuditEntryModel", "Base", "RefreshTokenModel", "SessionModel", "SigningKeyModel", "UserModel"]
