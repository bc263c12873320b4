"""Transactions."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from application.ports.audit import AuditChain, AuditLog
from application.ports.email_changes import EmailChangeRepository
from application.ports.factor_resets import FactorResetRepository
from application.ports.idempotent_requests import IdempotentRequestRepository
from application.ports.messages import MessageRepository
from application.ports.one_time_tokens import OneTimeTokenRepository
from application.ports.passkey_ceremonies import PasskeyCeremonyRepository
from application.ports.recovery_codes import RecoveryCodeRepository
from application.ports.refresh_tokens import RefreshTokenRepository
from application.ports.sessions import SessionRepository
from application.ports.sign_in_attempts import SignInAttemptRepository
from application.ports.sign_in_challenges import SignInChallengeRepository
from application.ports.signing_keys import SigningKeyRepository
from application.ports.totp_factors import TotpFactorRepository
from application.ports.user_imports import BulkUserRepository, UserImportRepository
from application.ports.user_passkeys import PasskeyRepository
from application.ports.users import UserRepository
from domain.errors import Unavailable


class DatabaseUnavailable(Unavailable):
    """The database does not answer, or not in time."""

    code = "database_unavailable"
    title = "The service cannot reach its data; try again in a moment"


class TransactionConflict(Unavailable):
    """Transactions got into each other's way, and this one was rolled back. Doing it all over again may well succeed.

    Whoever opened the block starts anew, from its first read: what was read before may be different now.
    """

    code = "transaction_conflict"
    title = "Others were changing the same at this moment; try again"


class TransactionEnded(RuntimeError):
    """A bug: a refused write ends its transaction, and it was used or left as if nothing had happened.

    PostgreSQL would roll the block back without a word; this makes it loud.
    """


class DuplicateKey(RuntimeError):
    """A bug: something was added under an id, a digest or a generation that is taken."""


class ReadOnlyBlock(RuntimeError):
    """A bug: a block of reads was used to write or to lock."""


class Transaction(Protocol):
    """All repositories, in one block.

    A read sees what is committed by then and what the block itself has written. A write keeps others from writing the
    same until the block ends; they wait, for a second or two at most.
    """

    @property
    def users(self) -> UserRepository: ...

    @property
    def sessions(self) -> SessionRepository: ...

    @property
    def refresh_tokens(self) -> RefreshTokenRepository: ...
    @property
    def sign_in_attempts(self) -> SignInAttemptRepository: ...

    @property
    def totp_factors(self) -> TotpFactorRepository: ...
    @property
    def passkeys(self) -> PasskeyRepository: ...
    @property
    def passkey_ceremonies(self) -> PasskeyCeremonyRepository: ...
    @property
    def recovery_codes(self) -> RecoveryCodeRepository: ...
    @property
    def factor_resets(self) -> FactorResetRepository: ...
    @property
    def sign_in_challenges(self) -> SignInChallengeRepository: ...

    @property
    def one_time_tokens(self) -> OneTimeTokenRepository: ...
    @property
    def email_changes(self) -> EmailChangeRepository: ...
    @property
    def messages(self) -> MessageRepository: ...
    @property
    def idempotent_requests(self) -> IdempotentRequestRepository: ...
    @property
    def signing_keys(self) -> SigningKeyRepository: ...

    @property
    def bulk_users(self) -> BulkUserRepository: ...
    @property
    def user_imports(self) -> UserImportRepository: ...

    @property
    def audit(self) -> AuditLog: ...
    @property
    def audit_chain(self) -> AuditChain: ...


class UnitOfWork(Protocol):
    """Opens transactions. Use cases do it; nobody else does."""

    def begin(self) -> AbstractAsyncContextManager[Transaction]:
        """A block that writes: commits on a clean exit, rolls back on an exception. Hold no slow work inside.

        A write that is refused ends the transaction: let the refusal leave the block.

        Raises: DatabaseUnavailable, after which a commit may or may not have happened; TransactionConflict, after which
        nothing has; TransactionEnded when a refusal was swallowed inside the block.
        """
        ...

    def write(self) -> AbstractAsyncContextManager[Transaction]:
        """A block for one write that is one statement and counts as soon as it is made. Cheaper than `begin`.

        A read may come before it; a second write raises TransactionEnded.

        Raises: as `begin`.
        """
        ...

    def read(self) -> AbstractAsyncContextManager[Transaction]:
        """A block for reading by single statements, each consistent in itself. Cheaper than `begin`.

        Raises: DatabaseUnavailable; ReadOnlyBlock.
        """
        ...
