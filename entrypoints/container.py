"""Which adapter stands behind which port, and every use case. The only module that knows punq."""

from typing import Any

import punq

from adapters.jobs.job_queue import PgQueuerJobQueue
from adapters.memory.rate_limiter import MemoryRateLimiter
from application.admin.change_user import ChangeUser
from application.admin.clear_throttles import ClearThrottles
from application.admin.end_user_session import EndUserSession
from application.admin.end_user_sessions import EndUserSessions
from application.admin.erase_any_user import EraseAnyUser
from application.admin.explain_sign_in import ExplainSignIn
from application.admin.list_users import ListUsers
from application.admin.reinstate_user import ReinstateUser
from application.admin.request_user_password_reset import RequestUserPasswordReset
from application.admin.suspend_user import SuspendUser
from application.audit.export_audit_log import ExportAuditLog
from application.audit.list_audit_entries import ListAuditEntries
from application.audit.list_checkpoints import ListCheckpoints
from application.audit.make_checkpoint import MakeCheckpoint
from application.audit.verify_audit_log import VerifyAuditLog
from application.config.show_config import Locales, ShowConfig
from application.idempotency.claim_request import ClaimRequest
from application.idempotency.finish_request import FinishRequest
from application.jobs.handle_job import HandleJob
from application.messages.deliver_message import DeliverMessage
from application.messages.list_messages import ListMessages
from application.messages.prepare_messages import PrepareMessages
from application.messages.retry_message import RetryMessage
from application.mfa.activate_totp import ActivateTotp
from application.mfa.answer_challenge import AnswerChallenge
from application.mfa.ask_for_factor import AskForFactor
from application.mfa.ask_for_passkey import AskForPasskey
from application.mfa.check_factor import CheckFactor
from application.mfa.check_passkey import CheckPasskey
from application.mfa.enrol_totp import EnrolTotp
from application.mfa.list_factors import ListFactors
from application.mfa.make_recovery_codes import MakeRecoveryCodes
from application.mfa.offer_passkey import OfferPasskey
from application.mfa.passkey_ceremonies import PasskeyCeremonies
from application.mfa.recovery_code_sets import RecoveryCodeSets
from application.mfa.register_passkey import RegisterPasskey
from application.mfa.remove_factor import RemoveFactor
from application.mfa.rename_passkey import RenamePasskey
from application.mfa.required_enrolment import RequiredEnrolment
from application.mfa.reset_factor import ResetFactor
from application.mfa.totp_secrets import TotpSecrets
from application.paging.cursors import Cursors
from application.ports.clock import Clock
from application.ports.delayed_reads import DelayedReads
from application.ports.device_namer import DeviceNamer
from application.ports.email_parser import EmailParser
from application.ports.jobs import JobQueue
from application.ports.keyed_hash import KeyedHash
from application.ports.mailbox import Mailbox
from application.ports.mailer import Mailer
from application.ports.passkeys import Passkeys
from application.ports.password_hasher import PasswordHasher
from application.ports.password_transfer import PasswordTransfer
from application.ports.randomness import Randomness
from application.ports.rate_limiter import LocalRateLimiter, RateLimiter
from application.ports.readiness import Readiness
from application.ports.secret_sealer import SecretSealer
from application.ports.token_sealer import TokenSealer
from application.ports.token_signer import TokenSigner
from application.ports.unit_of_work import UnitOfWork
from application.recovery.request_email_verification import RequestEmailVerification
from application.recovery.request_password_reset import RequestPasswordReset
from application.recovery.reset_password import ResetPassword
from application.recovery.verify_email import VerifyEmail
from application.sessions.access_tokens import AccessTokens
from application.sessions.authenticate import Authenticate
from application.sessions.check_password import CheckPassword
from application.sessions.end_other_sessions import EndOtherSessions
from application.sessions.end_session import EndSession
from application.sessions.expect_admin import ExpectAdmin
from application.sessions.expect_fresh_proof import ExpectFreshProof
from application.sessions.introspect import Introspect
from application.sessions.known_devices import KnownDevices
from application.sessions.list_sessions import ListSessions
from application.sessions.note_seen import NoteSeen
from application.sessions.note_use import NoteUse
from application.sessions.open_session import OpenSession
from application.sessions.reauthenticate import Reauthenticate
from application.sessions.refresh_session import RefreshSession
from application.sessions.refused_sign_ins import RefusedSignIns
from application.sessions.sign_in import SignIn
from application.sessions.sign_in_with_passkey import SignInWithPasskey
from application.sessions.sign_out import SignOut
from application.signing.key_ring import KeyRing
from application.signing.list_signing_keys import ListSigningKeys
from application.signing.revoke_signing_key import RevokeSigningKey
from application.signing.rotate_signing_key import RotateSigningKey
from application.throttling.guess_budget import GuessBudget
from application.throttling.throttle_all import ThrottleAll
from application.throttling.throttle_network import ThrottleNetwork
from application.transfer.export_users import ExportUsers
from application.transfer.import_users import ImportUsers
from application.transfer.list_import_rows import ListImportRows
from application.transfer.list_imports import ListImports
from application.transfer.run_import import RunImport
from application.transfer.show_import import ShowImport
from application.transfer.start_import import DraftImport, StartImport
from application.transfer.upload_import import UploadImport
from application.transfer.user_reader import UserReader
from application.upkeep.begin_anew import BeginAnew
from application.upkeep.carry_out_factor_resets import CarryOutFactorResets
from application.upkeep.erase_due_users import EraseDueUsers
from application.upkeep.forget_erased_user import ForgetErasedUser
from application.upkeep.give_up_imports import GiveUpImports
from application.upkeep.lift_suspensions import LiftSuspensions
from application.upkeep.purge_expired import PurgeExpired
from application.upkeep.requeue_stranded_messages import RequeueStrandedMessages
from application.upkeep.seal_audit_entries import SealAuditEntries
from application.users.cancel_deletion import CancelDeletion
from application.users.change_password import ChangePassword
from application.users.confirm_email_change import ConfirmEmailChange
from application.users.create_user import CreateUser
from application.users.draft_user import DraftUser
from application.users.export_user import ExportUser
from application.users.get_user import GetUser
from application.users.list_security_events import ListSecurityEvents
from application.users.register_user import RegisterUser
from application.users.request_email_change import RequestEmailChange
from application.users.revert_email_change import RevertEmailChange
from application.users.schedule_deletion import ScheduleDeletion
from application.users.update_profile import UpdateProfile
from entrypoints.adapters import Adapters
from entrypoints.policies import policies_of
from entrypoints.settings import Settings

