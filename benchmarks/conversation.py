"""What is asked of a server and what it must answer: all that crosses over to the process that asks."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

NUMBER = "<number>"
"""In a body: how many requests the client has sent before."""
CARRIED = "<carried>"
"""In a body: what the last answer told, as `Client.carries` names it."""


class WrongAnswer(Exception):
    """A server did not answer as it must: what was measured means nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""

    def encoded(self, host: str, number: int, carried: str) -> bytes:
        """As it goes over the wire."""
        body = self.body.replace(NUMBER, str(number)).replace(CARRIED, carried).encode()
        headers = {"Host": host, **self.headers}
        if body:
            headers |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
        lines = [f"{self.method} {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + body

    @property
    def is_always_the_same(self) -> bool:
        """Whether it has no blanks to be filled in."""
        return NUMBER not in self.body and CARRIED not in self.body


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer that is right: to the letter, or else a JSON object of these fields, and these headers.

    `may_have` are fields that may be left out.
    """

    status: int
    body: str | None = None
    fields: tuple[str, ...] = ()
    may_have: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()

    def fault(self, headers: Mapping[str, str], body: str) -> str | None:
        """What is wrong with an answer of this status; None where nothing is."""
        if missing := [name for name in self.headers if name.lower() not in headers]:
            return f"lacks the header {missing[0]}"
        if self.body is not None:
            return None if body == self.body else f"says {body[:300]!r} and not {self.body[:300]!r}"
        try:
            told = json.loads(body) if self.fields else {}
        except ValueError:
            return f"is not JSON: {body[:300]!r}"
        if not isinstance(told, dict) or set(told) - set(self.may_have) != set(self.fields) - set(self.may_have):
            return f"is not an object of {', '.join(sorted(self.fields))}: {body[:300]!r}"
        return None


def fault_of(right: tuple[Answer, ...], status: int, headers: Mapping[str, str], body: str) -> str | None:
    """What is wrong with an answer; None where it is one of the right ones."""
    for answer in right:
        if answer.status == status:
            return answer.fault(headers, body)
    return f"has status {status} and not {' or '.join(str(answer.status) for answer in right)}: {body[:300]!r}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """One connection, kept: it sends these requests in a circle, each when the one before is answered.

    `carries` is the field of an answer that goes into the next request, `carried` what goes into the first.
    """

    requests: tuple[Request, ...]
    carries: str | None = None
    carried: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Clients, all at once, for so long; one that is told to wait (`Retry-After`) does.

    `starts_at` is a moment as of `time.time()`, for several loads beside each other. `pause` is waited after each
    answer, in seconds.
    """

    port: int
    clients: tuple[Client, ...]
    right: tuple[Answer, ...]
    seconds: float
    starts_at: float = 0.0
    pause: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How long each answer took, in microseconds, by its status, and how long all of them together."""

    seconds: float
    microseconds: dict[int, list[int]]
