"""Signing in."""

import logging
from uuid import UUID

from application.mfa.ask_for_factor import AskForFactor, FactorRequired
from application.ports.clock import Clock
from application.ports.email_parser import EmailParser
from application.ports.password_hasher import PasswordHasher, PlaceInQueue
from application.ports.unit_of_work import UnitOfWork
from application.sessions.issued_tokens import IssuedTokens
from application.sessions.known_devices import KnownDevices
from application.sessions.open_session import OpenSession
from application.sessions.refused_sign_ins import RefusedSignIns
from application.sessions.standing import outcome_of_device, reason_against
from application.throttling.guess_budget import FormerDevice, GuessBudget, Stranger
from application.throttling.visit import Visit
from domain.errors import InvalidFields
from domain.ids import DeviceId
from domain.mfa.factor import FactorKind
from domain.sessions.authentication_method import AuthenticationMethod
from domain.sessions.session import Device, RefusalReason, SessionPolicy
from domain.sessions.sign_in_attempt import Check, Outcome, SignInTrace
from domain.throttling.throttle import Throttled
from domain.users.email_address import EmailAddress
from domain.users.password import Password
from domain.users.user import User, UserNotFound

_log = logging.getLogger(__name__)

_NONE: frozenset[FactorKind] = frozenset()