USE_CASES: tuple[type, ...] = (
    AccessTokens,
    ClaimRequest,
    FinishRequest,
    ThrottleNetwork,
    ThrottleAll,
    GuessBudget,
    KnownDevices,
    RefusedSignIns,
    DraftUser,
    CreateUser,
    RegisterUser,
    GetUser,
    UpdateProfile,
    ListUsers,
    ChangeUser,
    EraseAnyUser,
    SuspendUser,
    ReinstateUser,
    LiftSuspensions,
    EndUserSession,
    EndUserSessions,
    RequestUserPasswordReset,
    ClearThrottles,
    ExplainSignIn,
    TotpSecrets,
    RecoveryCodeSets,
    PasskeyCeremonies,
    CheckPasskey,
    CheckFactor,
    AskForFactor,
    AnswerChallenge,
    ListFactors,
    EnrolTotp,
    ActivateTotp,
    AskForPasskey,
    OfferPasskey,
    RegisterPasskey,
    RenamePasskey,
    RemoveFactor,
    MakeRecoveryCodes,
    ResetFactor,
    RequiredEnrolment,
    OpenSession,
    SignIn,
    SignInWithPasskey,
    RefreshSession,
    Authenticate,
    SignOut,
    ListSessions,
    EndSession,
    EndOtherSessions,
    ExpectAdmin,
    ExpectFreshProof,
    CheckPassword,
    Introspect,
    NoteSeen,
    NoteUse,
    Reauthenticate,
    ChangePassword,
    RequestEmailVerification,
    VerifyEmail,
    RequestPasswordReset,
    ResetPassword,
    RequestEmailChange,
    ConfirmEmailChange,
    RevertEmailChange,
    ScheduleDeletion,
    CancelDeletion,
    ListSecurityEvents,
    Cursors,
    ExportUser,
    UserReader,
    DraftImport,
    StartImport,
    ImportUsers,
    RunImport,
    UploadImport,
    GiveUpImports,
    ShowImport,
    ListImports,
    ListImportRows,
    ExportUsers,
    CarryOutFactorResets,
    EraseDueUsers,
    ForgetErasedUser,
    RequeueStrandedMessages,
    BeginAnew,
    PurgeExpired,
    PrepareMessages,
    DeliverMessage,
    ListMessages,
    RetryMessage,
    HandleJob,
    ShowConfig,
    ListSigningKeys,
    RotateSigningKey,
    RevokeSigningKey,
    KeyRing,
    SealAuditEntries,
    MakeCheckpoint,
    ListCheckpoints,
    ListAuditEntries,
    VerifyAuditLog,
    ExportAuditLog,
)
"""Everything that is built from ports, and shared by all who ask for it."""

SERVED_PORTS: tuple[type, ...] = (Readiness, Mailbox, PasswordHasher, JobQueue)
"""Ports that endpoints and commands ask themselves, for nothing is decided there.

Routes ask the hasher for a place in its queue.
"""


class Container:
    """Hands out use cases, all built when it was."""

    def __init__(self, registry: punq.Container) -> None:
        self._instances: dict[type, Any] = {each: registry.resolve(each) for each in (*USE_CASES, *SERVED_PORTS)}

    def resolve[T](self, service: type[T], /) -> T:
        """The instance of a use case.

        Raises: LookupError for a class that is none.
        """
        if service not in self._instances:
            message = f"{service.__name__} is not among the use cases of the container"
            raise LookupError(message)
        instance: T = self._instances[service]
        return instance


def build_container(settings: Settings, adapters: Adapters) -> Container:
    """Every use case of USE_CASES on these adapters. A port without an adapter stops the start and not a request."""
    registry = punq.Container()
    for port, adapter in (
        (UnitOfWork, adapters.unit_of_work),
        (DelayedReads, adapters.delayed_reads or adapters.unit_of_work),
        (PasswordHasher, adapters.passwords),
        (PasswordTransfer, adapters.password_transfer),
        (TokenSigner, adapters.signer),
        (TokenSealer, adapters.token_sealer),
        (DeviceNamer, adapters.devices),
        (EmailParser, adapters.emails),
        (Clock, adapters.clock),
        (Randomness, adapters.randomness),
        (SecretSealer, adapters.secret_sealer),
        (KeyedHash, adapters.keyed_hash),
        (Passkeys, adapters.passkeys),
        (Mailer, adapters.mailer),
        (Mailbox, adapters.mailbox),
        (JobQueue, PgQueuerJobQueue(adapters.open_queue)),
        (Readiness, adapters.readiness),
        (RateLimiter, adapters.rate_limiter),
        (LocalRateLimiter, MemoryRateLimiter()),
        (Locales, adapters.locales),
        *policies_of(settings),
    ):
        registry.register(port, instance=adapter)
    for use_case in USE_CASES:
        registry.register(use_case, scope=punq.Scope.singleton)
    return Container(registry)
