"""Telling users what is held about them."""

from collections.abc import Sequence
from dataclasses import dataclass

from application.mfa.user_factors import factors_of
from application.ports.unit_of_work import UnitOfWork
from domain.audit.audit_entry import AuditEntry
from domain.ids import UserId
from domain.messages.message import Message, MessageKind
from domain.mfa.factor import Factor
from domain.sessions.session import Session
from domain.sessions.sign_in_attempt import SignInAttempt
from domain.users.email_change import EmailChange
from domain.users.user import User


@dataclass(frozen=True, slots=True, kw_only=True)
class UserExport:
    """Everything that is held about a user. Newest first, where there are several.

    Of mails to an address that was only wished for, `email_changes` has all that is theirs.
    """

    user: User
    sessions: Sequence[Session]
    factors: Sequence[Factor]
    recovery_codes_left: int
    email_changes: Sequence[EmailChange]
    messages: Sequence[Message]
    sign_in_attempts: Sequence[SignInAttempt]
    history: Sequence[AuditEntry]


class ExportUser:
    """Collect all that is held about a user (PR-01, PR-02), but for what opens something."""

    def __init__(self, unit_of_work: UnitOfWork) -> None:
        self._unit_of_work = unit_of_work

    async def execute(self, *, user_id: UserId) -> UserExport:
        """All of it.

        Raises: UserNotFound.
        """
        async with self._unit_of_work.read() as tx:
            return UserExport(
                user=await tx.users.get(user_id),
                sessions=await tx.sessions.all_of(user_id),
                factors=await factors_of(tx, user_id),
                recovery_codes_left=await tx.recovery_codes.count(user_id),
                email_changes=await tx.email_changes.of_user(user_id),
                # Whether a mail went to an address that was asked for tells whether somebody else has it (LG-03).
                messages=[
                    message
                    for message in await tx.messages.of_user(user_id)
                    if message.kind is not MessageKind.CONFIRM_EMAIL_CHANGE
                ],
                sign_in_attempts=await tx.sign_in_attempts.of_user(user_id),
                history=await tx.audit.of_user(user_id),
            )
