"""Opening a session."""

from dataclasses import replace
from datetime import timedelta

from application.mfa.required_enrolment import RequiredEnrolment
from application.ports.clock import Clock
from application.ports.device_namer import DeviceNamer
from application.ports.randomness import Randomness
from application.ports.sessions import AsUsual
from application.ports.unit_of_work import Transaction, UnitOfWork
from application.sessions.access_tokens import AccessTokens
from application.sessions.issued_tokens import IssuedTokens
from application.sessions.known_devices import KnownDevices
from application.sessions.note_seen import SEEN_AT_MOST_EVERY
from domain.ids import DeviceId, SessionId
from domain.opaque_token import SECRET_BYTES
from domain.sessions.authentication_method import AuthenticationMethod
from domain.sessions.refresh_token import RefreshToken, RefreshTokenSecret
from domain.sessions.session import Device, EndReason, Session, SessionPolicy
from domain.users.user import User

_JUST_REGISTERED = timedelta(days=1)


class OpenSession:
    """Begin a session for whoever has proven who they are; how is for others to judge."""

    def __init__(
        self,
        unit_of_work: UnitOfWork,
        access_tokens: AccessTokens,
        devices: DeviceNamer,
        known_devices: KnownDevices,
        enrolment: RequiredEnrolment,
        clock: Clock,
        randomness: Randomness,
        policy: SessionPolicy,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._access_tokens = access_tokens
        self._devices = devices
        self._known_devices = known_devices
        self._enrolment = enrolment
        self._clock = clock
        self._randomness = randomness
        self._policy = policy

    async def execute(
        self,
        *,
        user: User,
        methods: tuple[AuthenticationMethod, ...],
        device: Device,
        known: DeviceId | None = None,
    ) -> IssuedTokens:
        """The new session of somebody who has proven who they are by these methods, and its keys.

        `known` is the device, if the user has signed in on it before.

        Raises: UserNotFound where they have been erased meanwhile.
        """
        device = await self._named(device)
        now = self._clock.now()
        session = Session.start(
            id=SessionId(self._randomness.uuid(at=now)),
            user=user,
            methods=methods,
            device=device,
            policy=self._policy,
            at=now,
        )
        refresh_token = RefreshTokenSecret.from_random(self._randomness.secret(SECRET_BYTES))
        first = RefreshToken.first(refresh_token, session_id=session.id, at=now)
        access_token = await self._begin(session, first, user)
        return IssuedTokens(
            session_id=session.id,
            user=user,
            access_token=access_token,
            access_token_lifetime=self._access_tokens.lifetime,
            refresh_token=refresh_token,
            refresh_token_lifetime=session.expires_at - now,
            device_token=self._known_devices.token(known, of=user, at=now),
        )

    async def _named(self, device: Device) -> Device:
        # Only for those who come in: naming is work, which strangers should not be able to order.
        name = await self._devices.name(device.user_agent) if device.user_agent is not None else None
        return replace(device, name=name)

    async def _begin(self, session: Session, first: RefreshToken, user: User) -> str:
        """Let the session count; its access token.

        A password changed or a user suspended since they were read has moved the security epoch: the session begins in
        the old one, and is dead. The token comes before the session counts: one to which nobody got a key would live on
        unseen.
        """
        key, may_have_to_enrol = await self._access_tokens.key(), self._enrolment.concerns(user)
        access_token = self._access_tokens.issue(session, key, roles=user.roles, must_enrol=may_have_to_enrol)
        # Whoever has just registered need not be told; whoever comes back after a long time had better be.
        first_is_new = session.created_at - user.created_at > _JUST_REGISTERED
        as_usual = AsUsual(most=self._policy.limit_per_user, first_is_new=first_is_new)
        async with self._unit_of_work.write() as tx:
            is_open = await self._open(tx, session, first, only_if=as_usual)
        if not is_open:
            async with self._unit_of_work.begin() as tx:
                if await tx.sessions.is_new_device(user.id, session.device, first_is_new=first_is_new):
                    session.see_new_device(at=session.created_at)
                await self._open(tx, session, first, only_if=None)
                await self._make_room(tx, session)
        if may_have_to_enrol:
            async with self._unit_of_work.read() as tx:
                must_enrol = await self._enrolment.is_due_in(tx, session, user, at=session.created_at)
            access_token = self._access_tokens.issue(session, key, roles=user.roles, must_enrol=must_enrol)
        return access_token

    async def _open(self, tx: Transaction, session: Session, first: RefreshToken, *, only_if: AsUsual | None) -> bool:
        at = session.created_at
        return await tx.sessions.open(
            session,
            first,
            only_if=only_if,
            used_after=at - self._policy.idle_lifetime,
            seen_unless_after=at - SEEN_AT_MOST_EVERY,
        )

    async def _make_room(self, tx: Transaction, newest: Session) -> None:
        """End the oldest sessions beyond the limit. Sign-ins at the same moment may leave a few more until the next."""
        at, used_after = newest.created_at, newest.created_at - self._policy.idle_lifetime
        if len(await tx.sessions.live_of(newest.user_id, at=at, used_after=used_after)) > self._policy.limit_per_user:
            newest_first = await tx.sessions.lock_live_of(newest.user_id, at=at, used_after=used_after)
            others = [session for session in newest_first if session.id != newest.id]
            for session in others[self._policy.limit_per_user - 1 :]:
                session.end(reason=EndReason.TOO_MANY, at=at)
                await tx.sessions.save(session)
