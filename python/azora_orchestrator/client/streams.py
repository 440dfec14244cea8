"""A stream of events of a server, which goes on by itself when the connection breaks.

Threads: one daemon thread reads; any thread may take events and close the stream.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Self

import httpx

from azora_orchestrator.client import transport
from azora_orchestrator.client.answers import not_ours
from azora_orchestrator.client.sse import Decoder, OtherLog, Position, TooLong
from azora_orchestrator.errors import (
    LimitReached,
    OrchestratorClosed,
    ServerUnreachable,
    TimedOut,
)

if TYPE_CHECKING:
    from azora_orchestrator.client.connection import Connection
    from azora_orchestrator.events import Event

ROOM = 1024  # events read ahead; then the server waits, and tells of what it lost by a `gap`
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0  # seconds before connecting again
# What may pass by itself: the server is gone, about to go, slow, or has too many streams.
PASSING = (ServerUnreachable, OrchestratorClosed, LimitReached, TimedOut)


def event_of(data: bytes) -> Event:
    """An event from its JSON."""
    from azora_orchestrator.events import Event

    return Event.from_json(data)


class Reader:
    """Reads one stream on a thread of its own, as far ahead as there is room.

    Args:
        url: The server's, for errors.
        position: Where it begins.
        connect: Opens the answer for a request; called again whenever the connection broke.
        news: Called on the thread with True when it is connected again, with False when it is not.
    """

    def __init__(
        self,
        url: str,
        position: Position,
        connect: Callable[[Position], httpx.Response],
        news: Callable[[bool], object] | None = None,
    ) -> None:
        self._url = url
        self._position = position
        self._connect = connect
        self._news = news
        self._ready: deque[bytes] = deque()
        self._change = threading.Condition()
        self._failure: Exception | None = None
        self._closed = False
        self._response: httpx.Response | None = connect(position)
        self._thread = threading.Thread(target=self._run, name="azora-events", daemon=True)
        self._thread.start()

    @property
    def closed(self) -> bool:
        """True after the end."""
        return self._closed

    @property
    def connected(self) -> bool:
        """True while there is a connection."""
        return self._response is not None

    def take(self, seconds: float | None, most: int) -> list[bytes]:
        """Waits for events, takes what is there, at most so many. Empty: none came, or the end.

        Raises:
            AzoraError: The server refuses to go on with the stream.
        """
        with self._change:
            self._change.wait_for(
                lambda: self._ready or self._closed or self._failure is not None, seconds
            )
            if self._closed:
                return []
            taken = [self._ready.popleft() for _ in range(min(most, len(self._ready)))]
            self._change.notify_all()
            if not taken and self._failure is not None:
                self._closed = True
                raise self._failure
            return taken

    def wait(self) -> None:
        """Waits until there are events to take, or the end."""
        with self._change:
            self._change.wait_for(lambda: self._ready or self._closed or self._failure is not None)

    def add(self, event: bytes) -> None:
        """Puts an event that is not the server's behind those that were read."""
        with self._change:
            self._ready.append(event)
            self._change.notify_all()

    def close(self) -> None:
        """Ends it at once. Any thread."""
        with self._change:
            self._closed = True
            self._change.notify_all()
            response = self._response
        if response is not None:
            _hang_up(response)

    # On the thread.

    def _run(self) -> None:
        try:
            while not self._closed:
                if self._response is not None:
                    self._read(self._response)
                if not self._closed:
                    self._reconnect()
        except Exception as error:  # of the server, or of `news`: the reader of the stream gets it
            with self._change:
                self._failure = error
                self._change.notify_all()
        finally:
            if self._response is not None:  # it was opened while the stream was closed
                with contextlib.suppress(Exception):
                    self._response.close()

    def _read(self, response: httpx.Response) -> None:
        decoder = Decoder()
        try:
            for chunk in response.iter_raw():
                for frame in decoder.feed(chunk):
                    event = self._position.take(frame)
                    if event is not None and not self._put(event):
                        return
        except (httpx.HTTPError, httpx.StreamError, OtherLog):
            pass  # connects again
        except (ValueError, LookupError, TypeError, TooLong) as error:
            raise not_ours(self._url, error) from None
        finally:
            with contextlib.suppress(Exception):
                response.close()
            self._response = None

    def _put(self, event: bytes) -> bool:
        with self._change:
            self._change.wait_for(lambda: len(self._ready) < ROOM or self._closed)
            self._ready.append(event)
            self._change.notify_all()
            return not self._closed

    def _reconnect(self) -> None:
        pause = FIRST_PAUSE
        told = False
        while True:
            with self._change:
                if self._change.wait_for(lambda: self._closed, pause):
                    return
            try:
                response = self._connect(self._position)
            except PASSING:
                if self._news is not None and not told:
                    self._news(False)
                told, pause = True, min(2 * pause, LONGEST_PAUSE)
                continue
            with self._change:
                self._response = response
                closed = self._closed
            if closed:
                _hang_up(response)
            elif told and self._news is not None:
                self._news(True)
            return


def open_reader(
    connection: Connection, position: Position, news: Callable[[bool], object] | None = None
) -> Reader:
    """Opens a stream. It holds no reference to the client."""

    def connect(position: Position) -> httpx.Response:
        return connection.open(position.request(), transport.QUIET_SECONDS)

    return Reader(connection.url, position, connect, news)


def _hang_up(response: httpx.Response) -> None:
    """Ends a connection on which another thread may be reading: that thread meets its end."""
    with contextlib.suppress(Exception):
        connection = response.extensions["network_stream"].get_extra_info("socket")
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


class RemoteEvents:
    """Events of a server, for `for`. Made by `Client.events()`.

    When the connection breaks, it connects again for as long as it is open, and goes on after the
    last event that was read. Events that the server no longer has are counted by a `gap`.

    Example:
        >>> with client.events(since=0, type="serviceHealthy") as stream:
        ...     print(stream.next(timeout_ms=5_000))
        <Event 3 serviceHealthy db>
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._finalizer = weakref.finalize(self, reader.close)
        self._finalizer.atexit = False  # the thread is a daemon

    @property
    def closed(self) -> bool:
        """True after the end."""
        return self._reader.closed

    @property
    def connected(self) -> bool:
        """False while the connection is broken and tried again."""
        return self._reader.connected

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
            timeout_ms: How long; None: until it comes.

        Returns:
            The event; None if none came in time or the stream was closed.

        Raises:
            AzoraError: The server refuses to go on with the stream.
        """
        taken = self._take(timeout_ms, 1)
        return taken[0] if taken else None

    def batch(self, *, timeout_ms: float | None = None) -> list[Event]:
        """Wait for the next events and take all that are there.

        Args:
            timeout_ms: As in `next()`.
        """
        return self._take(timeout_ms, ROOM)

    def _take(self, timeout_ms: float | None, most: int) -> list[Event]:
        seconds = None if timeout_ms is None else transport.seconds_of(timeout_ms)
        return [event_of(data) for data in self._reader.take(seconds, most)]

    def close(self) -> None:
        """End at once. Any thread."""
        self._finalizer()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
