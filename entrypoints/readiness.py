"""Whether this process is ready: what it works on, and its own worker if it has one."""

from collections.abc import Sequence

from adapters.jobs.heartbeat import Heartbeat
from application.ports.readiness import Readiness

# Longer than a worker takes to notice that its connection is gone, and to come back.
_MOST_SILENCE = 120.0


class ReadinessOfProcess:
    """Another one's `Readiness`, and whether the worker beside it was heard of in the last two minutes."""

    def __init__(self, readiness: Readiness, heartbeat: Heartbeat) -> None:
        self._readiness = readiness
        self._heartbeat = heartbeat

    async def problems(self) -> Sequence[str]:
        problems = await self._readiness.problems()
        silence = self._heartbeat.silence
        # While the database is away, so is the worker: that is one problem and not two.
        if not problems and silence is not None and silence > _MOST_SILENCE:
            return [f"The worker of this process was not heard of for {silence:.0f} seconds."]
        return problems


def _is_readiness(process: ReadinessOfProcess) -> Readiness:
    return process
