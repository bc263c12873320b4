"""The command line, in the tests' own process: what it says, and how it ends."""

import asyncio
import base64
import io
import json
import logging
import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import pytest
import structlog
from alembic import command
from alembic.config import CommandLine, Config

from adapters.postgres.embedded import embedded_postgres
from adapters.postgres.jobs import open_queue
from application.mfa.activate_totp import ActivateTotp
from application.mfa.enrol_totp import EnrolTotp
from application.sessions.issued_tokens import IssuedTokens
from application.sessions.sign_in import SignIn
from application.users.register_user import RegisterUser
from domain.errors import DomainError
from domain.mfa.totp import code_at, step_at
from domain.sessions.session import Device
from entrypoints.cli import main
from entrypoints.settings import Settings
from entrypoints.startup import started
from tests.world import PASSWORD

TOP = Path(__file__).parents[2]


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


class Cli(Protocol):
    def __call__(self, *arguments: str, typed: str = "", **settings: str) -> Outcome: ...


@pytest.fixture
def cli(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Cli]:
    """Runs `hallporter` on a database of its own."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("HALLPORTER_HOME", str(home))
    monkeypatch.chdir(home)
    handlers, level, quiet = logging.getLogger().handlers, logging.getLogger().level, structlog.get_config()

    def run(*arguments: str, typed: str = "", **settings: str) -> Outcome:
        with monkeypatch.context() as this_time:
            for name, value in settings.items():
                this_time.setenv(name, value)
            this_time.setattr(sys, "argv", ["hallporter", *arguments])
            this_time.setattr(sys, "stdin", io.StringIO(typed))
            with pytest.raises(SystemExit) as end:
                main()
        said = capsys.readouterr()
        return Outcome(int(end.value.code or 0), said.out, said.err)

    with embedded_postgres(home, durable=False):
        yield run
    logging.getLogger().handlers = handlers
    logging.getLogger().setLevel(level)
    structlog.configure(**quiet)


def test_commands_say_what_they_are(cli: Cli) -> None:
    assert cli("--version").out.startswith("hallporter ")
    assert "serve" in cli("--help").out
    assert '"openapi": "3.1' in cli("openapi").out


def test_operators_see_what_was_mailed_and_what_is_parked(cli: Cli) -> None:
    assert cli("messages", "list").out == "There are no messages.\n"
    assert cli("messages", "list", "--state", "dead", "--json").out == "[]\n"
    assert cli("jobs", "list").out == "No job is parked.\n"
    assert cli("jobs", "retry").out == "No job is parked.\n"
    assert cli("messages", "list", "--state", "lost").code == 2


def test_operators_see_messages_and_jobs_as_tables_and_as_json(cli: Cli, home: Path) -> None:
    assert cli("users", "list").code == 0

    async def leave_behind() -> None:
        async with started(Settings(_env_file=None, hallporter_home=home)) as service:
            register = service.container.resolve(RegisterUser)
            await register.execute(email="ada@example.com", password=PASSWORD)
            await service.worker.drain()
            await register.execute(email="bob@example.com", password=PASSWORD)
        with embedded_postgres(home) as url:
            async with open_queue(url) as queue:
                await queue.driver.execute("UPDATE jobs SET status = 'failed', attempts = 9")

    asyncio.run(leave_behind())
    (message,) = json.loads(cli("messages", "list", "--json").out)
    assert (message["recipient"], message["state"], message["attempts"]) == ("ada@example.com", "sent", 1)
    assert "verify_email" in cli("messages", "list", "--state", "sent").out
    (job,) = json.loads(cli("jobs", "list", "--json").out)
    assert (job["kind"], job["attempts"]) == ("event", 10)
    assert job["subject"] in cli("jobs", "list").out
    assert cli("jobs", "retry").out == "1 job(s) are queued again.\n"
    assert cli("jobs", "list").out == "No job is parked.\n"


def test_migrating_again_changes_nothing(cli: Cli) -> None:
    first, second = cli("migrate"), cli("migrate")
    assert "applied" in first.out
    assert second.out == "The schema was up to date already.\n"


def test_operators_create_list_and_show_users(cli: Cli) -> None:
    """LG-10."""
    admin = cli("users", "create", "ada@example.com", "--admin", "--generate-password", "--name", "Ada")
    assert (admin.code, admin.err) == (0, "")
    assert "as admin" in admin.out
    assert re.search(r"^Password: \S{20,}$", admin.out, re.MULTILINE)
    assert cli("users", "create", "bob@example.com", typed=f"{PASSWORD}\r\n").code == 0

    shown = cli("users", "show", "ADA@example.com", "--json").out
    assert '"roles": [\n    "admin"\n  ]' in shown
    listed = cli("users", "list").out.splitlines()
    assert [line.split()[1] for line in listed] == ["email", "bob@example.com", "ada@example.com"]
    assert "For more: --after" in cli("users", "list", "--limit", "1").err

    out = cli("users", "suspend", "bob@example.com", "--reason", "Spam", "--until", "2126-01-31")
    assert (out.code, out.out) == (0, "Suspended bob@example.com until 2126-01-31 00:00 UTC.\n")
    assert "is suspended already" in cli("users", "suspend", "bob@example.com", "--reason", "Twice").err
    assert cli("users", "reinstate", "BOB@example.com").out == "Reinstated bob@example.com.\n"
    assert "is not suspended" in cli("users", "reinstate", "bob@example.com").err
    last = cli("users", "suspend", "ada@example.com", "--reason", "Enough")
    assert (last.code, last.err) == (1, "This is the last operator who can act; make another one first\n")


def test_no_address_gets_out_of_the_quotes_in_which_a_command_is_suggested(cli: Cli) -> None:
    """Strangers choose addresses, and operators paste what they are told into a shell."""
    for address in ("a'`id`'@example.com", "b@example.com"):
        assert cli("users", "create", address, "--invite").code == 0
    suggested = cli("users", "list", "--sort", "email", "--limit", "1").err.removeprefix("For more: ")
    option, position = shlex.split(suggested)
    assert (option, position.partition(" ")[0]) == ("--after", "a'`id`'@example.com")
    assert "b@example.com" in cli("users", "list", "--sort", "email", option, position).out


def test_operators_see_why_a_sign_in_was_refused(cli: Cli, home: Path) -> None:
    async def be_refused() -> list[str]:
        async with started(Settings(_env_file=None, hallporter_home=home)) as service:
            references = []
            for _ in range(6):
                with pytest.raises(DomainError) as refusal:
                    await service.container.resolve(SignIn).execute(
                        email="ada@example.com", password=PASSWORD, device=Device(network_address="192.0.2.7")
                    )
                references.append(refusal.value.reference or "")
            return references

    first, *_, last = asyncio.run(be_refused())
    shown = cli("sessions", "why", first.lower().replace("-", " "))
    assert (shown.code, shown.err) == (0, "")
    assert re.search(rf"^reference +{first}$", shown.out, re.MULTILINE)
    assert re.search(r"^address +unknown *$", shown.out, re.MULTILINE)
    assert re.search(r"^password +not reached *$", shown.out, re.MULTILINE)
    assert "Everybody" not in shown.out
    assert "Everybody" in cli("sessions", "why", last).out
    attempt = json.loads(cli("sessions", "why", last, "--json").out)
    assert (attempt["network_address"], attempt["steps"][-1]["outcome"]) == ("192.0.2.7", "told_to_wait")


def test_operators_find_change_and_delete_users(cli: Cli) -> None:
    for name in ("ada", "bob", "eve"):
        assert cli("users", "create", f"{name}@example.com", "--invite", "--role", f"{name}s.role").code == 0
    assert "An invitation is on its way." in cli("users", "create", "zoe@example.com", "--invite").out
    assert "chooses a password" in cli("users", "create", "x@example.com", "--invite", "--generate-password").err

    def listed(*options: str) -> list[str]:
        return [user["email"].partition("@")[0] for user in json.loads(cli("users", "list", *options, "--json").out)]

    assert listed() == ["zoe", "eve", "bob", "ada"]
    assert listed("--sort", "email") == ["ada", "bob", "eve", "zoe"]
    assert listed("--email-prefix", "B") == ["bob"]
    assert listed("--role", "eves.role") == ["eve"]
    assert listed("--created-before", "2020-01-01") == []
    assert listed("--verified") == []
    more = cli("users", "list", "--sort", "email", "--limit", "3").err
    position = re.search(r"--after '(.*)'", more)
    assert position is not None
    assert listed("--sort", "email", "--after", position[1]) == ["zoe"]
    assert "end of a list of the same order" in cli("users", "list", "--after", "nowhere").err

    changed = cli("users", "change", "ada@example.com", "--name", "Ada", "--give-role", "admin", "--verified").out
    assert re.search(r"^roles +adas.role, admin$", changed, re.MULTILINE) or "admin, adas.role" in changed
    assert "Roles are like" in cli("users", "change", "ada@example.com", "--give-role", "Admin").err
    moved = cli("users", "change", "bob@example.com", "--email", "bob@example.org", "--take-role", "bobs.role").out
    assert "bob@example.org" in moved
    assert "bobs.role" not in moved
    last = cli("users", "change", "ada@example.com", "--take-role", "admin")
    assert (last.code, last.err) == (1, "This is the last operator who can act; make another one first\n")

    assert "will be erased at" in cli("users", "delete", "eve@example.com").out
    assert listed("--status", "deletion_scheduled") == ["eve"]
    assert cli("users", "keep", "eve@example.com").out == "eve@example.com stays.\n"
    assert cli("users", "delete", "eve@example.com", "--erase", typed="n\n").code == 1
    assert cli("users", "delete", "eve@example.com", "--erase", "--yes").out == "Erased eve@example.com.\n"
    assert "There is no such user" in cli("users", "show", "eve@example.com").err
    assert "on its way to zoe" in cli("users", "reset-password", "zoe@example.com").out
    assert cli("users", "clear-throttles", "zoe@example.com").out == "zoe@example.com can try again.\n"


def test_operators_see_and_end_sessions(cli: Cli, home: Path) -> None:
    assert cli("users", "create", "ada@example.com", typed=f"{PASSWORD}\n").code == 0
    assert cli("sessions", "list", "ada@example.com").out == "This user is signed in nowhere.\n"

    async def sign_in_twice() -> None:
        async with started(Settings(_env_file=None, hallporter_home=home)) as service:
            sign_in = service.container.resolve(SignIn)
            for _ in range(2):
                device = Device(user_agent="tests", network_address="192.0.2.7")
                await sign_in.execute(email="ada@example.com", password=PASSWORD, device=device)

    asyncio.run(sign_in_twice())
    first, second = json.loads(cli("sessions", "list", "ada@example.com", "--json").out)
    assert cli("sessions", "end", first["id"]).out == "The session is over.\n"
    assert "There is no such session" in cli("sessions", "end", first["id"]).err
    assert second["id"] in cli("sessions", "list", "ada@example.com").out
    assert cli("sessions", "end", "--all-of", "ada@example.com").out == "ada@example.com is signed in nowhere.\n"
    assert cli("sessions", "list", "ada@example.com", "--json").out == "[]\n"
    assert "Name a session" in cli("sessions", "end").err
    assert cli("messages", "retry", second["id"]).err == "There is no such message\n"


def test_operators_see_second_factors_and_take_them_away(cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli("users", "create", "ada@example.com", typed=f"{PASSWORD}\n").code == 0
    assert cli("users", "factors", "list", "ada@example.com").out == "This user has no second factor.\n"

    async def enrol() -> None:
        async with started(Settings(_env_file=None, hallporter_home=home)) as service:
            resolve = service.container.resolve
            issued = await resolve(SignIn).execute(email="ada@example.com", password=PASSWORD, device=Device())
            assert isinstance(issued, IssuedTokens)
            acting = {"user_id": issued.user.id, "session_id": issued.session_id}
            offered = await resolve(EnrolTotp).execute(**acting, name="Telephone")  # type: ignore[arg-type]
            code = code_at(base64.b32decode(offered.secret), step_at(datetime.now(UTC)))
            await resolve(ActivateTotp).execute(**acting, factor_id=offered.factor.id, code=code)  # type: ignore[arg-type]

    asyncio.run(enrol())
    listed = cli("users", "factors", "list", "ada@example.com").out
    assert "Telephone" in listed
    assert "Recovery codes left: 10" in listed
    assert "Say why" in cli("users", "factors", "reset", "ada@example.com", "--reason", " ").err
    reset = ("users", "factors", "reset", "ada@example.com", "--reason", "Lost it")
    for _ in range(2):
        held = cli(*reset, FACTOR_RESET_HOLD_SECONDS="3600").out
        assert re.search(r"1 second factor\(s\) of .* at 20\S+ \S+ UTC, if none is used until then", held)
    assert "Telephone" in cli("users", "factors", "list", "ada@example.com").out
    assert "1 second factor(s) of ada@example.com taken away" in cli(*reset).out
    assert cli("users", "factors", "list", "ada@example.com", "--json").out == "[]\n"


def test_operators_rotate_and_revoke_signing_keys(cli: Cli) -> None:
    assert "not everybody may know it" in cli("keys", "rotate").err
    assert "signs." in cli("keys", "rotate", "--now").out
    keys = json.loads(cli("keys", "list", "--json").out)
    assert [key["state"] for key in keys] in (["retiring", "active", "next"], ["active", "retiring", "next"])
    retiring = next(key["id"] for key in keys if key["state"] == "retiring")
    assert cli("keys", "revoke", retiring).out == f"{retiring} is revoked.\n"
    assert "revoked" in cli("keys", "list").out


@pytest.mark.parametrize(
    ("arguments", "settings", "typed", "said"),
    [
        (["users", "create", "ada@example.com"], {}, "short\n", "Use at least 15 characters"),
        (["users", "create", "nobody"], {}, f"{PASSWORD}\n", "not an e-mail address"),
        (["users", "show", "nobody@example.com"], {}, "", "There is no such user"),
        (["sessions", "why", "7F3K-Q2MX-9RTB"], {}, "", "There is no such refused sign-in"),
        (["keys", "revoke", "nonsense"], {}, "", "There is no such signing key"),
        (["migrate"], {"DATABASE_URL": "postgresql://u:canary@127.0.0.1:1/d"}, "", "No PostgreSQL answers"),
        (["users", "list"], {"DATABASE_URL": "mysql://canary"}, "", "DATABASE_URL: must begin with postgresql://"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    cli: Cli, arguments: list[str], settings: dict[str, str], typed: str, said: str
) -> None:
    failed = cli(*arguments, typed=typed, **settings)
    assert failed.code == 1
    assert said in failed.err
    assert "Traceback" not in failed.err
    assert "canary" not in failed.err


def test_alembic_has_its_own_commands(cli: Cli) -> None:
    said = io.StringIO()
    config = Config(str(TOP / "alembic.ini"), stdout=said, output_buffer=said)
    command.upgrade(config, "head")
    command.check(config)
    command.upgrade(config, "head", sql=True)
    assert "No new upgrade operations detected" in said.getvalue()
    assert "CREATE TABLE users" in said.getvalue()
    assert cli("migrate").out == "The schema was up to date already.\n"


def test_alembic_says_why_it_cannot_reach_the_database(
    cli: Cli, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:canary@127.0.0.1:1/d")
    with pytest.raises(SystemExit) as end:
        CommandLine().main(["-c", str(TOP / "alembic.ini"), "upgrade", "head"])
    said = capsys.readouterr()
    assert end.value.code != 0
    assert "No PostgreSQL answers" in said.out + said.err
    assert "canary" not in said.out + said.err


def test_config_tells_where_each_setting_comes_from_and_no_secret(cli: Cli, home: Path) -> None:
    (home / ".env").write_text("LIMIT_GUESSES=7/3hours\nPASWORD_MIN_LENGTH=20\nLOG_LEVEL=ERROR\n")
    told = cli(
        *("config", "--json"),
        SMTP_URL="smtp://canary:canary@mail.example.com:2525",
        MAIL_FROM="porter@example.com",
        LOG_LEVEL="WARNING",
        SECRET_KEY="canaryT9vK2mQ7xW4cR8bN1zL5yP3dF6gH0jSa",
    )
    assert "canary" not in told.out + told.err
    settings = {each["setting"]: (each["value"], each["source"]) for each in json.loads(told.out)}
    assert set(settings) == {name.upper() for name in Settings.model_fields}
    for name, value, source in (
        ("LIMIT_GUESSES", "7/3hours", ".env"),
        ("LOG_LEVEL", "WARNING", "environment"),
        ("SMTP_URL", "smtp://***@mail.example.com:2525", "environment"),
        ("SECRET_KEY", "set, 38 characters", "environment"),
        ("LIMIT_CREDENTIALS", "30/minute", "default"),
        ("WORKER", "true", "default"),
        ("MFA_REQUIRED", "none", "default"),
        ("LINKS_URL", "http://127.0.0.1:8000/links", "derived"),
        ("PASSKEY_RP_ID", "localhost", "derived"),
    ):
        assert settings[name] == (value, source), name
    assert told.err == "In .env, and no setting of ours: PASWORD_MIN_LENGTH\n"
    assert "LIMIT_GUESSES " in cli("config").out


def examined(cli: Cli, **settings: str) -> tuple[int, dict[str, tuple[str, str]]]:
    told = cli("doctor", "--json", **settings)
    return told.code, {each["check"]: (each["state"], each["advice"]) for each in json.loads(told.out)}


def test_a_doctor_makes_no_migration_and_says_what_is_missing(cli: Cli) -> None:
    code, found = examined(cli)
    assert (code, found["migrations"]) == (1, ("problem", "Run: hallporter upgrade"))
    assert found.keys() == {"settings", "mail", "database", "clock", "migrations", "disk"}
    assert cli("migrate").code == 0
    code, found = examined(cli)
    assert (code, found["migrations"][0], found["signing key"][0]) == (0, "ok", "skipped")
    assert "Run: hallporter upgrade" not in cli("doctor").out


def test_a_doctor_looks_at_the_keys_and_at_what_waits(cli: Cli) -> None:
    assert cli("keys", "rotate", "--now").code == 0
    code, found = examined(cli)
    assert (code, found["secret key"][0], found["signing key"][0], found["queue"][0]) == (0, "ok", "ok", "ok")
    code, found = examined(cli, SECRET_KEY="T9vK2mQ7xW4cR8bN1zL5yP3dF6gH0jSa")
    assert (code, found["secret key"][0]) == (1, "problem")


def test_a_doctor_sees_work_that_nobody_does_and_what_was_given_up(cli: Cli, home: Path) -> None:
    async def leave_behind() -> None:
        async with started(Settings(_env_file=None, hallporter_home=home)) as service:
            register = service.container.resolve(RegisterUser)
            await register.execute(email="ada@example.com", password=PASSWORD)
            await service.worker.drain()
            for email in ("bob@example.com", "cyd@example.com"):
                await register.execute(email=email, password=PASSWORD)
        with embedded_postgres(home) as url:
            async with open_queue(url) as queue:
                await queue.driver.execute("UPDATE jobs SET execute_after = now() - interval '1 hour'")
                await queue.driver.execute("UPDATE jobs SET status = 'failed' WHERE id = (SELECT min(id) FROM jobs)")
                await queue.driver.execute("UPDATE messages SET state = 'dead'")

    asyncio.run(leave_behind())
    told = {each["check"]: each["found"] for each in json.loads(cli("doctor", "--json").out)}
    assert told["queue"].startswith("work is due since ")
    assert (told["jobs"], told["mails"]) == ("1 job(s) failed too often", "1 could not be sent")


@pytest.mark.parametrize(
    ("settings", "check"),
    [
        ({"DATABASE_URL": "postgresql://porter:canary@127.0.0.1:1/hallporter"}, "database"),
        ({"SMTP_URL": "smtp://porter:canary@localhost:1", "MAIL_FROM": "porter@example.com"}, "mail"),
        ({"REDIS_URL": "redis://porter:canary@127.0.0.1:1"}, "redis"),
        ({"DATABASE_POOLER_URL": "postgresql://porter:canary@127.0.0.1:1/hallporter"}, "pooler"),
    ],
)
def test_a_doctor_says_who_does_not_answer_and_no_secret(cli: Cli, settings: dict[str, str], check: str) -> None:
    assert cli("migrate").code == 0
    code, found = examined(cli, **settings)
    assert (code, found[check][0]) == (1, "problem")
    told = cli("doctor", **settings)
    assert (told.code, "canary" in told.out + told.err) == (1, False)
