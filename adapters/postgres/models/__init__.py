"""The schema: the models describe it, feed Alembic, and name the columns in queries. None is ever instantiated.

The tables of the job queue are PgQueuer's: see `adapters/postgres/jobs.py`.
"""

from adapters.postgres.models.audit import AuditCheckpointModel, AuditEntryModel, AuditProofModel
from adapters.postgres.models.base import Base
from adapters.postgres.models.idempotency import IdempotentRequestModel
from adapters.postgres.models.messages import MailboxModel, MessageModel
from adapters.postgres.models.mfa import (
    FactorResetModel,
    PasskeyCeremonyModel,
    PasskeyModel,
    RecoveryCodeModel,
    SignInChallengeModel,
    TotpFactorModel,
)
from adapters.postgres.models.recovery import EmailChangeModel, OneTimeTokenModel
from adapters.postgres.models.sessions import RefreshTokenModel, SessionModel
from adapters.postgres.models.sign_in_attempts import SignInAttemptModel
from adapters.postgres.models.signing import SigningKeyModel
from adapters.postgres.models.throttles import ThrottleModel
from adapters.postgres.models.transfer import ImportClaimModel, ImportModel, ImportPartModel, ImportRowModel
from adapters.postgres.models.users import UserModel

__all__ = [
    "AuditCheckpointModel",
    "AuditEntryModel",
    "AuditProofModel",
    "Base",
    "EmailChangeModel",
    "FactorResetModel",
    "IdempotentRequestModel",
    "ImportClaimModel",
    "ImportModel",
    "ImportPartModel",
    "ImportRowModel",
    "MailboxModel",
    "MessageModel",
    "OneTimeTokenModel",
    "PasskeyCeremonyModel",
    "PasskeyModel",
    "RecoveryCodeModel",
    "RefreshTokenModel",
    "SessionModel",
    "SignInAttemptModel",
    "SignInChallengeModel",
    "SigningKeyModel",
    "ThrottleModel",
    "TotpFactorModel",
    "UserModel",
]
