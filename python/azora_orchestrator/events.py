"""Events: what happened, in one gap-free sequence; and streams of them.

Threads: a stream belongs to one reader at a time; `end()` and `close()` may come from anywhere.
"""

from __future__ import annotations

import json
import os
import select
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast

from azora_orchestrator import _core
from azora_orchestrator._arguments import deadline_of
from azora_orchestrator._descriptors import close_in_children
from azora_orchestrator._record import milliseconds_of
from azora_orchestrator.vocabulary import EVENT_TYPES, Actor, Cause, EventType, Status

if TYPE_CHECKING:
    import asyncio

__all__ = ["EVENT_TYPES", "Event", "EventStream"]

_BATCH = 256
_LONGEST_POLL = 86_400.0  # seconds; poll() refuses more than 24 days


class Event(ABC):
    """One fact. A property that this type of event does not have is None.

    Immutable; equal if the content is equal; can be pickled. `azora_orchestrator.event_classes` has
    a class for each type of event, for `isinstance` and `match`.
    """

    __slots__ = ()

    def __new__(cls) -> Self:
        """Refuse: events are made by the orchestrator."""
        raise TypeError("events are made by the orchestrator")

    @staticmethod
    def from_json(text: bytes) -> Event:
        """Make an event from its JSON, the `data` of `GET /events`."""
        time = datetime.fromisoformat(json.loads(text)["time"])
        return _copy(text, round(time.timestamp() * 1000))

    @property
    @abstractmethod
    def json(self) -> bytes:
        """The event as the REST API spells it, as JSON text."""

    @property
    @abstractmethod
    def time_ms(self) -> int:
        """When it happened, in ms since 1970, UTC."""

    @property
    def data(self) -> dict[str, Any]:
        """The event as the REST API spells it: a copy that may be changed."""
        data: dict[str, Any] = json.loads(self.json)
        return data

    @property
    def _data(self) -> dict[str, Any]:
        """The same dict each time, for the properties."""
        return self.data

    @property
    def seq(self) -> int:
        """Position in the sequence, from 1 and without gaps."""
        return int(self._data["seq"])

    @property
    def time(self) -> datetime:
        """When it happened, UTC."""
        return datetime.fromtimestamp(self.time_ms / 1000, UTC)

    @property
    def type(self) -> EventType:
        """Name of the event."""
        return cast(EventType, self._data["type"])

    @property
    def service_id(self) -> str | None:
        """Id of the service, or none for an event of the whole fleet."""
        id: str | None = self._data["serviceId"]
        return id

    @property
    def incarnation(self) -> int:
        """Number of the service's process, from 1; 0: it has none."""
        return int(self._data["incarnation"])

    @property
    def cause(self) -> Cause | None:
        """Why it happened, as one word."""
        return cast(Cause | None, self._data["cause"])

    @property
    def actor(self) -> Actor | None:
        """What caused it: orchestrator, rest, python or file."""
        return self._data.get("actor")

    @property
    def status(self) -> Status | None:
        """Status of the service after this check.

        Of healthCheck; otherwise None.
        """
        return self._data.get("status")

    @property
    def response_time_ms(self) -> int | None:
        """Duration of the check in ms.

        Of healthCheck; otherwise None.
        """
        return self._data.get("responseTime")

    @property
    def attempt(self) -> int | None:
        """Number of the restart attempt within this episode, from 1.

        Of serviceRestarted, serviceFailed; otherwise None.
        """
        return self._data.get("attempt")

    @property
    def max_restarts(self) -> int | None:
        """Restart budget of one episode; -1: no limit.

        Of serviceRestarted, serviceFailed; otherwise None.
        """
        return self._data.get("maxRestarts")

    @property
    def downtime_ms(self) -> int | None:
        """How long the service was down, in ms.

        Of serviceRestarted; otherwise None.
        """
        return self._data.get("downtimeMs")

    @property
    def pid(self) -> int | None:
        """Id of the main process.

        Of serviceStarted, serviceExited; otherwise None.
        """
        return self._data.get("pid")

    @property
    def code(self) -> int | None:
        """Exit code, or none when a signal ended the process.

        Of serviceExited; otherwise None.
        """
        return self._data.get("code")

    @property
    def signal(self) -> str | None:
        """Name of the signal that ended the process, such as SIGKILL, or none.

        Of serviceExited; otherwise None.
        """
        return self._data.get("signal")

    @property
    def oom(self) -> bool | None:
        """Whether the process was killed for lack of memory; none: unknown.

        Of serviceExited; otherwise None.
        """
        return self._data.get("oom")

    @property
    def blocked_by(self) -> tuple[str, ...]:
        """Ids of the dependencies that it waits for.

        Of serviceBlocked; otherwise empty.
        """
        return tuple(self._data.get("blockedBy", ()))

    @property
    def reason(self) -> str | None:
        """Human-readable explanation.

        Of healthCheck, serviceDegraded, serviceUnhealthy, serviceStarted, serviceExited,
        serviceFailed, healingUnavailable, massUnhealthy, callbackFailed, orchestratorDegraded,
        serviceDraining, serviceDrained, maintenanceBegan, gap; otherwise None.
        """
        return self._data.get("reason")

    @property
    def from_seq(self) -> int | None:
        """First sequence number that was lost.

        Of gap; otherwise None.
        """
        return self._data.get("fromSeq")

    @property
    def to_seq(self) -> int | None:
        """Last sequence number that was lost.

        Of gap; otherwise None.
        """
        return self._data.get("toSeq")

    @property
    def count(self) -> int | None:
        """Number of events that were lost.

        Of gap; otherwise None.
        """
        return self._data.get("count")

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> Event:
        """Make it from an object as the REST API spells it."""
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        return _copy(text.encode(), milliseconds_of(data["time"]))

    def to_dict(self) -> dict[str, Any]:
        """Return it as the REST API spells it: a copy that may be changed."""
        return self.data

    def __eq__(self, other: object) -> bool:
        return self.json == other.json if isinstance(other, Event) else NotImplemented

    def __hash__(self) -> int:
        return hash((self.seq, self.type))

    def __reduce__(self) -> tuple[object, ...]:
        return _copy, (self.json, self.time_ms)

    def __repr__(self) -> str:
        return f"<Event {self.seq} {self.type} {self.service_id or ''}".rstrip() + ">"


