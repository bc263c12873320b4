"""A drill: back up, use what is good once, restore; nothing that was used works again, and everything else does."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from adapters.system.clock import SystemClock
from application.mfa.activate_totp import ActivateTotp
from application.mfa.answer_challenge import AnswerChallenge
from application.mfa.ask_for_factor import FactorRequired
from application.mfa.enrol_totp import EnrolTotp
from application.mfa.factor_proof import CodeProof
from application.sessions.authenticate import Authenticate
from application.sessions.issued_tokens import IssuedTokens
from application.sessions.refresh_session import RefreshSession
from application.sessions.sign_in import SignIn
from application.users.get_user import GetUser
from domain.errors import DomainError
from domain.mfa.factor import FactorKind, InvalidFactor
from domain.mfa.totp import code_at, step_at
from domain.sessions.session import Device, InvalidAccessToken, InvalidRefreshToken
from entrypoints.container import Container
from entrypoints.settings import Settings
from entrypoints.startup import started
from tests.integration.test_cli import Cli
from tests.integration.test_cli import cli as cli  # noqa: PLC0414  (a fixture)
from tests.world import EMAIL, PASSWORD


def working[T](home: Path, what: Callable[[Container], Awaitable[T]]) -> T:
    async def work() -> T:
        async with started(Settings(hallporter_home=home, _env_file=None)) as service:
            return await what(service.container)

    return asyncio.run(work())


async def begun(container: Container) -> IssuedTokens | FactorRequired:
    device = Device(user_agent="tests", network_address="192.0.2.7")
    return await container.resolve(SignIn).execute(email=EMAIL, password=PASSWORD, device=device)


class Ada:
    """Somebody with a session, an app, and recovery codes."""

    tokens: IssuedTokens
    secret: bytes
    codes: list[str]
    shown: CodeProof

    async def move_in(self, container: Container) -> None:
        user = await container.resolve(GetUser).execute(who=EMAIL)
        issued = await begun(container)
        assert isinstance(issued, IssuedTokens)
        offered = await container.resolve(EnrolTotp).execute(user_id=user.id, session_id=issued.session_id)
        self.secret = base64.b32decode(offered.secret)
        shown = await container.resolve(ActivateTotp).execute(
            user_id=user.id, session_id=issued.session_id, factor_id=offered.factor.id, code=self.code()
        )
        self.codes = [code.text for code in shown]
        self.tokens = issued

    def code(self, ahead: int = 0) -> str:
        return code_at(self.secret, step_at(SystemClock().now()) + ahead)


async def refusal_of(tried: Awaitable[object]) -> type[Exception] | None:
    try:
        await tried
    except DomainError as refusal:
        return type(refusal)
    return None


def test_fault_47_nothing_that_was_used_since_the_backup_works_again(cli: Cli, home: Path, tmp_path: Path) -> None:
    assert cli("users", "create", EMAIL, typed=PASSWORD).code == 0
    ada, file = Ada(), tmp_path / "hallporter.dump"
    working(home, ada.move_in)
    told = cli("backup", str(file))
    assert (told.code, file.stat().st_mode & 0o777) == (0, 0o600), told.err
    assert "secret-key" in told.out
    assert cli("backup", str(file)).err == f"{file} is there already. Name another file, or move it away.\n"

    async def use_up(container: Container) -> None:
        await container.resolve(RefreshSession).execute(refresh_token=ada.tokens.refresh_token.text)
        for proof in (CodeProof(FactorKind.RECOVERY_CODE, ada.codes[0]), CodeProof(FactorKind.TOTP, ada.code(1))):
            asked = await begun(container)
            assert isinstance(asked, FactorRequired)
            await container.resolve(AnswerChallenge).execute(challenge_id=asked.challenge_id, proof=proof)
            ada.shown = proof

    working(home, use_up)
    assert "Say --yes" in cli("restore", str(file)).err
    told = cli("restore", str(file), "--yes")
    assert (told.code, "Every session has ended" in told.out) == (0, True), told.err

    async def try_again(container: Container) -> None:
        authenticate, refresh = container.resolve(Authenticate), container.resolve(RefreshSession)
        tokens = ada.tokens
        assert await refusal_of(authenticate.execute(access_token=tokens.access_token)) is InvalidAccessToken
        assert await refusal_of(refresh.execute(refresh_token=tokens.refresh_token.text)) is InvalidRefreshToken
        asked = await begun(container)
        assert isinstance(asked, FactorRequired)
        # No recovery codes are left, so they are not asked for either.
        assert asked.kinds == (FactorKind.TOTP,)
        answer = container.resolve(AnswerChallenge)
        for proof in (CodeProof(FactorKind.RECOVERY_CODE, ada.codes[0]), ada.shown):
            refused = refusal_of(answer.execute(challenge_id=asked.challenge_id, proof=proof))
            assert await refused is InvalidFactor
        assert (await container.resolve(GetUser).execute(who=EMAIL)).email_verified

    working(home, try_again)
    assert "backup.restored" in cli("audit", "list").out


def test_a_file_that_is_no_backup_changes_nothing(cli: Cli, home: Path, tmp_path: Path) -> None:
    assert cli("users", "create", EMAIL, typed=PASSWORD).code == 0
    file = tmp_path / "hallporter.dump"
    file.write_bytes(b"no backup")
    told = cli("restore", str(file), "--yes")
    assert (told.code, "pg_restore" in told.err) == (1, True)
    assert EMAIL in cli("users", "list").out


def test_a_server_of_ones_own_is_backed_up_by_its_own_tools(cli: Cli, tmp_path: Path) -> None:
    url = "postgresql://porter:canary@127.0.0.1:1/hallporter"
    told = cli("backup", str(tmp_path / "file"), DATABASE_URL=url)
    assert (told.code, "pg_dump" in told.err, "canary" in told.err) == (1, True, False)


@pytest.mark.parametrize("command", [("restored",), ("backup", "/no/such/folder/file")])
def test_what_cannot_be_done_is_said(cli: Cli, command: tuple[str, ...]) -> None:
    told = cli(*command)
    assert told.code == 1
    assert told.err.count("\n") == 1
