"""Forgetting what is over."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from application.ports.clock import Clock
from application.ports.jobs import JobQueue
from application.ports.rate_limiter import RateLimiter
from application.ports.unit_of_work import Transaction, UnitOfWork
from application.upkeep.in_batches import BATCH, in_batches


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionPolicy:
    """How long what is over is kept: for users to look back on, and for operators to understand (PR-01).

    Nothing ever comes back to life by being kept: everything that opens something carries its own end.
    """

    sessions: timedelta = timedelta(days=30)
    messages: timedelta = timedelta(days=30)
    email_changes: timedelta = timedelta(days=30)
    sign_in_attempts: timedelta = timedelta(days=30)
    imports: timedelta = timedelta(days=30)
    tokens: timedelta = timedelta(days=1)
    jobs: timedelta = timedelta(days=7)
    audit_personal: timedelta = timedelta(days=365)


class PurgeExpired:
    """Remove what has long been over: whatever `RetentionPolicy` names, idempotent requests, and full counters."""

    def __init__(
        self, unit_of_work: UnitOfWork, jobs: JobQueue, limiter: RateLimiter, clock: Clock, policy: RetentionPolicy
    ) -> None:
        self._unit_of_work = unit_of_work
        self._limiter = limiter
        self._jobs = jobs
        self._clock = clock
        self._policy = policy

    async def execute(self) -> Mapping[str, int]:
        """How many of which were removed."""
        now, keep = self._clock.now(), self._policy
        await self._jobs.purge(done_for=keep.jobs)
        purges: Mapping[str, Callable[[Transaction], Awaitable[int]]] = {
            "sessions": lambda tx: tx.sessions.purge(over_since=now - keep.sessions, limit=BATCH),
            "one_time_tokens": lambda tx: tx.one_time_tokens.purge(expired_before=now - keep.tokens, limit=BATCH),
            "sign_in_challenges": lambda tx: tx.sign_in_challenges.purge(expired_before=now - keep.tokens, limit=BATCH),
            "passkey_ceremonies": lambda tx: tx.passkey_ceremonies.purge(expired_before=now, limit=BATCH),
            "totp_factors": lambda tx: tx.totp_factors.purge(pending_since=now - keep.tokens, limit=BATCH),
            "messages": lambda tx: tx.messages.purge(updated_before=now - keep.messages, limit=BATCH),
            "idempotent_requests": lambda tx: tx.idempotent_requests.purge(expired_before=now, limit=BATCH),
            "email_changes": lambda tx: tx.email_changes.purge(requested_before=now - keep.email_changes, limit=BATCH),
            "sign_in_attempts": lambda tx: tx.sign_in_attempts.purge(
                occurred_before=now - keep.sign_in_attempts, limit=BATCH
            ),
            "personal_details": lambda tx: tx.audit.purge_personal(
                occurred_before=now - keep.audit_personal, limit=BATCH
            ),
            "imports": lambda tx: tx.user_imports.purge(untouched_since=now - keep.imports, limit=BATCH),
        }
        removed = {name: await in_batches(self._unit_of_work, purge) for name, purge in purges.items()}
        return removed | {"throttles": await self._limiter.purge(at=now)}
