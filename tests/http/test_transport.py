"""Closing so that last words are heard, but not for ever."""

import asyncio

import pytest

from adapters.http.limits import ConnectionLimits
from adapters.http.transport import LingeringTransport

AT_ONCE = ConnectionLimits(linger_seconds=0, write_seconds=0)


class Stuck(asyncio.Transport):
    """A transport whose client neither reads nor leaves."""

    def __init__(self) -> None:
        super().__init__()
        self.aborted = asyncio.Event()
        self.done: list[str] = []

    def close(self) -> None:
        self.done.append("close")

    def is_closing(self) -> bool:
        return "close" in self.done

    def abort(self) -> None:
        self.aborted.set()

    def resume_reading(self) -> None:
        self.done.append("read on")

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.done.append("end")

    def get_write_buffer_size(self) -> int:
        return 1


@pytest.mark.parametrize(("is_sending", "done"), [(True, ["read on", "end"]), (False, ["close"])])
async def test_fault_34_a_client_that_does_not_take_its_answer_is_cut_off(*, is_sending: bool, done: list[str]) -> None:
    stuck = Stuck()
    transport = LingeringTransport(stuck, lambda: is_sending, AT_ONCE)
    transport.close()
    transport.close()
    assert transport.is_closing()
    assert stuck.done == done
    async with asyncio.timeout(10):
        await stuck.aborted.wait()
