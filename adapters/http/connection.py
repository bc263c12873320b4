"""A connection whose client cannot keep us waiting (fault 34)."""

import asyncio
import itertools
from collections.abc import Callable
from typing import Any, ClassVar, cast, override

from uvicorn import Config
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from adapters.http.armour import REFUSED_BY_SERVER
from adapters.http.limits import LEAVING, ConnectionLimits
from adapters.http.refusals import Refusal, RefusedByHttp
from adapters.http.transport import LingeringTransport

# Connections in the order in which they began to wait: the loop's clock stands still while it takes in many at once.
_turns = itertools.count()


class Connection(HttpToolsProtocol):
    """uvicorn's protocol, with a deadline for everything that is for the client to do, and refusals that are problems.

    When connections become too many, the one goes that has let us wait for its client longest. Requests that are being
    answered go on.
    """

    limits: ClassVar[ConnectionLimits] = ConnectionLimits()

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        # Between two messages, in a head, or in a body; and the bytes of head or body that have been taken.
        self._is_between = True
        self._is_in_head = True
        self._taken = 0
        self._is_deaf = False
        self._is_leaving = False
        self._serving: RequestResponseCycle | None = None
        self._turn = next(_turns)
        self._watched: str | None = None
        self._write_alarm: asyncio.TimerHandle | None = None

    # What the event loop calls

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        has_room = len(self.connections) < self.limits.connections or self._make_room()
        super().connection_made(LingeringTransport(transport, self._is_client_sending, self.limits))
        if has_room:
            self._watch()
        else:
            self.transport.abort()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._is_deaf = True
        self._unset_keepalive_if_required()
        self._stop_write_alarm()
        if self._serving is not None:
            # uvicorn tells only the last of those that are pipelined.
            self._cut_off(self._serving)
        super().connection_lost(exc)

    @override
    def pause_writing(self) -> None:
        super().pause_writing()
        self._write_alarm = self.loop.call_later(self.limits.write_seconds, self.transport.abort)

    @override
    def resume_writing(self) -> None:
        self._stop_write_alarm()
        super().resume_writing()

    @override
    def shutdown(self) -> None:
        """Answer what has been asked, and what may be under way, and say each time that it was the last (fault 36).

        A connection that were closed at once might be closed upon a request, and to its client nothing would tell
        whether that was done.
        """
        self._is_leaving = True
        cast("Callable[[], None]", self.app_state.get(LEAVING, _do_nothing))()
        if not self._is_answered():
            self.cycle.keep_alive = False
        self._watched = None
        self._watch()

    @override
    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        if self._is_leaving:
            self.cycle.keep_alive = False

    # What a request calls when it is answered

    @override
    def on_response_complete(self) -> None:
        self._turn = next(_turns)
        super().on_response_complete()
        self._watched = None
        self._watch()

    @override
    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._serving = cycle
        super()._start_asgi_task(cycle, app)

    # Refusing

    def _refuse(self, refused: RefusedByHttp) -> None:
        """Listen no more, and have the application answer with this, after what was asked before."""
        self._is_deaf = True
        self._unset_keepalive_if_required()
        if not self._is_in_head:
            # It is about the body of a request that has been begun, and takes the place of its answer.
            if self.cycle.response_started:
                self.transport.close()
                return
            self._cut_off(self.cycle)
            if self.pipeline and self.pipeline[0][0] is self.cycle:
                self.pipeline.popleft()
        self.cycle = self._cycle_of(refused)
        serving = self._serving
        if serving is None or serving.response_complete or serving.disconnected:
            self._start_asgi_task(self.cycle, self.app)
        else:
            self.pipeline.appendleft((self.cycle, self.app))

    def _cycle_of(self, refused: RefusedByHttp) -> RequestResponseCycle:
        # A request of which nothing is known, so that nothing of what was refused has a say in its answer.
        self.on_message_begin()
        self.scope |= {"method": "-", "path": "/", "raw_path": b"/", "query_string": b""}
        self.scope["extensions"] = cast("Any", {REFUSED_BY_SERVER: refused})
        cycle = RequestResponseCycle(
            scope=self.scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=False,
            on_response=self.on_response_complete,
        )
        cycle.more_body = False
        return cycle

    @staticmethod
    def _cut_off(cycle: RequestResponseCycle) -> None:
        """Tell the application that its client is gone. What it still sends goes nowhere."""
        cycle.disconnected = True
        cycle.message_event.set()

    # Waiting

    def _is_answered(self) -> bool:
        """Whether nothing has been asked that was not answered."""
        newest = cast("RequestResponseCycle | None", self.cycle)
        return newest is None or newest.response_complete

    def _is_client_sending(self) -> bool:
        return self._is_deaf or not self._is_between or self._taken > 0

    def _is_waiting(self) -> bool:
        """Whether it is for the client to do something."""
        return self._is_answered() or self.cycle.more_body or self.flow.write_paused

    def _make_room(self) -> bool:
        """Give up the connection that has been waiting longest, if one is."""
        waiting = {
            other._turn: other  # noqa: SLF001  (of this class)
            for other in self.connections
            if isinstance(other, Connection) and other._is_waiting()  # noqa: SLF001
        }
        if not waiting:
            return False
        longest = waiting[min(waiting)]
        # At once, and not when it is lost: there may be more who want in until then.
        self.connections.discard(longest)
        longest.transport.abort()
        return True

    def _watch(self) -> None:
        """Set the alarm that the present state calls for. What trickles in does not set it anew."""
        if self._is_deaf or self.transport.is_closing():
            return
        if not self._is_in_head:
            # Before the answer it is the application that waits, by a deadline of its own.
            state = "unread" if self._is_answered() else "busy"
        elif self._is_client_sending():
            state = "head"
        else:
            state = "idle" if self._is_answered() else "busy"
        if state == self._watched:
            return
        self._watched = state
        self._unset_keepalive_if_required()
        match state:
            case "idle":
                patience = self.limits.leave_seconds if self._is_leaving else self.limits.idle_seconds
                self._ring_after(patience, self.transport.close)
            case "head":
                self._ring_after(self.limits.head_seconds, self._refuse_slow_head)
            case "unread":
                self._ring_after(self.limits.unread_seconds, self.transport.abort)

    def _ring_after(self, seconds: float, then: Callable[[], None]) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, then)

    def _refuse_slow_head(self) -> None:
        detail = f"A head must be here within {self.limits.head_seconds:g} seconds."
        self._refuse(RefusedByHttp(Refusal.REQUEST_TIMEOUT, detail=detail))

    def _stop_write_alarm(self) -> None:
        if self._write_alarm is not None:
            self._write_alarm.cancel()
            self._write_alarm = None


def _do_nothing() -> None:
    pass
