"""What a MasterOrchestrator owns and must end: core, streams, handlers, restart callables.

It holds no reference to the MasterOrchestrator. So when the user drops the last reference, Python
collects the MasterOrchestrator, and the Runtime is closed. The same happens at interpreter exit.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Sequence

from azora_orchestrator import _core
from azora_orchestrator._handlers import Handler, LoopWatch, OwnLoop, Subscription
from azora_orchestrator._restarts import RestartQueue
from azora_orchestrator.errors import AzoraError, ForkedHandle
from azora_orchestrator.events import EventStream

_JOIN_SECONDS = 2.0  # for handlers that still run when everything ends


class Runtime:
    """Threads: any method on any thread. `close()` may be called from a handler."""

    def __init__(self, core: _core.Core) -> None:
        self.core = core
        self.loops = OwnLoop()
        self._watch = LoopWatch()
        self.restarts = RestartQueue(core, self.loops)
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._closed = False
        self._streams: weakref.WeakSet[EventStream] = weakref.WeakSet()
        self._subscriptions: list[Subscription] = []

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
                "this handle belongs to the parent process; make a new orchestrator after fork()"
            )

    def stream(
        self, since: int | None, types: Sequence[str] | None, service: str | None
    ) -> EventStream:
        """Open a stream that ends together with this object."""
        self.check_fork()
        chosen = None if types is None else list(types)
        stream = EventStream(self.core.cursor(since, chosen, service))
        with self._lock:
            self._streams.add(stream)
            if self._closed:
                stream.end()
        return stream

    def subscribe(
        self, types: Sequence[str] | None, service: str | None, handler: Handler
    ) -> Subscription:
        """Start to call a handler with events."""
        self.check_fork()
        chosen = None if types is None else list(types)
        stream = EventStream(self.core.cursor(None, chosen, service))
        subscription = Subscription(
            stream,
            handler,
            loops=self.loops,
            watch=self._watch,
            failed=self._failed,
            gone=self._gone,
        )
        with self._lock:
            self._subscriptions.append(subscription)
            if self._closed:
                subscription.end()
        return subscription

    def unsubscribe(self, handler: object) -> bool:
        """Remove every subscription of that handler."""
        self.check_fork()
        with self._lock:
            found = [one for one in self._subscriptions if one.handles(handler)]
        for subscription in found:
            subscription.unsubscribe()
        return bool(found)

    def close(self, timeout_ms: int) -> None:
        """Stop the fleet, deliver the remaining events, end every thread. Idempotent."""
        if os.getpid() != self._pid:
            return
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self.core.close(timeout_ms)
        with self._lock:
            streams, subscriptions = list(self._streams), list(self._subscriptions)
        for stream in streams:
            stream.end()
        for subscription in subscriptions:
            subscription.end()
        deadline = time.monotonic() + _JOIN_SECONDS
        for subscription in subscriptions:
            subscription.join(max(0.0, deadline - time.monotonic()))
        self._watch.close(max(0.1, deadline - time.monotonic()))
        self.restarts.join(max(0.1, deadline - time.monotonic()))
        self.loops.close(max(0.1, deadline - time.monotonic()))

    def _failed(self, reason: str) -> None:
        try:
            self.core.handler_failed(reason)
        except AzoraError:
            return  # closing: there is nobody to report to

    def _gone(self, subscription: Subscription) -> None:
        with self._lock:
            if subscription in self._subscriptions:
                self._subscriptions.remove(subscription)