class SignIn:
    """Open a session for whoever knows the password of an address, and has no second factor to show."""

    def __init__(
        self,
        unit_of_work: UnitOfWork,
        emails: EmailParser,
        passwords: PasswordHasher,
        guesses: GuessBudget,
        known_devices: KnownDevices,
        refused: RefusedSignIns,
        ask_for_factor: AskForFactor,
        open_session: OpenSession,
        clock: Clock,
        policy: SessionPolicy,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._emails = emails
        self._passwords = passwords
        self._guesses = guesses
        self._known_devices = known_devices
        self._refused = refused
        self._ask_for_factor = ask_for_factor
        self._open_session = open_session
        self._clock = clock
        self._policy = policy

    async def execute(
        self,
        *,
        email: str,
        password: str,
        device: Device,
        device_token: str | None = None,
        visit: Visit | None = None,
        request_id: UUID | None = None,
        place: PlaceInQueue | None = None,
    ) -> IssuedTokens | FactorRequired:
        """The new session, or what else it takes of a user who has second factors.

        `device_token` is what an earlier sign-in on this device was given.

        The `visit` is counted with the guess; where its network has nothing left, devices that are not known are
        refused. `place` is one that was reserved for the password before anything was asked of the database.

        Every refusal costs the same work and looks the same (LG-01, LG-02); why it happened is written down, for
        operators to find by the reference that it carries.

        Raises: InvalidCredentials, Throttled, ThrottlesUnavailable, HashingBusy.
        """
        typed = Password(password)
        trace = SignInTrace(network_address=device.network_address, request_id=request_id)
        address = self._address(email, trace)
        user, kinds, known = None, _NONE, None
        if is_token := self._known_devices.is_token(device_token):
            # Whoever shows none is counted first: refusals that cost nothing must not tell anything either.
            user, kinds = await self._find(address, trace)
            known = self._known_devices.recognise(device_token, of=user)
        trace.note(Check.DEVICE, outcome_of_device(known, device_token))

        stranger = Stranger(address.canonical if address is not None else email, device.network_address)
        # A device of before is at least a stranger: others may have used up what such devices share.
        otherwise = stranger if isinstance(known, FormerDevice) else None
        try:
            async with self._guesses.guess(by=known or stranger, otherwise=otherwise, visit=visit) as guess:
                if not is_token:
                    guess.is_unseen = True
                    user, kinds = await self._find(address, trace)
                    guess.is_unseen = False
                matched = await (place or self._passwords).matches(
                    typed, user.password_hash if user is not None else None
                )
                reason = self._reason_against(user, trace, matched=matched)
                # Not the password alone: getting a guess back would tell that it was right for a user who is shut out.
                guess.was_right = reason is None
        except Throttled as refusal:
            _note_network(trace, visit)
            raise await self._told_to_wait(refusal, trace, visit, address if not is_token else None) from None
        _note_network(trace, visit)
        trace.note(Check.GUESSES, Outcome.LAST if guess.was_last else Outcome.LEFT)
        if user is None or reason is not None:
            raise await self._refused.wrong(trace, reason or RefusalReason.UNKNOWN_USER, was_last=guess.was_last)

        try:
            issued = await self._opened(user, kinds, device, known.device_id if known is not None else None)
        except UserNotFound:
            # Erased since: as unknown as if we had looked a moment later.
            trace.user_id = None
            trace.note(Check.ADDRESS, Outcome.GONE)
            raise await self._refused.wrong(trace, RefusalReason.UNKNOWN_USER, was_last=False) from None
        await self._rehash_if_outdated(user, typed)
        return issued

    async def _told_to_wait(
        self, refusal: Throttled, trace: SignInTrace, visit: Visit | None, unseen: EmailAddress | None
    ) -> Throttled:
        """The refusal of a guess that was not looked at; `unseen` is the address, where nobody was looked up by it."""
        if visit is not None and refusal is visit.refusal:
            return await self._refused.at_the_door(refusal, trace)
        # For operators alone.
        await self._find(unseen, trace)
        by_strangers = self._guesses.is_used_up_by_strangers(refusal)
        return await self._refused.out_of_guesses(refusal, trace, by_strangers=by_strangers)

    async def _opened(
        self, user: User, kinds: frozenset[FactorKind], device: Device, known: DeviceId | None
    ) -> IssuedTokens | FactorRequired:
        methods = (AuthenticationMethod.PASSWORD,)
        asked = await self._ask_for_factor.execute(user=user, kinds=kinds, methods=methods, device=device, known=known)
        return asked or await self._open_session.execute(user=user, methods=methods, device=device, known=known)

    def _address(self, email: str, trace: SignInTrace) -> EmailAddress | None:
        try:
            return self._emails.parse(email)
        except InvalidFields:
            # What is no address belongs to nobody, and is answered like every other address of nobody's.
            trace.note(Check.ADDRESS, Outcome.NOT_AN_ADDRESS)
            return None

    async def _find(
        self, address: EmailAddress | None, trace: SignInTrace
    ) -> tuple[User | None, frozenset[FactorKind]]:
        """Who has the address, if anybody, and the kinds of their second factors."""
        if address is None:
            return None, _NONE
        async with self._unit_of_work.read() as tx:
            found = await tx.users.find_with_factors(address)
        user, kinds = found if found is not None else (None, _NONE)
        trace.note(Check.ADDRESS, Outcome.KNOWN if user is not None else Outcome.UNKNOWN)
        trace.user_id = user.id if user is not None else None
        return user, kinds

    def _reason_against(self, user: User | None, trace: SignInTrace, *, matched: bool) -> RefusalReason | None:
        """The first that there is. What would come after it is not reached."""
        if user is None:
            return RefusalReason.UNKNOWN_USER
        if not matched:
            is_set = user.password_hash is not None
            trace.note(Check.PASSWORD, Outcome.WRONG if is_set else Outcome.NONE)
            return RefusalReason.WRONG_PASSWORD if is_set else RefusalReason.NO_PASSWORD
        trace.note(Check.PASSWORD, Outcome.RIGHT)
        return reason_against(user, trace, self._policy, at=self._clock.now())

    async def _rehash_if_outdated(self, user: User, password: Password) -> None:
        """Bring the hash to today's parameters (PW-07). Whatever stands in the way, the sign-in has succeeded."""
        if user.password_hash is None or not self._passwords.needs_rehash(user.password_hash):
            return
        try:
            user.rehash_password(await self._passwords.hash(password, owner=user.id))
            async with self._unit_of_work.begin() as tx:
                await tx.users.save(user)
        except Exception:  # noqa: BLE001  (a bug there must not keep anybody out either; it is logged)
            _log.warning("password hash of user %s was not brought up to date", user.id, exc_info=True)


def _note_network(trace: SignInTrace, visit: Visit | None) -> None:
    is_used_up = visit is not None and visit.refusal is not None
    trace.note(Check.NETWORK_LIMIT, Outcome.USED_UP if is_used_up else Outcome.LEFT)
