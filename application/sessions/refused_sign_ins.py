"""Refusing sign-ins."""

import logging
from dataclasses import replace
from datetime import timedelta

from application.mfa.refused_factors import write_down_refused_factor
from application.ports.clock import Clock
from application.ports.keyed_hash import KeyedHash
from application.ports.randomness import Randomness
from application.ports.rate_limiter import LocalRateLimiter
from application.ports.unit_of_work import DatabaseUnavailable, TransactionConflict, UnitOfWork
from domain.ids import UserId
from domain.mfa.factor import FactorKind, InvalidFactor
from domain.mfa.passkey import InvalidPasskey
from domain.sessions.session import GuessesUsedUp, InvalidCredentials, RefusalReason, SignInRefused
from domain.sessions.sign_in_attempt import (
    REFERENCE_BYTES,
    Check,
    Outcome,
    Reference,
    SignInAttempt,
    SignInTrace,
)
from domain.throttling.throttle import Limit, Throttle, Throttled
from domain.users.user import UserNotFound

_log = logging.getLogger(__name__)

_PURPOSE = "reference of a limit"
# How often each process tries to keep what it may have kept already.
_TRIES = Limit(1, timedelta(minutes=1))


class RefusedSignIns:
    """Gives every refusal a reference, and keeps under it why it was: callers must not be told, operators are asked.

    What is wrong is written down for each attempt. What has to wait is not, for that costs its sender nothing and must
    cost us nothing: it shares one reference, and one row, with all that the same limit refused in the same hour.
    """

    def __init__(
        self,
        unit_of_work: UnitOfWork,
        hashes: KeyedHash,
        limiter: LocalRateLimiter,
        clock: Clock,
        randomness: Randomness,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._hashes = hashes
        self._limiter = limiter
        self._clock = clock
        self._randomness = randomness

    async def wrong(self, trace: SignInTrace, reason: RefusalReason, *, was_last: bool) -> InvalidCredentials:
        """The refusal of an attempt that was looked at, once it is written down."""
        return InvalidCredentials(reference=await self._refer(trace, reason, was_last=was_last))

    async def wrong_passkey(
        self, trace: SignInTrace, reason: RefusalReason, *, fault: str | None = None
    ) -> InvalidPasskey:
        """The same for somebody who came by a passkey; `fault` is what was wrong with its answer."""
        return InvalidPasskey(reference=await self._refer(trace, reason, was_last=False, fault=fault))

    async def _refer(
        self, trace: SignInTrace, reason: RefusalReason, *, was_last: bool, fault: str | None = None
    ) -> str:
        reference = Reference.of(self._randomness.secret(REFERENCE_BYTES))
        attempt = trace.closed(Outcome.REFUSED, reference=reference, at=self._clock.now())
        try:
            await self._write_down(attempt, reason, was_last=was_last, fault=fault)
        except UserNotFound:
            # Erased since: as unknown as if we had looked a moment later.
            await self._write_down(replace(attempt, user_id=None), reason, was_last=was_last, fault=fault)
        return reference.text

    async def at_the_door(self, refusal: Throttled, trace: SignInTrace) -> Throttled:
        """The refusal of whoever comes from a network that has nothing left, but for known devices."""
        # Whomever this one was about: that is another one each time.
        trace.user_id = None
        trace.note(Check.ADDRESS, Outcome.DIFFERS)
        trace.note(Check.DEVICE, Outcome.NOT_KNOWN)
        return await self._to_wait(refusal, trace)

    async def out_of_guesses(self, refusal: Throttled, trace: SignInTrace, *, by_strangers: bool) -> Throttled:
        """The refusal of an attempt that was not looked at, for there is no guess left."""
        trace.note(Check.GUESSES, Outcome.USED_UP_BY_STRANGERS if by_strangers else Outcome.USED_UP)
        return await self._to_wait(refusal, trace)

    async def wrong_factor(
        self, trace: SignInTrace, user_id: UserId, kind: FactorKind, *, was_last: bool, fault: str | None = None
    ) -> InvalidFactor:
        """The refusal of somebody who knew the password and not the second factor, once it is written down."""
        trace.note(Check.SECOND_FACTOR, Outcome.WRONG)
        reference = Reference.of(self._randomness.secret(REFERENCE_BYTES))
        attempt = trace.closed(Outcome.REFUSED, reference=reference, at=self._clock.now())
        address = attempt.network_address
        try:
            async with self._unit_of_work.begin() as tx:
                await tx.sign_in_attempts.add(attempt)
                await write_down_refused_factor(
                    tx,
                    user_id,
                    kind,
                    was_last=was_last,
                    at=attempt.occurred_at,
                    network_address=address,
                    fault=fault,
                )
        except UserNotFound:
            # Erased since: there is nobody any more whom it could be about.
            return InvalidFactor()
        return InvalidFactor(reference=reference.text)

    async def out_of_factor_guesses(self, refusal: Throttled, trace: SignInTrace) -> Throttled:
        """The refusal of somebody whose second factor was not looked at, for there is no guess left."""
        trace.note(Check.SECOND_FACTOR, Outcome.USED_UP)
        return await self._to_wait(refusal, trace)

    async def _to_wait(self, refusal: Throttled, trace: SignInTrace) -> Throttled:
        now = self._clock.now()
        reference = self._reference(refusal.throttle, trace, hour=f"{now:%Y-%m-%dT%H%z}")
        try:
            await self._keep_once(trace.closed(Outcome.TOLD_TO_WAIT, reference=reference, at=now))
        except (DatabaseUnavailable, TransactionConflict):
            # It is refused all the same, and then nobody can be told why.
            _log.warning("why sign-ins have to wait could not be written down under %s", reference.text)
        return Throttled(refusal.throttle, retry_after=refusal.retry_after, reference=reference.text)

    def _reference(self, throttle: Throttle, trace: SignInTrace, *, hour: str) -> Reference:
        """The same for everybody for whom the steps are the same.

        Not of what is known about the address: whoever watches the reference change would see it being registered.
        """
        way = [trace.outcome(Check.NETWORK_LIMIT), trace.outcome(Check.DEVICE)]
        named = "\n".join([hour, throttle.owner, throttle.name, *way])
        return Reference.of(self._hashes.digest(named, purpose=_PURPOSE))

    async def _keep_once(self, attempt: SignInAttempt) -> None:
        try:
            # Now and then, and not each time: whoever is told to wait comes as often as they like.
            await self._limiter.use(
                Throttle(owner=attempt.reference.text, name="kept", limit=_TRIES), at=attempt.occurred_at
            )
        except Throttled:
            return
        try:
            await self._keep(attempt)
        except UserNotFound:
            await self._keep(replace(attempt, user_id=None))

    async def _keep(self, attempt: SignInAttempt) -> None:
        async with self._unit_of_work.begin() as tx:
            await tx.sign_in_attempts.add(attempt)

    async def _write_down(
        self, attempt: SignInAttempt, reason: RefusalReason, *, was_last: bool, fault: str | None
    ) -> None:
        user_id, at, address = attempt.user_id, attempt.occurred_at, attempt.network_address
        # Committed before the refusal is raised: raising inside would roll it back.
        async with self._unit_of_work.begin() as tx:
            await tx.sign_in_attempts.add(attempt)
            await tx.audit.append(
                SignInRefused(user_id=user_id, occurred_at=at, reason=reason, network_address=address, fault=fault)
            )
            if was_last:
                await tx.audit.append(GuessesUsedUp(user_id=user_id, occurred_at=at, network_address=address))
