"""Callers who remember what they were told, and what they were not: for whoever kills what they call."""

import asyncio
import hashlib
import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

PASSWORD = "a quiet harbour at dawn"
GRACE_SECONDS = 60
"""For as long an answer that was lost is given again."""
_PATIENCE = 8.0
_SURELY_IN_TIME = GRACE_SECONDS - 2 * _PATIENCE
# Below the life of an access token, and the number of sessions that a user may have.
_YOUNG_SECONDS = 600.0
_MOST_SESSIONS = 5


@dataclass
class Kept:
    """A session, as far as its user knows."""

    id: UUID
    access_token: str
    refresh_token: str
    since: float = field(default_factory=time.monotonic)
    may_have_ended: bool = False
    has_ended: bool = False
    asked_at: float | None = None
    """When the refresh began to which there was no answer yet."""

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.refresh_token.encode()).digest()

    @property
    def is_usable(self) -> bool:
        return not (self.has_ended or self.may_have_ended) and time.monotonic() - self.since < _YOUNG_SECONDS


@dataclass
class Person:
    """A user who was told that they are one. What they are called is one of `names`."""

    id: UUID
    email: str
    names: set[str | None] = field(default_factory=lambda: {None})
    sessions: list[Kept] = field(default_factory=list)

    @property
    def usable(self) -> list[Kept]:
        return [kept for kept in self.sessions if kept.is_usable]


class Caller:
    """Does one thing after the other. `ports` are those of processes of which some may be dead."""

    def __init__(self, name: str, chance: random.Random, ports: Callable[[], Sequence[int]]) -> None:
        self.people: list[Person] = []
        self.acknowledged = 0
        self.unanswered = 0
        self.wronged: list[str] = []
        self._name = name
        self._chance = chance
        self._ports = ports
        self._registered = 0

    async def live(self, stopping: asyncio.Event) -> None:
        """Until told to stop, and then to the end of what is being done."""
        while not stopping.is_set():
            person = self._chance.choice(self.people[-6:]) if self.people else None
            if person is None or self._chance.random() < 0.15:
                await self._register()
            elif not person.usable or (len(person.sessions) < _MOST_SESSIONS and self._chance.random() < 0.15):
                if len(person.sessions) < _MOST_SESSIONS:
                    await self._sign_in(person)
                else:
                    await self._register()
            else:
                await self._use(person, self._chance.choice(person.usable))

    async def _use(self, person: Person, kept: Kept) -> None:
        if kept.asked_at is not None:
            await self._refresh(kept)
            return
        match self._chance.choices(["refresh", "rename", "sign out"], [6, 3, 1])[0]:
            case "refresh":
                await self._refresh(kept)
            case "rename":
                await self._rename(person, kept)
            case "sign out":
                await self._sign_out(kept)

    async def _register(self) -> None:
        self._registered += 1
        email = f"{self._name}-{self._registered}@example.com"
        answer = await self._ask("POST", "/v1/users", {"email": email, "password": PASSWORD}, expected=201)
        if answer is not None:
            self.people.append(Person(UUID(answer["id"]), email))

    async def _sign_in(self, person: Person) -> None:
        body = {"email": person.email, "password": PASSWORD}
        answer = await self._ask("POST", "/v1/sessions", body, expected=201)
        if answer is not None:
            kept = Kept(UUID(answer["session_id"]), answer["access_token"], answer["refresh_token"])
            person.sessions.append(kept)

    async def _refresh(self, kept: Kept) -> None:
        kept.asked_at = kept.asked_at or time.monotonic()
        answer = await self._ask("POST", "/v1/sessions/refresh", {"refresh_token": kept.refresh_token}, expected=200)
        if answer is not None:
            kept.access_token, kept.refresh_token, kept.asked_at = answer["access_token"], answer["refresh_token"], None
        elif time.monotonic() - kept.asked_at > _SURELY_IN_TIME:
            # From here on the same token may be taken for a stolen one.
            kept.may_have_ended = True

    async def _rename(self, person: Person, kept: Kept) -> None:
        name = f"{person.email} {self._chance.randrange(10**9)}"
        person.names.add(name)
        answer = await self._ask("PATCH", "/v1/users/me", {"display_name": name}, kept.access_token, expected=200)
        if answer is not None:
            person.names = {name}

    async def _sign_out(self, kept: Kept) -> None:
        kept.may_have_ended = True
        answer = await self._ask("DELETE", "/v1/sessions/current", None, kept.access_token, expected=204)
        kept.has_ended = answer is not None

    async def _ask(
        self, method: str, path: str, body: object, token: str = "", *, expected: int
    ) -> dict[str, Any] | None:
        """The answer, or None where it is not known what became of it: 503 says no more than silence."""
        try:
            async with asyncio.timeout(_PATIENCE):
                status, answer = await _asked(self._chance.choice(self._ports()), method, path, body, token)
        except (OSError, EOFError, ValueError):
            status, answer = 0, {}
        if status == expected:
            self.acknowledged += 1
            return answer
        self.unanswered += 1
        if status not in {0, 503}:
            self.wronged.append(f"{method} {path} of {self._name}: {status} {answer.get('code')}")
        await asyncio.sleep(0.05)
        return None


async def _asked(port: int, method: str, path: str, body: object, token: str) -> tuple[int, dict[str, Any]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        content = json.dumps(body).encode() if body is not None else b""
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Connection: close"]
        lines += ["Content-Type: application/json"] if content else []
        lines += [f"Authorization: Bearer {token}"] if token else []
        head = "\r\n".join([*lines, f"Content-Length: {len(content)}", "", ""])
        writer.write(head.encode() + content)
        answered = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(answered.partition("content-length: ")[2].partition("\r\n")[0] or 0)
        said = await reader.readexactly(length)
        return int(answered.split()[1]), json.loads(said) if said else {}
    finally:
        writer.transport.abort()
