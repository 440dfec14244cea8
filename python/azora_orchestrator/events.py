"""Events: what happened, in one gap-free sequence; and streams of them.

Threads: a stream belongs to one reader at a time; `end()` and `close()` may come from anywhere.
"""

from __future__ import annotations

import asyncio
import json
import os
import select
import threading
import time
import weakref
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Protocol, Self, cast

from azora_orchestrator import _core

__all__ = ["EVENT_TYPES", "Descriptors", "Event", "EventStream", "holds_descriptors"]

EVENT_TYPES: tuple[str, ...] = tuple(_core.event_types())

_BATCH = 256


class Descriptors(Protocol):
    """An object that holds file descriptors."""

    def close_in_child(self) -> None:
        """Close them in a forked child, where no thread uses them: they belong to the parent."""


_holders: weakref.WeakSet[Descriptors] = weakref.WeakSet()


def holds_descriptors(holder: Descriptors) -> None:
    """Have its descriptors closed in children made by fork()."""
    _holders.add(holder)


def _in_forked_child() -> None:
    for holder in list(_holders):
        holder.close_in_child()
    _holders.clear()


os.register_at_fork(after_in_child=_in_forked_child)


class Event(ABC):
    """One fact. A property that this type of event does not have is None.

    Immutable; equal if the content is equal; can be pickled.
    """

    __slots__ = ()

    def __new__(cls) -> Self:
        """Refuse: events are made by the orchestrator."""
        raise TypeError("events are made by the orchestrator")

    @property
    @abstractmethod
    def json(self) -> bytes:
        """The whole event as it goes over the wire, as text."""

    @property
    @abstractmethod
    def time_ms(self) -> int:
        """When it happened: milliseconds since 1970, UTC."""

    @property
    def data(self) -> dict[str, Any]:
        """The whole event as it goes over the wire."""
        data: dict[str, Any] = json.loads(self.json)
        return data

    @property
    def seq(self) -> int:
        """Its place in the sequence."""
        return int(self.data["seq"])

    @property
    def time(self) -> datetime:
        """When it happened."""
        return datetime.fromtimestamp(self.time_ms / 1000, UTC)

    @property
    def type(self) -> str:
        """Its name: `serviceRestarted` and so on."""
        return str(self.data["type"])

    @property
    def service_id(self) -> str | None:
        """The service it is about; None: no single service."""
        id: str | None = self.data["serviceId"]
        return id

    @property
    def incarnation(self) -> int:
        """Its incarnation: which process of the service."""
        return int(self.data["incarnation"])

    @property
    def cause(self) -> str | None:
        """Why, in one word."""
        return str(self.data["cause"]) or None

    @property
    def actor(self) -> str | None:
        """Who caused it: orchestrator, rest, python or file."""
        return self.data.get("actor")

    @property
    def status(self) -> str | None:
        """Of a healthCheck: the status it led to."""
        return self.data.get("status")

    @property
    def response_time_ms(self) -> int | None:
        """Of a healthCheck: how long it took."""
        return self.data.get("responseTime")

    @property
    def attempt(self) -> int | None:
        """Of a serviceRestarted: which attempt succeeded."""
        return self.data.get("attempt")

    @property
    def max_restarts(self) -> int | None:
        """Of a serviceRestarted or serviceFailed: the budget."""
        return self.data.get("maxRestarts")

    @property
    def downtime_ms(self) -> int | None:
        """Of a serviceRestarted: how long the service was away, measured."""
        return self.data.get("downtimeMs")

    @property
    def pid(self) -> int | None:
        """Of serviceStarted and serviceExited: the process."""
        return self.data.get("pid")

    @property
    def code(self) -> int | None:
        """Of a serviceExited: the exit code; None when a signal ended it."""
        return self.data.get("code")

    @property
    def signal(self) -> str | None:
        """Of a serviceExited: the signal that ended it, by name."""
        return self.data.get("signal")

    @property
    def oom(self) -> bool | None:
        """Of a serviceExited: whether memory ran out; None when that cannot be known."""
        return self.data.get("oom")

    @property
    def blocked_by(self) -> tuple[str, ...]:
        """Of a serviceBlocked: the dependencies it waits for."""
        return tuple(self.data.get("blockedBy", ()))

    @property
    def reason(self) -> str | None:
        """Words for people."""
        return self.data.get("reason")

    @property
    def from_seq(self) -> int | None:
        """Of a gap: the first number lost."""
        return self.data.get("fromSeq")

    @property
    def to_seq(self) -> int | None:
        """Of a gap: the last number lost."""
        return self.data.get("toSeq")

    @property
    def count(self) -> int | None:
        """Of a gap: how many were lost."""
        return self.data.get("count")

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
        special = name in {"__eq__", "__hash__", "__repr__", "__reduce__"}
        if special or (isinstance(value, property) and name not in vars(native)):
            setattr(native, name, value)


