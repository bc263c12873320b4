"""S6: what others notice while all cores hash passwords."""

import time
from dataclasses import replace

from benchmarks.conversation import Answer, Client, Load, Outcome, Request
from benchmarks.findings import Finding, at_most
from benchmarks.lab import Lab, Options
from benchmarks.loading import all_carried_out, carried_out, sample_of
from benchmarks.machine import cores
from benchmarks.people import SignedIn, newcomer
from benchmarks.processes import Server
from benchmarks.ratios import Spread, spread_of_ratios
from benchmarks.results import Results
from benchmarks.rounds import Subject, interleaved
from benchmarks.samples import Sample
from benchmarks.scenarios.hashing import CLIENTS, signing_in
from benchmarks.scenarios.shapes import PROBLEM, PROBLEM_MAY_HAVE, TOKENS
from benchmarks.scenarios.who_am_i import load_of

# Half as many again as the queue of hashes has places for: 64 for each core.
_CROWD = 96 * cores()
_ONE_AFTER_THE_OTHER = 1
_MILLISECONDS_TO_LIVEZ = 100
_MILLISECONDS_TO_BUSY = 50
_BUSY = 503
_SIGNED_IN = Answer(status=201, fields=TOKENS)
_TOLD_TO_WAIT = Answer(status=_BUSY, fields=PROBLEM, may_have=PROBLEM_MAY_HAVE, headers=("Retry-After",))
_IDLE, _BESIDE, _LIVEZ, _REFUSED = "who am I, idle", "who am I, beside sign-ins", "/livez, beside", "sign-in, refused"


def run(lab: Lab, options: Options) -> Results:
    """Ask who am I alone, and beside clients that sign in without a pause; then let a crowd come at once."""
    server = lab.hallporter
    person = newcomer(server, "beside@example.com")
    beside = _Beside(server, person)
    crowd = _Crowd(server, _crowd(server))
    subjects = [
        Subject(_IDLE, lambda seconds: _sample(carried_out(_asking(server, person, seconds)))),
        Subject(_BESIDE, beside.measure),
        Subject(_REFUSED, crowd.measure),
    ]
    measured = interleaved(subjects, rounds=options.rounds, seconds=options.seconds)
    # What warmed up does not count there either.
    measured[_LIVEZ] = beside.livez[1:]
    p99 = spread_of_ratios([one.p99 for one in measured[_BESIDE]], [one.p99 for one in measured[_IDLE]])
    livez = Spread.of([one.slowest / _MILLISECONDS_TO_LIVEZ for one in measured[_LIVEZ]])
    refused = Spread.of([one.p99 / _MILLISECONDS_TO_BUSY for one in measured[_REFUSED]])
    return Results(
        findings=[
            Finding(
                scenario="s6",
                what=f"p99 of who am I beside {CLIENTS} clients who sign in, times idle",
                found=p99,
                target=at_most(5),
            ),
            Finding(
                scenario="s6",
                what=f"slowest /livez meanwhile, of {_MILLISECONDS_TO_LIVEZ} ms",
                found=livez,
                target=at_most(1),
                absolute=f"{max(one.slowest for one in measured[_LIVEZ]):.0f} ms",
            ),
            Finding(
                scenario="s6",
                what=f"p99 of sign-ins told to wait (503), of {_MILLISECONDS_TO_BUSY} ms",
                found=refused,
                target=at_most(1),
                absolute=f"{max(one.p99 for one in measured[_REFUSED]):.0f} ms",
            ),
        ],
        measured=measured,
    )


class _Beside:
    """Who am I and /livez, while clients sign in without a pause."""

    def __init__(self, server: Server, person: SignedIn) -> None:
        self._server = server
        self._person = person
        self._clients = signing_in(server)
        self.livez: list[Sample] = []

    def measure(self, seconds: float) -> Sample:
        port = self._server.port
        probe = Client(requests=(Request(method="GET", path="/livez"),))
        alive = Answer(status=200, fields=("status",))
        # The processes that load take a moment to start; sign-ins begin before the others and end after them.
        soon = time.time() + 1.0
        asked = _asking(self._server, self._person, seconds)
        _, who, livez = all_carried_out(
            Load(port=port, clients=self._clients, right=(_SIGNED_IN,), seconds=seconds + 1.0, starts_at=soon),
            replace(asked, starts_at=soon + 0.5),
            Load(port=port, clients=(probe,), right=(alive,), seconds=seconds, starts_at=soon + 0.5, pause=0.02),
        )
        self.livez.append(_sample(livez))
        return _sample(who)


class _Crowd:
    """Sign-ins at once, many more than there are places; who is told to wait waits as long as that."""

    def __init__(self, server: Server, clients: tuple[Client, ...]) -> None:
        self._server = server
        self._clients = clients

    def measure(self, seconds: float) -> Sample:
        right = (_SIGNED_IN, _TOLD_TO_WAIT)
        load = Load(port=self._server.port, clients=self._clients, right=right, seconds=seconds)
        outcome = carried_out(load)
        refused = {_BUSY: outcome.microseconds.get(_BUSY, [])}
        return _sample(replace(outcome, microseconds=refused))


def _crowd(server: Server) -> tuple[Client, ...]:
    few = signing_in(server, clients=CLIENTS)
    requests = [request for client in few for request in client.requests]
    return tuple(Client(requests=(requests[number % len(requests)],)) for number in range(_CROWD))


def _asking(server: Server, person: SignedIn, seconds: float) -> Load:
    # With a moment to start at, for both that are compared to have the same generator.
    return replace(load_of(server, person, seconds=seconds, clients=_ONE_AFTER_THE_OTHER), starts_at=time.time())


def _sample(outcome: Outcome) -> Sample:
    # Latencies are all that is looked at here.
    return sample_of(outcome, processor=0.0)
