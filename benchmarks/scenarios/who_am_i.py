"""S1: who am I? The question behind every request, so the one whose cost matters most."""

from benchmarks.conversation import Answer, Client, Load, Request
from benchmarks.findings import Finding, at_least
from benchmarks.lab import Lab, Options
from benchmarks.loading import sampled
from benchmarks.people import SignedIn, newcomer
from benchmarks.processes import Server
from benchmarks.ratios import spread_of_ratios
from benchmarks.results import Results
from benchmarks.rounds import Subject, interleaved
from benchmarks.samples import Sample
from benchmarks.scenarios.answers import answer_to, expect_same

PATH = "/v1/users/me"
_CLIENTS = 8
_TARGET = at_least(0.65)


def run(lab: Lab, options: Options) -> Results:
    """Compare with the same token, the same row and the same JSON, bare."""
    person = newcomer(lab.hallporter, "who@example.com")
    servers = (lab.limit("bare ASGI"), lab.limit("bare Starlette"), lab.hallporter)
    expect_same([answer_to(server, PATH, person.headers) for server in servers])
    measured = interleaved(
        [_subject(server, person) for server in servers], rounds=options.rounds, seconds=options.seconds
    )
    ours = [sample.cost for sample in measured[lab.hallporter.name]]
    findings = []
    for limit, target in (("bare Starlette", _TARGET), ("bare ASGI", None)):
        theirs = [sample.cost for sample in measured[limit]]
        found = spread_of_ratios(theirs, ours)
        findings.append(Finding(scenario="s1", what=f"who am I, of {limit}", found=found, target=target))
    return Results(findings=findings, measured=measured)


def load_of(server: Server, person: SignedIn, *, seconds: float, clients: int = _CLIENTS) -> Load:
    """So many clients who ask it, each time answered with the very same text."""
    client = Client(requests=(Request(method="GET", path=PATH, headers=person.headers),))
    right = Answer(status=200, body=answer_to(server, PATH, person.headers))
    return Load(port=server.port, clients=(client,) * clients, right=(right,), seconds=seconds)


def _subject(server: Server, person: SignedIn) -> Subject:
    def measure(seconds: float) -> Sample:
        return sampled(server, load_of(server, person, seconds=seconds))

    return Subject(server.name, measure)