_complete(_core.Event)


class _Copied(Event):
    """An event that was restored from a pickle."""

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


class EventStream:
    """Events of one reader, for `for` and for `async for`. Ends when the orchestrator is closed."""

    def __init__(self, cursor: _core.Cursor) -> None:
        self._cursor = cursor
        self._ready: deque[Event] = deque()
        self._ending = False
        self.closed = False  # True after the end
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._lock = threading.Lock()  # so that _wake is not closed while it is written
        holds_descriptors(self)

    # For `for`: signals (Ctrl-C) are served while it waits.

    def __iter__(self) -> Iterator[Event]:
        return self

    def __next__(self) -> Event:
        event = self.next()
        if event is None:
            raise StopIteration
        return event

    def next(self, *, timeout_ms: int | None = None) -> Event | None:
        """Wait for the next event; None: none came within `timeout_ms`, or the stream has ended."""
        return self._ready.popleft() if self._fill(timeout_ms) else None

    def batch(self, *, timeout_ms: int | None = None) -> list[Event]:
        """Wait for the next events and take all that are there, at most a few hundred.

        Empty: none came within `timeout_ms`, or the stream has ended.
        """
        return self._all() if self._fill(timeout_ms) else []

    def hand_to(
        self, handler: Callable[[Event], object]
    ) -> tuple[Event, object, BaseException | None] | None:
        """Call `handler` with each event as it comes, for a reader that reads in no other way.

        Answers (event, result, exception) when a call failed or answered something to be awaited:
        call again for the rest. None: the stream has ended.
        """
        poll = self._poll()
        while not self.closed:
            ending = self._ending  # read first: what came before the end is still delivered
            delivered = self._cursor.deliver(handler, _BATCH)
            if isinstance(delivered, tuple):
                return cast(tuple[Event, object, BaseException | None], delivered)
            if delivered:
                continue
            if ending:
                self.close()
            else:
                poll.poll()
        return None

    def _poll(self) -> select.poll:
        poll = select.poll()
        poll.register(self._cursor.fileno(), select.POLLIN)
        poll.register(self._wake, select.POLLIN)
        return poll

    def _fill(self, timeout_ms: int | None) -> bool:
        if self._look() or self.closed:
            return not self.closed
        poll = self._poll()
        deadline = _Deadline(timeout_ms)
        while not self._look() and not self.closed:
            if not poll.poll(deadline.left_ms()) and deadline.passed():
                break
        return self._look()

    # For `async for`: the loop watches the descriptors, no thread waits.

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        if not await self._fill_async():
            raise StopAsyncIteration
        return self._ready.popleft()

    async def batch_async(self) -> list[Event]:
        """Wait on the running loop for the events that `batch()` would return."""
        return self._all() if await self._fill_async() else []

    async def _fill_async(self) -> bool:
        while not self._look() and not self.closed:
            await self._readable()
        return self._look()

    async def _readable(self) -> None:
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
        if not self._ready and not self.closed:
            ending = self._ending  # read first: what came before the end is still delivered
            self._ready.extend(cast(list[Event], self._cursor.drain(_BATCH)))
            if ending and not self._ready:
                self.close()
        return bool(self._ready) and not self.closed

    def _all(self) -> list[Event]:
        events = list(self._ready)
        self._ready.clear()
        return events

    def end(self) -> None:
        """Deliver the events that are there, then end. Any thread."""
        self._ending = True
        with self._lock:
            if not self.closed:
                os.eventfd_write(self._wake, 1)

    def close(self) -> None:
        """End at once. Any thread."""
        with self._lock:
            if self.closed:
                return
            self.closed = True
            self._cursor.close()
            os.eventfd_write(self._wake, 1)

    def descriptor(self) -> int:
        """Readable while there are events that were not read."""
        return self._cursor.fileno()

    def close_in_child(self) -> None:
        """Close our descriptor; the core refuses readers that go on."""
        self._lock = threading.Lock()  # a thread that does not exist here may hold the old one
        wake, self._wake = self._wake, -1
        os.close(wake)

    def __del__(self) -> None:
        wake = getattr(self, "_wake", -1)
        self.closed = True
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


class _Deadline:
    """`timeout_ms` from now on; None: never."""

    def __init__(self, timeout_ms: int | None) -> None:
        self._end = None if timeout_ms is None else _now() + timeout_ms / 1000

    def left_ms(self) -> int | None:
        return None if self._end is None else max(0, int((self._end - _now()) * 1000 + 0.999))

    def passed(self) -> bool:
        return self._end is not None and _now() >= self._end


def _now() -> float:
    return time.monotonic()
