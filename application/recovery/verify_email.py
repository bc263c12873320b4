"""Proving an address."""

from dataclasses import dataclass, field

from application.ports.clock import Clock
from application.ports.email_parser import EmailParser
from application.ports.password_hasher import PasswordHasher
from application.ports.unit_of_work import UnitOfWork
from application.recovery.use_token import use_token
from application.throttling.guess_budget import GuessBudget, Stranger
from domain.errors import ConcurrentUpdate, InvalidFields
from domain.ids import NOBODY, UserId
from domain.recovery.one_time_token import OneTimeToken, OneTimeTokenSecret, Purpose, invalid_token
from domain.recovery.recovery_events import EmailProofRefused
from domain.sessions.session import GuessesUsedUp
from domain.users.password import Password, PasswordHash, WrongPassword
from domain.users.user import User

_PURPOSE = Purpose.VERIFY_EMAIL


@dataclass(frozen=True, slots=True, kw_only=True)
class MailedCode:
    """A code, and the address that it was mailed to."""

    email: str
    code: str = field(repr=False)


class VerifyEmail:
    """Take an address as proven by what was mailed to it: the token of a link, or the code for typing over.

    Somebody else may have registered the address and waited for its owner to do this. So unless the proof comes from
    whoever attached the password (through a session of the user, or with the password itself), the password and all
    that came of it are discarded (LG-09).
    """

    def __init__(
        self,
        unit_of_work: UnitOfWork,
        emails: EmailParser,
        passwords: PasswordHasher,
        guesses: GuessBudget,
        clock: Clock,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._guesses = guesses
        self._emails = emails
        self._passwords = passwords
        self._clock = clock

    async def execute(
        self,
        *,
        proof: str | MailedCode,
        caller: UserId | None = None,
        password: str | None = None,
        network_address: str | None = None,
    ) -> User:
        """The user, proven. `proof` is the token, or the code; `caller` is who is signed in, if anybody is.

        A wrong password leaves the proof good.

        Raises: InvalidToken, WrongPassword, Throttled, ThrottlesUnavailable, ConcurrentUpdate, UserNotFound,
            HashingBusy.
        """
        found = await (self._by_code(proof) if isinstance(proof, MailedCode) else self._by_token(proof))
        if found is None:
            raise invalid_token("code" if isinstance(proof, MailedCode) else "token")
        by_own_hand = caller == found.user_id
        checked = None
        if password is not None and not by_own_hand:
            checked = await self._checked(found.user_id, password, network_address)
            by_own_hand = True
        now = self._clock.now()
        async with self._unit_of_work.begin() as tx:
            user, _ = await use_token(tx, found.digest, _PURPOSE, at=now)
            if checked is not None and user.password_hash != checked:
                # What was checked is no longer what the proof would confirm.
                raise ConcurrentUpdate
            # A move that was asked for before would not be told to this mailbox, which nobody had proven.
            await tx.one_time_tokens.spend(user.id, Purpose.CONFIRM_EMAIL_CHANGE, at=now)
            user.verify_email(by_own_hand=by_own_hand, at=now)
            await tx.users.save(user)
        return user

    async def _by_token(self, text: str) -> OneTimeToken | None:
        secret = OneTimeTokenSecret.parse(text, purpose=_PURPOSE)
        if secret is None:
            return None
        async with self._unit_of_work.read() as tx:
            return await tx.one_time_tokens.find_good(secret.digest(), _PURPOSE, at=self._clock.now())

    async def _by_code(self, proof: MailedCode) -> OneTimeToken | None:
        """An attempt is spent before the code is compared, and the same work is done for every address (LG-03)."""
        user = await self._find(proof.email)
        user_id = user.id if user is not None else NOBODY
        async with self._unit_of_work.begin() as tx:
            found = await tx.one_time_tokens.try_code(user_id, _PURPOSE, at=self._clock.now())
        code = found.code if found is not None else None
        matched = await self._passwords.matches(Password(proof.code), code.hashed if code is not None else None)
        return found if matched else None

    async def _find(self, email: str) -> User | None:
        try:
            address = self._emails.parse(email)
        except InvalidFields:
            return None
        async with self._unit_of_work.read() as tx:
            return await tx.users.find_by_email(address)

    async def _checked(self, user_id: UserId, password: str, network_address: str | None) -> PasswordHash | None:
        async with self._unit_of_work.read() as tx:
            user = await tx.users.get(user_id)
        async with self._guesses.guess(by=Stranger(user.email.canonical, network_address)) as guess:
            guess.was_right = await self._passwords.matches(Password(password), user.password_hash)
        if guess.was_right:
            return user.password_hash
        now = self._clock.now()
        # The trace is committed before the refusal is raised: raising inside would roll it back.
        async with self._unit_of_work.begin() as tx:
            await tx.audit.append(EmailProofRefused(user_id=user_id, occurred_at=now))
            if guess.was_last:
                await tx.audit.append(GuessesUsedUp(user_id=user_id, occurred_at=now, network_address=network_address))
        raise WrongPassword
