"""Finding out why a sign-in was refused."""

from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from domain.ids import UserId
from domain.sessions.sign_in_attempt import Reference, SignInAttempt, SignInAttemptNotFound, SignInAttemptOpened


class ExplainSignIn:
    """Let an operator look at a refused sign-in, step by step."""

    def __init__(self, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def execute(self, *, reference: str, by: UserId | None = None) -> SignInAttempt:
        """The attempt, however its reference is written. That it was looked at is written down.

        Without `by`, it is the command line.

        Raises: SignInAttemptNotFound.
        """
        heard = Reference.parse(reference)
        if heard is None:
            raise SignInAttemptNotFound
        async with self._unit_of_work.begin() as tx:
            attempt = await tx.sign_in_attempts.find(heard)
            if attempt is None:
                raise SignInAttemptNotFound
            await tx.audit.append(
                SignInAttemptOpened(user_id=attempt.user_id, occurred_at=self._clock.now(), by=by, reference=heard.text)
            )
        return attempt
