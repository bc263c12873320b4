"""Looking whether all is well: each thing that has to be right, what is wrong with it, and what to do.

Nothing is changed by looking; above all no migration is made.
"""

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from adapters.mail.smtp_server import SmtpServer
from adapters.mail.templates import Templates, TemplatesProblem
from adapters.memory.rate_limiter import MemoryRateLimiter
from adapters.postgres import schema
from adapters.postgres.database import wanted_settings
from adapters.postgres.examination import Examined, examine, is_set_up
from adapters.postgres.own_server import EmbeddedPostgresError
from adapters.postgres.problems import DatabaseProblem
from application.ports.mailer import MailDelayed
from application.ports.rate_limiter import ThrottlesUnavailable
from application.ports.unit_of_work import DatabaseUnavailable
from application.ports.vital_signs import VitalSigns
from domain.messages.message import MessageState
from domain.signing.signing_key import SigningPolicy
from domain.throttling.throttle import Limit, Throttle
from entrypoints.adapters import open_adapters, open_rate_limiter
from entrypoints.container import build_container
from entrypoints.database import database_url
from entrypoints.settings import Settings
from entrypoints.startup import StartupProblem, expect_readable_keys

_GIBIBYTE = 2**30
_LITTLE_SPACE, _NO_SPACE = 5 * _GIBIBYTE, _GIBIBYTE
# Tokens are good to the second, and codes of apps to half a minute.
_CLOCKS_DIFFER, _CLOCKS_ARE_WRONG = timedelta(seconds=1), timedelta(seconds=15)
# A worker takes what is due within a second or so; whoever waits for minutes waits for nobody.
_NOBODY_WORKS = timedelta(minutes=5)
# Keys rotate when they are used next.
_ROTATION_IS_LATE = timedelta(days=7)


class State(StrEnum):
    """How it is."""

    OK = "ok"
    WARNING = "warning"
    """It works, and may not for long, or not as it should."""
    PROBLEM = "problem"
    SKIPPED = "skipped"
    """There is nothing to look at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at. `advice` is what to do where it is not well."""

    check: str
    state: State
    found: str
    advice: str = ""


async def findings(settings: Settings) -> AsyncIterator[Finding]:
    """All of them, one after the other. What rests on something that is missing is not looked at."""
    yield _ok("settings", f"usable, for {settings.environment}")
    yield await _mail(settings)
    try:
        with database_url(settings) as url:
            async for finding in _of_database(settings, url):
                yield finding
    except EmbeddedPostgresError as problem:
        yield _problem("database", str(problem), "Mend that, or set DATABASE_URL to a server of yours")
    yield _disk(settings)


async def _of_database(settings: Settings, url: str) -> AsyncIterator[Finding]:
    try:
        async with schema.connected(url) as connection:
            examined = await examine(connection)
    except DatabaseProblem as problem:
        yield _problem("database", str(problem), "")
        return
    yield _ok("database", f"PostgreSQL {examined.server_version} answers in {_milliseconds(examined.took)} ms")
    yield _clock(examined)
    if examined.signs is None:
        yield _problem("migrations", "some of this release are missing", "Run: hallporter upgrade")
        return
    yield _ok("migrations", "all there")
    yield _indexes(examined.unfinished)
    yield _role(examined)
    yield await _pooler(settings, examined.role)
    if examined.signs.key_age is None:
        # Asking for one would make it.
        yield Finding(check="signing key", state=State.SKIPPED, found="none yet: the first token makes one")
    else:
        yield await _root_key(settings, url, examined.role)
        yield _signing_key(examined.signs.key_age)
    for finding in _queue(examined.signs):
        yield finding
    yield await _throttles(settings)


def _clock(examined: Examined) -> Finding:
    ahead, found = examined.ahead, f"{_milliseconds(examined.ahead):+d} ms from ours"
    if abs(ahead) <= _CLOCKS_DIFFER + examined.took:
        return _ok("clock", found)
    state = State.PROBLEM if abs(ahead) > _CLOCKS_ARE_WRONG else State.WARNING
    advice = "Keep the time of this machine and of the database by NTP: tokens and codes expire by it"
    return Finding(check="clock", state=state, found=f"that of the database is {found}", advice=advice)


def _indexes(unfinished: list[str]) -> Finding:
    if not unfinished:
        return _ok("indexes", "all finished")
    found = f"begun and not finished: {', '.join(unfinished)}. Nothing is found by them, and every write is slower"
    return Finding(check="indexes", state=State.WARNING, found=found, advice="Run: hallporter upgrade")


def _role(examined: Examined) -> Finding:
    if examined.role is not None:
        return _ok("rights", f"connections work as {examined.role}, which cannot change the audit log")
    advice = "Let the user of DATABASE_URL make roles once, and run: hallporter migrate (docs/audit.md)"
    found = "connections have all rights of their user: whoever takes the service over can change the audit log"
    return Finding(check="rights", state=State.WARNING, found=found, advice=advice)


