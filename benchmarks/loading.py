"""Having a load carried out by a process of its own."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from pydantic import TypeAdapter

from benchmarks import wrk
from benchmarks.conversation import Load, Outcome, WrongAnswer
from benchmarks.processes import TOP, Server
from benchmarks.samples import Sample, percentile

_LOAD, _OUTCOME = TypeAdapter(Load), TypeAdapter(Outcome)


def carried_out(load: Load) -> Outcome:
    """What came of the load, by whatever suits it best.

    Raises: WrongAnswer.
    """
    if wrk.suits(load):
        return wrk.carried_out(load)
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.load"],
        check=False,
        cwd=TOP,
        input=_LOAD.dump_json(load),
        capture_output=True,
    )
    if ran.returncode != 0:
        raise WrongAnswer(ran.stderr.decode(errors="replace").strip())
    return _OUTCOME.validate_json(ran.stdout)


def all_carried_out(*loads: Load) -> list[Outcome]:
    """What came of loads that were carried out beside each other, each by a process of its own.

    Raises: WrongAnswer.
    """
    with ThreadPoolExecutor(len(loads)) as threads:
        return list(threads.map(carried_out, loads))


def sampled(server: Server, load: Load) -> Sample:
    """What the load came to at a server.

    Raises: WrongAnswer, which names the server.
    """
    before = server.processor_seconds()
    try:
        outcome = carried_out(load)
    except WrongAnswer as wrong:
        message = f"{server.name}: {wrong}"
        raise WrongAnswer(message) from None
    return sample_of(outcome, processor=server.processor_seconds() - before)


def sample_of(outcome: Outcome, *, processor: float, database: float = 0.0) -> Sample:
    """An outcome in figures.

    Raises: WrongAnswer where nothing was answered at all.
    """
    taken = [each / 1000 for status in outcome.microseconds.values() for each in status]
    if not taken:
        message = "nothing was answered: give it more --seconds"
        raise WrongAnswer(message)
    return Sample(
        requests=len(taken),
        seconds=outcome.seconds,
        processor=processor,
        database=database,
        median=percentile(taken, 0.5),
        p99=percentile(taken, 0.99),
        slowest=max(taken),
    )
