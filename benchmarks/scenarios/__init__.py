"""What is measured, each by its name for `--only`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from benchmarks.lab import Lab, Options
from benchmarks.results import Results
from benchmarks.scenarios import (
    beside_sign_ins,
    counting,
    hashing,
    importing,
    listing,
    refresh,
    starting,
    who_am_i,
)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One of them."""

    title: str
    run: Callable[[Lab, Options], Results]


SCENARIOS: Mapping[str, Scenario] = {
    "s1": Scenario("who am I", who_am_i.run),
    "s2": Scenario("sign in", hashing.run_sign_in),
    "s3": Scenario("register", hashing.run_register),
    "s4": Scenario("refresh", refresh.run),
    "s5": Scenario("operators' list of users", listing.run),
    "s6": Scenario("others beside sign-ins", beside_sign_ins.run),
    "s7": Scenario("round trips", counting.run),
    "s8": Scenario("start and memory", starting.run),
    "s9": Scenario("moving in", importing.run),
}
