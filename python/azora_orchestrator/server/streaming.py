"""Responses without an end: how many there may be, and why each of them ends.

They end when their client leaves or the server shuts down, even if the client has stopped reading
and a write is blocked by that.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any, Self

from azora_orchestrator.server.problems import HTTPProblem, shutting_down

MAX_STREAMS = 256
METRIC = "azora_http_streams"


class Streams:
    """How many open responses an app has: event streams and followers of logs together."""

    def __init__(self) -> None:
        self.open = 0

    def check(self, app: Any) -> None:
        """Refuses one more stream.

        Raises:
            HTTPProblem: 503 while the server shuts down, 429 when there are too many.
        """
        if app.draining:
            raise shutting_down()
        if self.open >= MAX_STREAMS:
            raise HTTPProblem(
                429,
                "limit_reached",
                f"{MAX_STREAMS} streams of events and logs are open, which is the limit; "
                "close those that are not needed",
                headers=[(b"retry-after", b"5")],
            )

    @contextlib.contextmanager
    def counted(self) -> Iterator[None]:
        """Counts one while it is open."""
        self.open += 1
        try:
            yield
        finally:
            self.open -= 1

    def text(self) -> bytes:
        """Their number as `/metrics` shows it."""
        name = METRIC.encode()
        return b"# HELP %b Open streams of events and logs.\n# TYPE %b gauge\n%b %d\n" % (
            name,
            name,
            name,
            self.open,
        )


class StreamEnd:
    """The two reasons for which one stream ends, as a context manager.

    Threads: one event loop.
    """

    def __init__(self, app: Any, receive: Any) -> None:
        self._gone = asyncio.ensure_future(until_disconnect(receive))
        self._closing = asyncio.ensure_future(app.closing.wait())
        self._stuck = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._gone.cancel()
        self._closing.cancel()

    @property
    def reached(self) -> bool:
        """Whether the stream must end."""
        return self._gone.done() or self._closing.done()

    async def wait(self, news: asyncio.Future[Any] | None, seconds: float) -> bool:
        """Waits for an end, for `news` or for some time; returns False when the time was over."""
        waited = {self._gone, self._closing} | (set() if news is None else {news})
        done, _ = await asyncio.wait(waited, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        return bool(done)

    async def write(self, send: Any, chunk: bytes) -> None:
        """Sends a part; gives up if the stream must end before the client takes it."""
        message = {"type": "http.response.body", "body": chunk, "more_body": True}
        writing = asyncio.ensure_future(send(message))
        try:
            await asyncio.wait(
                {writing, self._gone, self._closing}, return_when=asyncio.FIRST_COMPLETED
            )
            if not writing.done():
                await asyncio.sleep(0)  # the stream must end already: write what can be written
            self._stuck = not writing.done()
        finally:
            if not writing.done():
                writing.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await writing
        if not self._stuck:
            writing.result()

    async def finish(self, send: Any) -> None:
        """Sends the regular end of the stream, for a client that is still there and reads."""
        if not self._stuck and not self._gone.done():
            await send({"type": "http.response.body", "body": b""})


async def until_disconnect(receive: Any) -> None:
    """Waits until the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass
