"""What a MasterOrchestrator owns and must end: core, streams, handlers, restart callables.

It holds no reference to the MasterOrchestrator, nor to anything of the user's that may. So when the
user drops the last reference, Python collects the MasterOrchestrator, and the Runtime is closed.
The same happens at interpreter exit.
"""

from __future__ import annotations

import atexit
import math
import os
import threading
import time
import weakref
from collections.abc import Callable, Sequence

from azora_orchestrator import _core
from azora_orchestrator._arguments import deadline_of
from azora_orchestrator._callables import UserCallable
from azora_orchestrator._callbacks import Callbacks
from azora_orchestrator._calls import call_interruptibly, caller_has_left
from azora_orchestrator._deliveries import Caller, Delivery, LoopDelivery, ThreadDelivery
from azora_orchestrator._loop_thread import LoopThread
from azora_orchestrator._loop_watch import LoopWatch
from azora_orchestrator._restarts import Restarts
from azora_orchestrator._subscriptions import Handler, Subscription, function_of
from azora_orchestrator.errors import AzoraError, ForkedHandle, OrchestratorClosed, TimedOut
from azora_orchestrator.events import EventStream

__all__ = ["Runtime"]

_JOIN_SECONDS = 2.0  # for handlers that still run when everything ends
_SLICE_MS = 250  # how long a waiting call may delay Ctrl-C, or the end of the program


class Runtime:
    """Threads: any method on any thread. `close()` may be called from a handler."""

    def __init__(self, core: _core.Core, callbacks: Callbacks) -> None:
        self.core = core
        self._callbacks = weakref.ref(callbacks)
        self._loops = LoopThread()
        self._watch = LoopWatch()
        self.restarts = Restarts(core, self._loops, callbacks)
        self._pid = os.getpid()
        # One thread may take it twice: the collector may close us in the midst of anything.
        self._lock = threading.RLock()
        self._released = _program.ends
        self._closed = False
        self._close_done = threading.Event()
        self._streams: weakref.WeakSet[EventStream] = weakref.WeakSet()
        self._deliveries: list[Delivery] = []
        _live.add(self)

    @property
    def closed(self) -> bool:
        """True once close() was called."""
        return self._closed

    @property
    def forked(self) -> bool:
        """True in a child made by fork(): everything here belongs to the parent."""
        return os.getpid() != self._pid

    def check_fork(self) -> None:
        """Refuse in a forked child, before a lock is touched that no thread there would release."""
        if self.forked:
            raise ForkedHandle(
                "this handle belongs to the parent process; create a new orchestrator after fork()"
            )

    # Events.

    def stream(
        self, since: int | None, types: Sequence[str] | None, service: str | None
    ) -> EventStream:
        """Open a stream that ends together with this object."""
        self.check_fork()
        chosen = None if types is None else list(types)
        stream = EventStream(self.core.cursor(since, chosen, service))
        with self._lock:
            self._streams.add(stream)
            if self.closed or self._released:
                stream._end()
        return stream

    def subscribe(
        self, types: Sequence[str] | None, service: str | None, handler: Handler
    ) -> Subscription:
        """Start to call a handler with events."""
        self.check_fork()
        callbacks = self._callbacks()
        if callbacks is None:
            raise OrchestratorClosed("the orchestrator is closed")
        chosen = None if types is None else list(types)
        function = UserCallable(function_of(handler), self._loops)
        stream = EventStream(self.core.cursor(None, chosen, service))
        delivery: Delivery
        if function.is_async:
            delivery = LoopDelivery(
                stream, function, failed=self._failed, ended=self._ended, watch=self._watch
            )
        else:
            delivery = ThreadDelivery(stream, function, failed=self._failed, ended=self._ended)
        subscription = Subscription(handler, function, delivery)
        with self._lock:
            self._deliveries.append(delivery)
            callbacks.subscriptions[delivery] = subscription
            if self.closed:
                delivery.end()
        try:
            delivery.begin()
        except BaseException:  # there can be no further thread
            delivery.close()
            raise
        return subscription

    def unsubscribe(self, handler: object) -> bool:
        """Remove every subscription of that handler."""
        self.check_fork()
        callbacks = self._callbacks()
        if callbacks is None:
            return False
        with self._lock:
            found = [one for one in callbacks.subscriptions.values() if one._is_of(handler)]
        for subscription in found:
            subscription.unsubscribe()
        return bool(found)

    # Calls that wait. On the main thread they serve signals meanwhile.

    def wait_for(self, id: str, goal: str, deadline: float) -> None:
        """Wait until a service is "ready", "stopped" or "drained". Raises TimedOut, NotComing.

        Raises OrchestratorClosed when the orchestrator is closed or the program ends.
        """
        while True:
            if self._released:
                raise OrchestratorClosed("the main thread has ended, so nothing waits any more")
            left = max(0, math.ceil((deadline - time.monotonic()) * 1000))
            try:
                self.core.wait_for(id, goal, min(left, _SLICE_MS), left)
            except TimedOut:
                if left <= _SLICE_MS or caller_has_left():
                    raise
            else:
                return

    def stop(self, timeout_ms: float) -> list[str]:
        """Stop the fleet; return the ids of services that did not stop in time.

        Ctrl-C ends the wait, not the stop.
        """
        self.check_fork()
        return call_interruptibly(self.core.stop, _milliseconds(timeout_ms))

    def close(self, timeout_ms: float) -> None:
        """Stop the fleet, deliver the remaining events, end every thread. Idempotent.

        A further call waits for the end of the first one. Ctrl-C ends the wait, not the closing.
        """
        self._close_once(timeout_ms, call_interruptibly)

    def leave(self) -> None:
        """Close, and leave the processes of a durable fleet to the next orchestrator.

        Raises InvalidArgument for a fleet that is not durable; then nothing is closed.
        """
        self.check_fork()
        self.core.leave()
        self._close_once(0, call_interruptibly)

    def close_forgotten(self, timeout_ms: float) -> bool:
        """Close because the orchestrator is collected, or the program ends; False: it was closed.

        The collector runs in the midst of anything, so only this thread can take the locks that it
        may hold already: no other one may do the work.
        """
        forgotten = not self.closed and not self.forked
        if self._released:  # after an interrupted close(), the end of the program waits for it
            self._close_once(timeout_ms, call_interruptibly)
        elif forgotten:
            self._close_once(timeout_ms, _call)
        return forgotten

    def _close_once(self, timeout_ms: float, call: Callable[..., None]) -> None:
        if self.forked:
            return
        timeout_ms = _milliseconds(timeout_ms)
        caller = Caller.now()
        with self._lock:
            first, self._closed = not self._closed, True
            of_a_handler = any(one.is_of(caller) for one in self._deliveries)
        if first:
            call(self._close, timeout_ms, caller)
        elif not of_a_handler:  # which the first call waits for
            self._close_done.wait()

    def release(self) -> None:
        """End what waits, in any thread: the main thread of the program has ended."""
        if self.forked:
            return
        self._released = True
        with self._lock:
            streams = list(self._streams)
        for stream in streams:
            stream._end()

    def _close(self, timeout_ms: int, caller: Caller) -> None:
        try:
            self.core.close(timeout_ms)
            with self._lock:
                streams, deliveries = list(self._streams), list(self._deliveries)
            for stream in streams:
                stream._end()
            for delivery in deliveries:
                delivery.end()
            self.restarts.end()
            deadline = time.monotonic() + _JOIN_SECONDS
            for delivery in deliveries:
                delivery.join(max(0.0, deadline - time.monotonic()), caller)
            for room in (self._watch.close, self.restarts.join, self._loops.close):
                room(max(0.1, deadline - time.monotonic()))
        finally:
            self._close_done.set()

    def _failed(self, reason: str) -> None:
        try:
            self.core.handler_failed(reason)
        except AzoraError:
            return  # closing: no one is left to report to

    def _ended(self, delivery: Delivery) -> None:
        callbacks = self._callbacks()
        with self._lock:
            if delivery in self._deliveries:
                self._deliveries.remove(delivery)
            if callbacks is not None:
                callbacks.subscriptions.pop(delivery, None)


def _call(function: Callable[[int, Caller], None], timeout_ms: int, caller: Caller) -> None:
    function(timeout_ms, caller)


def _milliseconds(timeout_ms: float) -> int:
    return max(0, math.ceil((deadline_of(timeout_ms) - time.monotonic()) * 1000))


class _Program:
    ends = False  # the main thread has ended


_program = _Program()
_live: weakref.WeakSet[Runtime] = weakref.WeakSet()


def _release_all() -> None:
    _program.ends = True
    for runtime in list(_live):
        runtime.release()


# Before the interpreter waits for threads that are not daemons, which may themselves wait for us;
# atexit would be after that. concurrent.futures ends its threads by the same hook.
getattr(threading, "_register_atexit", atexit.register)(_release_all)
