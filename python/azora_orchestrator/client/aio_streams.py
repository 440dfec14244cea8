"""A stream of events of a server, for asyncio; see streams.py.

Threads: none of its own. A stream belongs to one loop.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

import httpx

from azora_orchestrator.client import transport
from azora_orchestrator.client.answers import not_ours
from azora_orchestrator.client.sse import Decoder, OtherLog, Position, TooLong
from azora_orchestrator.client.streams import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    PASSING,
    ROOM,
    event_of,
)

if TYPE_CHECKING:
    from azora_orchestrator.events import Event


class AsyncRemoteEvents:
    """Events of a server, for `async for`. Made by `AsyncClient.events()`; see `RemoteEvents`.

    It connects when it is entered (`async with`) or first read.

    Example:
        >>> async with client.events(service="orders") as stream:
        ...     async for event in stream:
        ...         print(event.type)
    """

    def __init__(
        self,
        url: str,
        begin: Callable[[], Awaitable[Position]],
        connect: Callable[[Position], Awaitable[httpx.Response]],
        news: Callable[[bool], object] | None = None,
    ) -> None:
        self._url = url
        self._begin = begin
        self._connect = connect
        self._news = news
        self._ready: deque[bytes] = deque()
        self._failure: Exception | None = None
        self._task: asyncio.Task[None] | None = None
        self._change = asyncio.Event()
        self._room = asyncio.Event()
        self._starting = asyncio.Lock()  # two readers must not both connect
        self.closed = False  # True after the end
        self.connected = False  # False while the connection is broken and tried again

    async def _start(self) -> None:
        async with self._starting:
            if self._task is not None or self._is_closed():
                return
            position = await self._begin()
            response = await self._connect(position)
            if self._is_closed():  # meanwhile
                await response.aclose()
                return
            self.connected = True
            self._task = asyncio.create_task(self._run(position, response), name="azora-events")

    def _is_closed(self) -> bool:
        return self.closed

    async def _run(self, position: Position, response: httpx.Response) -> None:
        try:
            while True:
                try:
                    await self._read(position, response)
                finally:
                    self.connected = False
                    with contextlib.suppress(Exception):
                        await response.aclose()
                response = await self._reconnect(position)
                self.connected = True
        except Exception as error:  # of the server, or of `news`: the reader of the stream gets it
            self._failure = error
        finally:
            self._change.set()

    async def _read(self, position: Position, response: httpx.Response) -> None:
        decoder = Decoder()
        try:
            async for chunk in response.aiter_raw():
                for frame in decoder.feed(chunk):
                    event = position.take(frame)
                    if event is None:
                        continue
                    while len(self._ready) >= ROOM:
                        self._room.clear()
                        await self._room.wait()
                    self._ready.append(event)
                    self._change.set()
        except (httpx.HTTPError, httpx.StreamError, OtherLog):
            pass  # connects again
        except (ValueError, LookupError, TypeError, TooLong) as error:
            raise not_ours(self._url, error) from None

    async def _reconnect(self, position: Position) -> httpx.Response:
        pause = FIRST_PAUSE
        told = False
        while True:
            await asyncio.sleep(pause)
            try:
                response = await self._connect(position)
            except PASSING:
                if self._news is not None and not told:
                    self._news(False)
                told, pause = True, min(2 * pause, LONGEST_PAUSE)
            else:
                if self._news is not None and told:
                    self._news(True)
                return response

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        event = await self.next()
        if event is None:
            raise StopAsyncIteration
        return event

    async def next(self, *, timeout_ms: float | None = None) -> Event | None:
        """See `RemoteEvents.next`."""
        taken = await self._take(timeout_ms, 1)
        return taken[0] if taken else None

    async def batch(self, *, timeout_ms: float | None = None) -> list[Event]:
        """See `RemoteEvents.batch`."""
        return await self._take(timeout_ms, ROOM)

    async def _take(self, timeout_ms: float | None, most: int) -> list[Event]:
        seconds = None if timeout_ms is None else transport.seconds_of(timeout_ms)
        await self._start()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self._ready and not self.closed and self._failure is None:
                    self._change.clear()
                    await self._change.wait()
        if self.closed:
            return []
        taken = [self._ready.popleft() for _ in range(min(most, len(self._ready)))]
        self._room.set()
        if not taken and self._failure is not None:
            self.closed = True
            raise self._failure
        return [event_of(data) for data in taken]

    def _add(self, event: bytes) -> None:
        """Put an event that is not the server's behind those that were read."""
        self._ready.append(event)
        self._change.set()

    def close(self) -> None:
        """End at once. On the stream's loop."""
        self.closed = True
        if self._task is not None:
            self._task.cancel()
        self._change.set()

    async def aclose(self) -> None:
        """End, and wait until the connection is closed."""
        self.close()
        if self._task is not None:
            await asyncio.wait({self._task})

    async def __aenter__(self) -> Self:
        await self._start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()
