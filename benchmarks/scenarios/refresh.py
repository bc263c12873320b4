"""S4: refreshing. Everybody who is signed in does it every few minutes."""

import json

from benchmarks.conversation import CARRIED, Answer, Client, Load, Request
from benchmarks.findings import Finding, at_least
from benchmarks.lab import Lab, Limit, Options
from benchmarks.loading import sampled
from benchmarks.people import newcomer
from benchmarks.ratios import spread_of_ratios
from benchmarks.results import Results
from benchmarks.rounds import Subject, interleaved
from benchmarks.samples import Sample
from benchmarks.scenarios.shapes import TOKENS

PATH = "/v1/sessions/refresh"
_CLIENTS = 8
_LIMIT: Limit = "bare Starlette"
_BODY = json.dumps({"refresh_token": CARRIED})


def run(lab: Lab, options: Options) -> Results:
    """Compare with a handler that updates one row by the digest of the token and tells what it returns."""
    limit = lab.limit(_LIMIT)
    request = Request(method="POST", path=PATH, body=_BODY)
    emails = [f"refresh-{number}@example.com" for number in range(_CLIENTS)]
    # The limit hands no tokens out, so that it takes the same one each time. Each client has its own row to lock.
    kept = tuple(Client(requests=(request,), carried=newcomer(lab.hallporter, email).refresh_token) for email in emails)

    def measure_limit(seconds: float) -> Sample:
        right = (Answer(status=200, fields=("session_id", "generation")),)
        return sampled(limit, Load(port=limit.port, clients=kept, right=right, seconds=seconds))

    def measure_ours(seconds: float) -> Sample:
        # New sessions for each round: a session that the round before has refreshed goes on where nobody knows.
        tokens = [newcomer(lab.hallporter, email).refresh_token for email in emails]
        clients = tuple(Client(requests=(request,), carries="refresh_token", carried=token) for token in tokens)
        right = (Answer(status=200, fields=TOKENS),)
        return sampled(lab.hallporter, Load(port=lab.hallporter.port, clients=clients, right=right, seconds=seconds))

    subjects = [Subject(_LIMIT, measure_limit), Subject("Hallporter", measure_ours)]
    measured = interleaved(subjects, rounds=options.rounds, seconds=options.seconds)
    found = spread_of_ratios(
        [sample.cost for sample in measured[_LIMIT]], [sample.cost for sample in measured["Hallporter"]]
    )
    what = "refresh, of a bare UPDATE … RETURNING"
    return Results(findings=[Finding(scenario="s4", what=what, found=found, target=at_least(0.35))], measured=measured)
