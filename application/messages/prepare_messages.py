"""From events to messages."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from uuid import UUID

from application.messages.drafts import Draft, Fact, drafts_of
from application.ports.clock import Clock
from application.ports.password_hasher import PasswordHasher
from application.ports.randomness import Randomness
from application.ports.secret_sealer import SecretSealer
from application.ports.unit_of_work import Transaction, UnitOfWork
from domain.errors import NotFound
from domain.ids import AuditEntryId, EmailChangeId, MessageId, OneTimeTokenId, SessionId
from domain.messages.message import Message
from domain.opaque_token import SECRET_BYTES
from domain.recovery.one_time_token import (
    CODE_DIGITS,
    OneTimeCode,
    OneTimeToken,
    OneTimeTokenPolicy,
    OneTimeTokenSecret,
    Purpose,
)
from domain.users.password import Password
from domain.users.user import User

SEALED_FOR = "content of a message"
_BYTES_OF_A_CODE = 16  # so many that each code is as likely as every other
_PATHS: Mapping[Purpose, str] = MappingProxyType(
    {
        Purpose.VERIFY_EMAIL: "verify-email",
        Purpose.RESET_PASSWORD: "reset-password",
        Purpose.CONFIRM_EMAIL_CHANGE: "confirm-email-change",
        Purpose.REVERT_EMAIL_CHANGE: "revert-email-change",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkPolicy:
    """Where links in mails lead: to pages below `base_url`, one for each purpose.

    It comes from the settings and never from a request (RC-05). The token is in the fragment, which no server and no
    log along the way gets to see.
    """

    base_url: str

    def link(self, purpose: Purpose, secret: OneTimeTokenSecret) -> str:
        """The link that a person follows."""
        return f"{self.base_url}/{_PATHS[purpose]}#{secret.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Minted:
    token: OneTimeToken
    content: Mapping[str, str] = field(repr=False)


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
        policy: OneTimeTokenPolicy,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._passwords = passwords
        self._sealer = sealer
        self._clock = clock
        self._randomness = randomness
        self._links = links
        self._policy = policy

    async def execute(self, *, event_id: AuditEntryId) -> None:
        """Queue what is due. Nothing is for users who are suspended or gone.

        Raises: HashingBusy.
        """
        now = self._clock.now()
        fact = await self._fact(event_id)
        if fact is None or not fact.user.may_come_in(at=now):
            return
        for draft in drafts_of(fact):
            await self._queue(draft, fact, now)

    async def _fact(self, event_id: AuditEntryId) -> Fact | None:
        async with self._unit_of_work.read() as tx:
            entry = await tx.audit.find(event_id)
            if entry is None or entry.user_id is None:
                return None
            try:
                user = await tx.users.get(entry.user_id)
                session_id, change_id = entry.details.get("session_id"), entry.details.get("change_id")
                session = await tx.sessions.get(SessionId(UUID(str(session_id)))) if session_id else None
            except NotFound:
                return None
            change = await tx.email_changes.find(EmailChangeId(UUID(str(change_id)))) if change_id else None
            taken = change is not None and await tx.users.find_by_email(change.new) is not None
            return Fact(entry=entry, user=user, session=session, change=change, new_address_is_taken=taken)

    async def _queue(self, draft: Draft, fact: Fact, now: datetime) -> None:
        minted = await self._minted(draft, fact, now)
        message_id = MessageId(self._randomness.uuid(at=now))
        content = {**draft.content, **(minted.content if minted is not None else {})}
        message = Message.queued(
            id=message_id,
            event_id=fact.entry.id,
            kind=draft.kind,
            user_id=fact.user.id,
            recipient=draft.recipient,
            locale=fact.user.locale,
            sealed_content=self._sealer.seal(json.dumps(content), purpose=SEALED_FOR, owner=str(message_id)),
            at=now,
        )
        async with self._unit_of_work.begin() as tx:
            if minted is not None and await self._has_had_enough(tx, minted.token):
                return
            if await tx.messages.add(message) and minted is not None:
                await tx.one_time_tokens.add(minted.token)

    async def _minted(self, draft: Draft, fact: Fact, now: datetime) -> _Minted | None:
        purpose, user = draft.purpose, fact.user
        if purpose is None:
            return None
        secret = OneTimeTokenSecret.from_random(self._randomness.secret(SECRET_BYTES), purpose=purpose)
        lifetime = self._policy.lifetime(purpose)
        content = {"link": self._links.link(purpose, secret), **_told(purpose, lifetime)}
        code = None
        if draft.with_code:
            digits = f"{int.from_bytes(self._randomness.secret(_BYTES_OF_A_CODE)) % 10**CODE_DIGITS:0{CODE_DIGITS}}"
            code = await self._code(digits, user, now)
            content |= {"code": digits, "code_minutes": str(self._policy.code // timedelta(minutes=1))}
        token = OneTimeToken(
            id=OneTimeTokenId(self._randomness.uuid(at=now)),
            user_id=user.id,
            purpose=purpose,
            digest=secret.digest(),
            security_epoch=user.security_epoch,
            issued_at=now,
            expires_at=now + lifetime,
            code=code,
            email_change_id=fact.change.id if fact.change is not None else None,
        )
        return _Minted(token=token, content=content)

    async def _code(self, digits: str, user: User, now: datetime) -> OneTimeCode:
        return OneTimeCode(
            # Eight digits are guessed from a plain hash at once: they are kept like a password.
            hashed=await self._passwords.hash(Password(digits), owner=user.id),
            expires_at=now + self._policy.code,
            attempts_left=self._policy.code_attempts,
        )

    async def _has_had_enough(self, tx: Transaction, token: OneTimeToken) -> bool:
        an_hour_ago = token.issued_at - timedelta(hours=1)
        made = await tx.one_time_tokens.count(token.user_id, token.purpose, issued_after=an_hour_ago)
        return made >= self._policy.mails_per_hour


def _told(purpose: Purpose, lifetime: timedelta) -> Mapping[str, str]:
    """The lifetime in the unit that the template of the purpose names."""
    match purpose:
        case Purpose.VERIFY_EMAIL:
            return {"link_hours": str(lifetime // timedelta(hours=1))}
        case Purpose.RESET_PASSWORD | Purpose.CONFIRM_EMAIL_CHANGE:
            return {"link_minutes": str(lifetime // timedelta(minutes=1))}
        case Purpose.REVERT_EMAIL_CHANGE:
            return {"link_days": str(lifetime // timedelta(days=1))}