async def _pooler(settings: Settings, role: str | None) -> Finding:
    if settings.database_pooler_url is None:
        return Finding(check="pooler", state=State.SKIPPED, found="requests go to the database itself")
    try:
        if await is_set_up(settings.database_pooler_url.get_secret_value(), role=role):
            return _ok("pooler", "answers, and its connections are set up")
    except DatabaseUnavailable:
        return _problem("pooler", "does not answer", "Start it, or mend DATABASE_POOLER_URL")
    wanted = "; ".join(f"SET {name} = {value}" for name, value in wanted_settings(role).items())
    return _problem("pooler", "its connections are not set up", f"Let its connect_query be: {wanted}")


async def _root_key(settings: Settings, url: str, role: str | None) -> Finding:
    async with open_adapters(settings, url, role=role) as adapters:
        try:
            await expect_readable_keys(build_container(settings, adapters), adapters)
        except StartupProblem as problem:
            return _problem("secret key", str(problem), "")
    return _ok("secret key", "opens what is sealed")


def _signing_key(age: timedelta) -> Finding:
    if age > SigningPolicy().rotate_after + _ROTATION_IS_LATE:
        advice = "Keys rotate when tokens are made. If some are, look at the log; else run: hallporter keys rotate"
        return Finding(check="signing key", state=State.WARNING, found=f"{age.days} days old", advice=advice)
    return _ok("signing key", f"{age.days} days old")


def _queue(signs: VitalSigns) -> list[Finding]:
    late = max(jobs.overdue for jobs in signs.jobs)
    parked, dead = sum(jobs.parked for jobs in signs.jobs), signs.mails[MessageState.DEAD]
    found = [_ok("queue", "nobody waits")]
    if late > _NOBODY_WORKS:
        advice = "Run hallporter serve with WORKER=true, or: hallporter worker"
        found = [_problem("queue", f"work is due since {datetime.now(UTC) - late:%Y-%m-%d %H:%M} UTC", advice)]
    if parked:
        advice = "See: hallporter jobs list. When the cause is mended: hallporter jobs retry"
        told = f"{parked} job(s) failed too often"
        found.append(Finding(check="jobs", state=State.WARNING, found=told, advice=advice))
    if dead:
        advice = "See: hallporter messages list --state dead. When the cause is mended: hallporter messages retry"
        told = f"{dead} could not be sent"
        found.append(Finding(check="mails", state=State.WARNING, found=told, advice=advice))
    return found


async def _throttles(settings: Settings) -> Finding:
    if settings.redis_url is None:
        return Finding(check="redis", state=State.SKIPPED, found="counters are in PostgreSQL")
    async with open_rate_limiter(settings, otherwise=MemoryRateLimiter()) as limiter:
        tried = Throttle(owner="doctor", name="doctor", limit=Limit(1000, timedelta(minutes=1)))
        try:
            await limiter.use(tried, at=datetime.now(UTC))
        except ThrottlesUnavailable:
            advice = "Start it, or mend REDIS_URL: without it nobody signs in"
            return _problem("redis", "does not answer", advice)
    return _ok("redis", "counts")


async def _mail(settings: Settings) -> Finding:
    try:
        templates = Templates(service=settings.service_name or settings.public_host, folder=settings.mail_templates)
    except TemplatesProblem as problem:
        return _problem("mail", str(problem), "Mend the templates, or leave MAIL_TEMPLATES out")
    if settings.smtp_url is None:
        return Finding(check="mail", state=State.SKIPPED, found="goes into the mailbox of development")
    from adapters.mail.smtp import SmtpMailer  # noqa: PLC0415  (what sends is loaded where there is a relay)

    server = SmtpServer.parse(settings.smtp_url.get_secret_value())
    try:
        await SmtpMailer(server, sender=settings.sender, templates=templates).greet()
    except MailDelayed as problem:
        return _problem("mail", str(problem), f"Look at SMTP_URL, and whether {server.host}:{server.port} is there")
    return _ok("mail", f"{server.host}:{server.port} takes us")


def _disk(settings: Settings) -> Finding:
    if settings.database_url is not None:
        return Finding(check="disk", state=State.SKIPPED, found="the data is on a server of yours")
    free = shutil.disk_usage(settings.hallporter_home.expanduser().absolute()).free
    found = f"{free / _GIBIBYTE:.1f} GiB free in {settings.hallporter_home}"
    if free >= _LITTLE_SPACE:
        return _ok("disk", found)
    state = State.PROBLEM if free < _NO_SPACE else State.WARNING
    return Finding(check="disk", state=state, found=found, advice="Make room, or move HALLPORTER_HOME")


def _ok(check: str, found: str) -> Finding:
    return Finding(check=check, state=State.OK, found=found)


def _problem(check: str, found: str, advice: str) -> Finding:
    return Finding(check=check, state=State.PROBLEM, found=found, advice=advice)


def _milliseconds(time: timedelta) -> int:
    return round(time / timedelta(milliseconds=1))
