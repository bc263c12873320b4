"""From events to messages."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from application.messages.drafts import EVENTS_WITH_CODE, Draft, Fact, drafts_of
from application.messages.links import LinkPolicy
from application.ports.clock import Clock
from application.ports.password_hasher import PasswordHasher
from application.ports.randomness import Randomness
from application.ports.secret_sealer import SecretSealer
from application.ports.unit_of_work import Transaction, UnitOfWork
from domain.audit.audit_entry import AuditEntry
from domain.errors import NotFound
from domain.ids import NOBODY, AuditEntryId, EmailChangeId, MessageId, OneTimeTokenId, SessionId, UserId
from domain.messages.message import Message, MessagePolicy
from domain.mfa.passkey import PasskeyCopySuspected
from domain.opaque_token import SECRET_BYTES
from domain.recovery.one_time_token import (
    CODE_DIGITS,
    OneTimeCode,
    OneTimeToken,
    OneTimeTokenPolicy,
    OneTimeTokenSecret,
    Purpose,
)
from domain.users.password import Password, PasswordHash
from domain.users.user import User

SEALED_FOR = "content of a message"
_BYTES_OF_A_CODE = 16  # so many that each code is as likely as every other


@dataclass(frozen=True, slots=True, kw_only=True)
class _Code:
    digits: str = field(repr=False)
    hashed: PasswordHash


class PrepareMessages:
    """Queue the messages that follow from an event, with tokens of their own. Once, however often it is asked."""

    def __init__(
        self,
        unit_of_work: UnitOfWork,
        passwords: PasswordHasher,
        sealer: SecretSealer,
        clock: Clock,
        randomness: Randomness,
        links: LinkPolicy,
        tokens: OneTimeTokenPolicy,
        messages: MessagePolicy,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._passwords = passwords
        self._sealer = sealer
        self._clock = clock
        self._randomness = randomness
        self._links = links
        self._tokens = tokens
        self._messages = messages

    async def execute(self, *, event_id: AuditEntryId) -> None:
        """Queue what is due. Nothing is for users who are suspended or gone.

        Raises: HashingBusy.
        """
        async with self._unit_of_work.read() as tx:
            entry = await tx.audit.find(event_id)
        if entry is None:
            return
        # Before the transaction, for it takes tens of milliseconds.
        code = await self._new_code(entry.user_id or NOBODY) if entry.event in EVENTS_WITH_CODE else None
        if entry.user_id is None:
            return
        now = self._clock.now()
        try:
            async with self._unit_of_work.begin() as tx:
                # Locked, so that tokens of one user are made one after the other, and of one state of the user.
                user = await tx.users.lock(entry.user_id)
                if user.may_come_in(at=now):
                    for draft in drafts_of(await _fact(tx, entry, user)):
                        await self._queue(tx, draft, entry, user, code, now)
        except NotFound:
            # User or session are gone since: there is nobody to tell.
            return

    async def _queue(
        self, tx: Transaction, draft: Draft, entry: AuditEntry, user: User, code: _Code | None, now: datetime
    ) -> None:
        if await self._has_had_enough(tx, draft, user, now):
            return
        message_id = MessageId(self._randomness.uuid(at=now))
        token, content = self._minted(draft, entry, user, code if draft.with_code else None, now)
        if token is not None and token.expires_at <= now:
            # Asked for so long ago that the answer would be good for nothing.
            return
        message = Message.queued(
            id=message_id,
            event_id=entry.id,
            kind=draft.kind,
            user_id=user.id,
            recipient=draft.recipient,
            locale=user.locale,
            sealed_content=self._sealer.seal(json.dumps(content), purpose=SEALED_FOR, owner=str(message_id)),
            good_until=token.expires_at if token is not None else None,
            at=now,
        )
        if await tx.messages.add(message) and token is not None:
            await tx.one_time_tokens.add(token)

    def _minted(
        self, draft: Draft, entry: AuditEntry, user: User, code: _Code | None, now: datetime
    ) -> tuple[OneTimeToken | None, Mapping[str, str]]:
        """The token for the draft, if it needs one, and what is to be said."""
        purpose = draft.purpose
        if purpose is None:
            return None, draft.content
        secret = OneTimeTokenSecret.from_random(self._randomness.secret(SECRET_BYTES), purpose=purpose)
        lifetime = self._tokens.lifetime(purpose)
        content = {**draft.content, "link": self._links.link(purpose, secret), **_told(purpose, lifetime)}
        if code is not None:
            content |= {"code": code.digits, "code_minutes": str(self._tokens.code // timedelta(minutes=1))}
        token = OneTimeToken(
            id=OneTimeTokenId(self._randomness.uuid(at=now)),
            user_id=user.id,
            purpose=purpose,
            digest=secret.digest(),
            security_epoch=user.security_epoch,
            issued_at=now,
            expires_at=entry.occurred_at + lifetime,
            code=self._one_time_code(code, now) if code is not None else None,
            address=draft.recipient.canonical,
            email_change_id=draft.change_id,
        )
        return token, content

    async def _new_code(self, owner: UserId) -> _Code:
        number = int.from_bytes(self._randomness.secret(_BYTES_OF_A_CODE)) % 10**CODE_DIGITS
        digits = f"{number:0{CODE_DIGITS}}"
        # Eight digits are guessed from a plain hash at once: they are kept like a password.
        return _Code(digits=digits, hashed=await self._passwords.hash(Password(digits), owner=owner))

    def _one_time_code(self, code: _Code, now: datetime) -> OneTimeCode:
        return OneTimeCode(
            hashed=code.hashed, expires_at=now + self._tokens.code, attempts_left=self._tokens.code_attempts
        )

    async def _has_had_enough(self, tx: Transaction, draft: Draft, user: User, now: datetime) -> bool:
        an_hour_ago = now - timedelta(hours=1)
        sent = await tx.messages.count(draft.recipient, draft.kind, created_after=an_hour_ago)
        if sent < self._messages.per_hour:
            return False
        # Somebody who asks for a stranger's password all the time must not keep the owner from getting back in; nor may
        # somebody who makes each link void and asks for the next fill a stranger's mailbox.
        if draft.purpose is not Purpose.RESET_PASSWORD or sent >= self._messages.ways_in_per_hour:
            return True
        return await tx.one_time_tokens.has_good(user.id, Purpose.RESET_PASSWORD, at=now)


async def _fact(tx: Transaction, entry: AuditEntry, user: User) -> Fact:
    session_id, change_id = entry.details.get("session_id"), entry.details.get("change_id")
    session = await tx.sessions.get(SessionId(UUID(str(session_id)))) if session_id else None
    change = await tx.email_changes.find(EmailChangeId(UUID(str(change_id)))) if change_id else None
    if change is None:
        return Fact(entry=entry, user=user, session=session, passkey_name=await _passkey_name(tx, entry, user))
    (last,) = await tx.email_changes.of_user(user.id, limit=1)
    holder = await tx.users.find_by_email(change.new)
    return Fact(
        entry=entry,
        user=user,
        session=session,
        change=change,
        is_last_change=last.id == change.id,
        new_address_is_taken=holder is not None and holder.id != user.id,
    )


async def _passkey_name(tx: Transaction, entry: AuditEntry, user: User) -> str | None:
    if entry.event != PasskeyCopySuspected.name:
        return None
    own = await tx.passkeys.of_user(user.id)
    return next((passkey.name for passkey in own if str(passkey.id) == entry.details.get("factor_id")), None)


def _told(purpose: Purpose, lifetime: timedelta) -> Mapping[str, str]:
    """The lifetime in the unit that the template of the purpose names."""
    match purpose:
        case Purpose.VERIFY_EMAIL:
            return {"link_hours": str(lifetime // timedelta(hours=1))}
        case Purpose.RESET_PASSWORD | Purpose.CONFIRM_EMAIL_CHANGE:
            return {"link_minutes": str(lifetime // timedelta(minutes=1))}
        case Purpose.REVERT_EMAIL_CHANGE | Purpose.ACCEPT_INVITATION:
            return {"link_days": str(lifetime // timedelta(days=1))}
