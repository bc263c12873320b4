"""S2 and S3: signing in and registering, of which nearly everything is meant to be Argon2id."""

import json
import secrets
import subprocess
import sys
from collections.abc import Callable

from benchmarks.conversation import NUMBER, Answer, Client, Load, Request
from benchmarks.findings import Finding, Target, at_least
from benchmarks.lab import Lab, Options
from benchmarks.loading import sampled
from benchmarks.people import PASSWORD, register
from benchmarks.processes import TOP, Server, clean_environment
from benchmarks.ratios import spread_of_ratios
from benchmarks.results import Results
from benchmarks.rounds import Subject, interleaved
from benchmarks.samples import Sample
from benchmarks.scenarios.shapes import TOKENS, USER

CLIENTS = 8
# More users than clients: nobody has so many sessions that the oldest would have to end.
_USERS_OF_A_CLIENT = 8
_RAW = "raw Argon2id"


def run_sign_in(lab: Lab, options: Options) -> Results:
    """Compare signing in with hashing alone."""
    clients = signing_in(lab.hallporter)

    def measure(seconds: float) -> Sample:
        load = Load(
            port=lab.hallporter.port, clients=clients, right=(Answer(status=201, fields=TOKENS),), seconds=seconds
        )
        return sampled(lab.hallporter, load)

    return _compared("s2", "sign in", measure, at_least(0.95), options)


def run_register(lab: Lab, options: Options) -> Results:
    """Compare registering with hashing alone."""

    def measure(seconds: float) -> Sample:
        right = (Answer(status=201, fields=USER),)
        return sampled(
            lab.hallporter, Load(port=lab.hallporter.port, clients=_registering(), right=right, seconds=seconds)
        )

    return _compared("s3", "register", measure, at_least(0.9), options)


def signing_in(
    server: Server, *, clients: int = CLIENTS, users_of_each: int = _USERS_OF_A_CLIENT
) -> tuple[Client, ...]:
    """So many clients, each of whom signs users of its own in: one user's guesses are counted one by one."""
    made = []
    for client in range(clients):
        emails = [f"sign-in-{client}-{number}@example.com" for number in range(users_of_each)]
        for email in emails:
            register(server, email)
        bodies = [json.dumps({"email": email, "password": PASSWORD}) for email in emails]
        requests = [Request(method="POST", path="/v1/sessions", body=body) for body in bodies]
        made.append(Client(requests=tuple(requests)))
    return tuple(made)


def _registering() -> tuple[Client, ...]:
    clients = []
    for _ in range(CLIENTS):
        # Nobody has registered by it in a round before.
        email = f"register-{secrets.token_hex(8)}-{NUMBER}@example.com"
        body = json.dumps({"email": email, "password": PASSWORD, "display_name": "Ada"})
        clients.append(Client(requests=(Request(method="POST", path="/v1/users", body=body),)))
    return tuple(clients)


def _compared(
    scenario: str, name: str, measure_ours: Callable[[float], Sample], target: Target, options: Options
) -> Results:
    subjects = [Subject(_RAW, _hash), Subject(name, measure_ours)]
    measured = interleaved(subjects, rounds=options.rounds, seconds=options.seconds)
    raw, ours = measured[_RAW], measured[name]
    by_processor = spread_of_ratios([sample.cost for sample in raw], [sample.cost for sample in ours])
    by_rate = spread_of_ratios([sample.rate for sample in ours], [sample.rate for sample in raw])
    return Results(
        findings=[
            Finding(scenario=scenario, what=f"{name}, of {_RAW}, processor time", found=by_processor, target=target),
            Finding(scenario=scenario, what=f"{name}, of {_RAW}, how many a second", found=by_rate),
        ],
        measured=measured,
    )


def _hash(seconds: float) -> Sample:
    command = [sys.executable, "-m", "benchmarks.servers.hashing", str(seconds)]
    ran = subprocess.run(command, check=True, cwd=TOP, env=clean_environment({}), capture_output=True)
    return Sample(**json.loads(ran.stdout))
