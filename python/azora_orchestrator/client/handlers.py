"""The handlers of a client, each with a stream of its own; the orchestrator's rules (R36).

Threads: any. Each handler has a daemon thread, beside the one that reads its stream.
"""

from __future__ import annotations

import inspect
import json
import logging
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from azora_orchestrator._callables import UserCallable, describe
from azora_orchestrator._callbacks import Callbacks
from azora_orchestrator._deliveries import Caller, Delivery, ThreadDelivery
from azora_orchestrator._loop_thread import LoopThread
from azora_orchestrator._subscriptions import Handler, Subscription, function_of
from azora_orchestrator.client import answers, requests
from azora_orchestrator.client.connection import Connection
from azora_orchestrator.client.sse import Position, wants_failures
from azora_orchestrator.client.streams import Reader, event_of, open_reader
from azora_orchestrator.errors import OrchestratorClosed
from azora_orchestrator.events import Event

logger = logging.getLogger("azora_orchestrator")

JOIN_SECONDS = 2.0  # for handlers that still run when the client is closed


class Source:
    """The events of one handler, as its delivery takes them."""

    def __init__(self, reader: Reader, wants_failures: bool) -> None:
        self._reader = reader
        self._wants_failures = wants_failures
        self.seq = 0  # of the last event that was handed over

    @property
    def closed(self) -> bool:
        """True after the end."""
        return self._reader.closed

    def close(self) -> None:
        """End at once."""
        self._reader.close()

    def add_failure(self, event: bytes) -> None:
        """Put a `callbackFailed` of the client's own behind the events that were read."""
        if self._wants_failures:
            self._reader.add(event)

    _end = close  # the events that a server has left are not known

    def _poll(self) -> Source:
        return self

    def poll(self) -> None:
        """Wait until there are events, or the end."""
        self._reader.wait()

    def _deliver_to(
        self, handler: Callable[..., object]
    ) -> tuple[Event, object, BaseException | None] | None:
        """See `EventStream._deliver_to`. Raises what ended the stream."""
        while taken := self._reader.take(0, 1):
            event = event_of(taken[0])
            self.seq = event.seq
            try:
                result = handler(event)
            except BaseException as error:  # not even sys.exit() ends our thread
                return event, None, error
            if inspect.isawaitable(result):
                return event, result, None
        return None


class Lost(Delivery):
    """A delivery that says in the log why it has ended: no event of the server's does."""

    def _remove(self, reason: str) -> None:
        if self.active:
            logger.warning("event handler %s was %s", self._name, reason)
        super()._remove(reason)

    def _lose(self, error: BaseException) -> None:
        """End, because the server does not go on with the stream."""
        reason = f"removed, because its events ended: {describe(error)}"
        logger.warning("event handler %s was %s", self._name, reason)
        self.close()
        self._failed(f"{self._name}: {reason}")


class _SourceDelivery(Lost, ThreadDelivery):
    def _hand_over(self, handler: UserCallable) -> None:
        try:
            super()._hand_over(handler)
        except Exception as error:
            self._lose(error)


class Handlers:
    """The handlers of one sync client. Holds no reference to the client."""

    def __init__(self, callbacks: Callbacks, connection: Connection) -> None:
        self._callbacks = weakref.ref(callbacks)
        self._connection = connection
        self._loops = LoopThread()
        # One thread may take it twice: the collector may close us in the midst of anything.
        self._lock = threading.RLock()
        self._closed = False
        self._sources: dict[Delivery, Source] = {}

    def subscribe(
        self, types: Sequence[str] | None, service: str | None, handler: Handler
    ) -> Subscription:
        """Start to call a handler with events."""
        callbacks = self._callbacks()
        if callbacks is None or self._is_closed():
            raise OrchestratorClosed("the client is closed")
        function = UserCallable(function_of(handler), self._loops)
        source = Source(self._open(types, service), wants_failures(types, service))

        def failed(reason: str) -> None:
            self._tell(failure(reason, source.seq))

        delivery = _SourceDelivery(source, function, failed=failed, ended=self._ended)
        subscription = Subscription(handler, function, delivery)
        with self._lock:
            self._sources[delivery] = source
            callbacks.subscriptions[delivery] = subscription
        try:
            delivery.begin()
        except BaseException:  # there can be no further thread
            delivery.close()
            raise
        if self._is_closed():  # meanwhile
            delivery.close()
        return subscription

    def close(self, seconds: float = JOIN_SECONDS) -> None:
        """End all, and wait for handlers that run, apart from the one that calls it."""
        self._closed = True
        with self._lock:
            deliveries = list(self._sources)
        deadline = time.monotonic() + seconds
        caller = Caller.now()
        for delivery in deliveries:
            delivery.close()
        for delivery in deliveries:
            delivery.join(max(0.0, deadline - time.monotonic()), caller)
        self._loops.close(max(0.0, deadline - time.monotonic()))

    def _open(self, types: Sequence[str] | None, service: str | None) -> Reader:
        headers = self._connection.ask(requests.get("healthz")).headers
        now = answers.seq_of(self._connection.url, headers)
        return open_reader(self._connection, Position(now, types, service))

    def _is_closed(self) -> bool:
        return self._closed

    def _tell(self, event: bytes) -> None:
        with self._lock:
            sources = list(self._sources.values())
        for source in sources:
            source.add_failure(event)

    def _ended(self, delivery: Delivery) -> None:
        callbacks = self._callbacks()
        with self._lock:
            self._sources.pop(delivery, None)
            if callbacks is not None:
                callbacks.subscriptions.pop(delivery, None)


def failure(reason: str, seq: int) -> bytes:
    """A `callbackFailed` of this client alone."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    event: dict[str, Any] = {"seq": seq, "time": now, "type": "callbackFailed"}
    event |= {"serviceId": None, "incarnation": None, "cause": None, "reason": reason}
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
