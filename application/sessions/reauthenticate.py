"""Proving again who one is."""

from application.mfa.check_factor import CheckFactor
from application.mfa.factor_proof import FactorProof
from application.mfa.refused_factors import write_down_refused_factor
from application.mfa.user_factors import active_factors_of
from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from application.sessions.check_password import CheckPassword
from domain.errors import ConcurrentUpdate
from domain.ids import SessionId, UserId
from domain.mfa.factor import FactorProofRequired, InvalidFactor
from domain.mfa.passkey_ceremony import PasskeyPurpose
from domain.sessions.authentication_method import AuthenticationMethod
from domain.sessions.session import Session
from domain.users.user import User


class Reauthenticate:
    """Let a user who is signed in prove who they are, for what is worth asking again."""

    def __init__(
        self, unit_of_work: UnitOfWork, check_password: CheckPassword, check_factor: CheckFactor, clock: Clock
    ) -> None:
        self._unit_of_work = unit_of_work
        self._check_password = check_password
        self._check_factor = check_factor
        self._clock = clock

    async def execute(self, *, user_id: UserId, session_id: SessionId, proof: str | FactorProof) -> Session:
        """The session, with the new proof: the password, or a second factor of whoever has one (MF-08).

        The password alone would make a session that was begun with two factors one of one.

        Raises: FactorProofRequired, WrongPassword, InvalidFactor, Throttled, ThrottlesUnavailable, UserNotFound,
            SessionNotFound, ConcurrentUpdate, HashingBusy.
        """
        async with self._unit_of_work.read() as tx:
            user = await tx.users.get(user_id)
            has_factors = bool(await active_factors_of(tx, user_id))
        if not isinstance(proof, str):
            await self._expect_factor(user, session_id, proof)
        elif has_factors:
            raise FactorProofRequired
        else:
            await self._check_password.execute(user=user, session_id=session_id, password=proof)
        now = self._clock.now()
        async with self._unit_of_work.begin() as tx:
            session = await tx.sessions.lock(session_id)
            if not session.is_live(user=await tx.users.get(user_id), at=now):
                # The session or the password ended while the password was being checked.
                raise ConcurrentUpdate
            if not isinstance(proof, str):
                session.prove_factor(proof.kind.method, at=now)
            else:
                session.reauthenticate(methods=(AuthenticationMethod.PASSWORD,), at=now)
            await tx.sessions.save(session)
        return session

    async def _expect_factor(self, user: User, session_id: SessionId, proof: FactorProof) -> None:
        checked = await self._check_factor.execute(
            user=user, proof=proof, purpose=PasskeyPurpose.FRESH_PROOF, bound_to=session_id
        )
        if checked.was_right:
            return
        if checked.is_noise:
            raise InvalidFactor
        # The trace is committed before the refusal is raised: raising inside would roll it back.
        async with self._unit_of_work.begin() as tx:
            await write_down_refused_factor(
                tx,
                user.id,
                proof.kind,
                was_last=checked.was_last,
                at=self._clock.now(),
                network_address=None,
                fault=checked.fault,
            )
        raise InvalidFactor