def _complete(native: type) -> None:
    """Complete the core's event type with these properties; it reads the frequent ones natively."""
    Event.register(native)
    for name, value in vars(Event).items():
        special = name in {"to_dict", "__eq__", "__hash__", "__repr__", "__reduce__"}
        if special or (isinstance(value, property) and name not in vars(native)):
            setattr(native, name, value)


_complete(_core.Event)


class _Copied(Event):
    """An event that came from a pickle or from a server."""

    __slots__ = ("_json", "_time_ms")

    _json: bytes
    _time_ms: int

    @property
    def json(self) -> bytes:
        return self._json

    @property
    def time_ms(self) -> int:
        return self._time_ms


def _copy(json: bytes, time_ms: int) -> Event:
    event = object.__new__(_Copied)
    event._json, event._time_ms = json, time_ms
    return event


_Cursor = _core.Cursor


class EventStream:
    """Events of one reader, for `for` and for `async for`.

    It ends when the orchestrator is closed, and when the main thread of the program has ended:
    a thread that reads events does not keep the program alive.
    """

    def __init__(self, cursor: _Cursor) -> None:
        self._cursor = cursor
        self._ready: deque[Event] = deque()
        self._ending = False
        self._closed = False
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._lock = threading.RLock()  # so that _wake is not closed while it is written
        close_in_children(self)

    @property
    def closed(self) -> bool:
        """True after the end."""
        return self._closed

    # For `for`: signals (Ctrl-C) are served while it waits.

    def __iter__(self) -> Iterator[Event]:
        return self

    def __next__(self) -> Event:
        event = self.next()
        if event is None:
            raise StopIteration
        return event

    def next(self, *, timeout_ms: float | None = None) -> Event | None:
        """Wait for the next event.

        Args:
            timeout_ms: How long to wait, in ms. None: until there is one.

        Returns:
            None if no event came in time, or the stream has ended.
        """
        return self._ready.popleft() if self._fill(timeout_ms) else None

    def batch(self, *, timeout_ms: float | None = None) -> list[Event]:
        """Wait for the next events and take all that are there, at most a few hundred.

        Args:
            timeout_ms: How long to wait for the first, in ms. None: until there is one.

        Returns:
            An empty list if no event came in time, or the stream has ended.
        """
        return self._all() if self._fill(timeout_ms) else []

    def _deliver_to(
        self, handler: Callable[..., object]
    ) -> tuple[Event, object, BaseException | None] | None:
        """Call `handler` with each event that is there, for a reader that reads in no other way.

        Returns (event, result, exception) when a call failed or returned something to be awaited:
        call again for the rest. None: nothing is left for now, or the stream has ended.
        """
        while not self._closed:
            ending = self._ending  # read first: what came before the end is still delivered
            delivered = self._cursor.deliver(handler, _BATCH)
            if isinstance(delivered, tuple):
                return cast(tuple[Event, object, BaseException | None], delivered)
            if not delivered:
                if ending:
                    self.close()
                return None
        return None

    def _poll(self) -> select.poll:
        """Return what waits until there are events, or the end."""
        poll = select.poll()
        poll.register(self._cursor.fileno(), select.POLLIN)
        poll.register(self._wake, select.POLLIN)
        return poll

    def _fill(self, timeout_ms: float | None) -> bool:
        deadline = None if timeout_ms is None else deadline_of(timeout_ms)
        if self._look() or self._closed:
            return not self._closed
        poll = self._poll()
        while not self._look() and not self._closed:
            left = _LONGEST_POLL if deadline is None else deadline - time.monotonic()
            if left <= 0:
                break
            poll.poll(min(left, _LONGEST_POLL) * 1000)
        return self._look()

    # For `async for`: the loop watches the descriptors, no thread waits.

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        if not await self._fill_async():
            raise StopAsyncIteration
        return self._ready.popleft()

    async def _batch_async(self) -> list[Event]:
        """Wait on the running loop for the events that `batch()` would return."""
        return self._all() if await self._fill_async() else []

    async def _fill_async(self) -> bool:
        while not self._look() and not self._closed:
            await self._readable()
        return self._look()

    async def _readable(self) -> None:
        import asyncio  # here, since it is half of the time that importing this module takes

        loop = asyncio.get_running_loop()
        seen: asyncio.Future[None] = loop.create_future()

        def wake() -> None:
            if not seen.done():
                seen.set_result(None)

        descriptors = (self._cursor.fileno(), self._wake)
        for descriptor in descriptors:
            loop.add_reader(descriptor, wake)
        try:
            await seen
        finally:
            if not loop.is_closed():
                for descriptor in descriptors:
                    loop.remove_reader(descriptor)

    def _look(self) -> bool:
        """Look for events that are there. After close() the remaining ones are not handed over."""
        if not self._ready and not self._closed:
            ending = self._ending  # read first: what came before the end is still delivered
            self._ready.extend(cast(list[Event], self._cursor.drain(_BATCH)))
            if ending and not self._ready:
                self.close()
        return bool(self._ready) and not self._closed

    def _all(self) -> list[Event]:
        events = list(self._ready)
        self._ready.clear()
        return events

    def _end(self) -> None:
        """Deliver the events that are there, then end. Any thread."""
        self._ending = True
        with self._lock:
            if not self._closed:
                os.eventfd_write(self._wake, 1)

    def close(self) -> None:
        """End at once. Any thread."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._cursor.close()
            os.eventfd_write(self._wake, 1)

    def _descriptor(self) -> int:
        """Readable while there are events that were not read."""
        return self._cursor.fileno()

    def _close_in_child(self) -> None:
        # The core refuses readers that go on.
        self._lock = threading.RLock()  # a thread that does not exist here may hold the old one
        wake, self._wake = self._wake, -1
        os.close(wake)

    def __del__(self) -> None:
        wake = getattr(self, "_wake", -1)
        self._closed = True
        self._wake = -1
        if wake >= 0:
            os.close(wake)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<EventStream {'closed' if self._closed else 'open'}>"
