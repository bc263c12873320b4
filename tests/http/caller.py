"""What a caller knows that nobody can guess, for who only knows the document."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any

from application.admin.clear_throttles import ClearThrottles
from application.recovery.request_password_reset import RequestPasswordReset
from application.sessions.authenticate import Authenticate
from application.transfer.start_import import StartImport
from application.users.create_user import CreateUser
from application.users.get_user import GetUser
from application.users.request_email_change import RequestEmailChange
from application.users.schedule_deletion import ScheduleDeletion
from domain.ids import FactorId, UserId, UserImportId
from domain.messages.message import MessageKind
from domain.sessions.principal import Principal
from domain.sessions.session import InvalidAccessToken, InvalidCredentials
from domain.transfer.user_import import ImportMode, RowFormat
from domain.users.registration import EmailAlreadyRegistered
from domain.users.user import UserNotFound
from tests.factors import app_of, challenge, offered_app, verified_user
from tests.passkeys import authenticator_of, offered, options_of, passkey_of
from tests.world import EMAIL, PASSWORD, World, token_of


class Caller:
    """A session of a user, their password, and tokens mailed to them.

    The user is an operator, and made anew whenever somebody has changed what guards them.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._loop = asyncio.get_running_loop()
        self._principal: Principal | None = None
        self._is_as_made = False
        self._token = ""
        self._others = 0
        self._turns = 0
        self.named: dict[str, str] = {}
        """What bodies are about that were told last, by the name of the parameter."""

    def wait[T](self, what: Coroutine[Any, Any, T]) -> T:
        """The result of what runs in the app's own loop."""
        return asyncio.run_coroutine_threadsafe(what, self._loop).result()

    async def access_token(self) -> str:
        """One that is good now."""
        await self._present()
        return self._token

    async def access_token_of_a_leaver(self) -> str:
        """One of somebody who asked to be deleted, and has come in again."""
        principal = await self._present()
        self.look_again()
        await self._world.container.resolve(ScheduleDeletion).execute(user_id=principal.user_id)
        return (await self._world.sign_in()).access_token

    async def access_token_with_an_app(self) -> str:
        """One of somebody who has a second factor, and has shown it."""
        await self.own_app()
        return self._token

    async def somebody(self) -> UserId:
        """Another user, whom nobody minds."""
        return (await self._world.register(self._other("example.net"))).id

    async def somebody_with_an_app(self) -> tuple[UserId, FactorId]:
        """Another user, whom nobody minds, and their second factor."""
        user = await verified_user(self._world, self._other("example.net"))
        return user.id, (await app_of(self._world, user)).factor_id

    async def own_app(self) -> FactorId:
        """A second factor of this user's."""
        principal = await self._present()
        self.look_again()
        # Others have guessed codes of this user.
        await self._world.container.resolve(ClearThrottles).execute(user_id=principal.user_id)
        return (await app_of(self._world, principal.user, principal)).factor_id

    async def own_passkey(self) -> FactorId:
        """A passkey of this user's."""
        principal = await self._present()
        self.look_again()
        authenticator = authenticator_of(self._world, self._other("passkey").encode())
        return (await passkey_of(self._world, principal.user, principal, authenticator)).factor_id

    async def access_token_with_a_passkey(self) -> str:
        """One of somebody who has a passkey, and has shown it."""
        await self.own_passkey()
        return self._token

    def either(self, one: str, other: str) -> str:
        """One after the other."""
        self._turns += 1
        return (one, other)[self._turns % 2]

    async def reference(self) -> str:
        """That of somebody who was not let in."""
        try:
            await self._world.sign_in(self._other("example.net"))
        except InvalidCredentials as refusal:
            return refusal.reference or ""
        return ""

    async def some_import(self) -> UserImportId:
        """One that is about nobody yet."""
        start = self._world.container.resolve(StartImport)
        return (await start.execute(mode=ImportMode.DRY_RUN, format=RowFormat.NDJSON)).id

    def look_again(self) -> None:
        """Something may have changed."""
        self._is_as_made = False

    async def body(self, operation: str) -> dict[str, Any] | None:
        """What succeeds at an operation whose body is more than a matter of form."""
        knows: Mapping[str, Callable[[], Awaitable[dict[str, Any]]]] = {
            "register_user": self._stranger,
            "sign_in": self._credentials,
            "answer_challenge": self._recovery_code,
            "activate_totp": self._totp_code,
            "register_passkey": self._new_passkey,
            "sign_in_with_passkey": self._passkey,
            "refresh_session": self._refresh_token,
            "introspect_token": self._own_token,
            "reauthenticate": self._password,
            "change_password": self._passwords,
            "verify_email": self._verification,
            "reset_password": self._reset,
            "confirm_email_change": self._email_change,
            "revert_email_change": self._way_back,
        }
        return await knows[operation]() if operation in knows else None

    async def _stranger(self) -> dict[str, Any]:
        return {"email": self._other("example.com"), "password": PASSWORD}

    async def _credentials(self) -> dict[str, Any]:
        await self._present()
        if self.either("", "with a factor"):
            user = await verified_user(self._world, self._other("example.net"))
            await app_of(self._world, user)
            return {"email": user.email.display, "password": PASSWORD}
        return {"email": EMAIL, "password": PASSWORD}

    async def _totp_code(self) -> dict[str, Any]:
        principal = await self._present()
        app = await offered_app(self._world, principal.user, principal)
        self.named["factor_id"] = str(app.factor_id)
        return {"totp_code": app.code()}

    async def _recovery_code(self) -> dict[str, Any]:
        user = await verified_user(self._world, self._other("example.net"))
        app = await app_of(self._world, user)
        self.named["challenge_id"] = str(await challenge(self._world, user.email.display))
        return {"recovery_code": app.codes[0]}

    async def _new_passkey(self) -> dict[str, Any]:
        principal = await self._present()
        asked = await offered(self._world, principal.user, principal)
        authenticator = authenticator_of(self._world, self._other("passkey").encode())
        return {
            "passkey": {"ceremony_id": str(asked.ceremony_id), "credential": authenticator.create(options_of(asked))}
        }

    async def _passkey(self) -> dict[str, Any]:
        user = await verified_user(self._world, self._other("example.net"))
        shown = await (await passkey_of(self._world, user)).to_sign_in()
        return {"passkey": {"ceremony_id": str(shown.ceremony_id), "credential": shown.answer}}

    async def _refresh_token(self) -> dict[str, Any]:
        await self._present()
        return {"refresh_token": (await self._world.sign_in()).refresh_token.text}

    async def _own_token(self) -> dict[str, Any]:
        return {"token": await self.access_token()}

    async def _password(self) -> dict[str, Any]:
        return {"password": PASSWORD}

    async def _passwords(self) -> dict[str, Any]:
        return {"current_password": PASSWORD, "new_password": f"{PASSWORD}, and at dusk"}

    async def _verification(self) -> dict[str, Any]:
        await self._world.lose_jobs()
        await self._world.register(self._other("example.com"))
        return {"token": await self._mailed(MessageKind.VERIFY_EMAIL)}

    async def _reset(self) -> dict[str, Any]:
        await self._present()
        await self._world.lose_jobs()
        await self._world.container.resolve(RequestPasswordReset).execute(email=EMAIL)
        return {"token": await self._mailed(MessageKind.RESET_PASSWORD), "new_password": PASSWORD}

    async def _email_change(self) -> dict[str, Any]:
        await self._ask_for_another_address()
        return {"token": await self._mailed(MessageKind.CONFIRM_EMAIL_CHANGE)}

    async def _way_back(self) -> dict[str, Any]:
        await self._ask_for_another_address()
        return {"token": await self._mailed(MessageKind.EMAIL_CHANGE_REQUESTED)}

    async def _present(self) -> Principal:
        if self._principal is None or not self._is_as_made:
            self._principal = await self._come_back(self._principal) or await self._be_made()
            self._is_as_made = True
        return self._principal

    async def _come_back(self, before: Principal | None) -> Principal | None:
        """The user as they were made, with a session: the one of before or, where that has ended, another."""
        if before is None:
            return None
        try:
            user = await self._world.container.resolve(GetUser).execute(who=before.user_id)
            if user.security_epoch != before.user.security_epoch:
                return None
            return await self._authenticated()
        except UserNotFound:
            return None
        except InvalidAccessToken:
            self._token = (await self._world.sign_in()).access_token
            return await self._authenticated()

    async def _authenticated(self) -> Principal:
        return await self._world.container.resolve(Authenticate).execute(access_token=self._token)

    async def _be_made(self) -> Principal:
        async with self._world.unit_of_work.begin() as tx:
            holder = await tx.users.find_by_email(self._world.adapters.emails.parse(EMAIL))
            for user_id in {user.id for user in (holder, self._principal and self._principal.user) if user}:
                await tx.users.remove(user_id)
        create = self._world.container.resolve(CreateUser)
        with suppress(EmailAlreadyRegistered):
            # Or the caller would be the last operator, who stays.
            await create.execute(email="porter@example.com", password=PASSWORD, roles=frozenset({"admin"}))
        await create.execute(email=EMAIL, password=PASSWORD, roles=frozenset({"admin"}), email_verified=True)
        self._token = (await self._world.sign_in()).access_token
        return await self._authenticated()

    async def _ask_for_another_address(self) -> None:
        principal = await self._present()
        await self._world.lose_jobs()
        await self._world.container.resolve(RequestEmailChange).execute(
            user_id=principal.user_id, session_id=principal.session_id, new_email=self._other("example.org")
        )

    async def _mailed(self, kind: MessageKind) -> str:
        return token_of(await self._world.mailed(kind))

    def _other(self, domain: str) -> str:
        self._others += 1
        return f"other{self._others}@{domain}"
