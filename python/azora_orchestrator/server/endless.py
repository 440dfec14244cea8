"""Shared by endless answers: they end when their client leaves or the server shuts down.

They end even if the client has stopped reading and a write is blocked by that.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Self


class Ends:
    """The two reasons for which one answer ends, as a context manager.

    Threads: one event loop.
    """

    def __init__(self, app: Any, receive: Any) -> None:
        self._gone = asyncio.ensure_future(_until_disconnect(receive))
        self._closing = asyncio.ensure_future(app.closing.wait())
        self._stuck = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._gone.cancel()
        self._closing.cancel()

    @property
    def reached(self) -> bool:
        """Whether the answer must end."""
        return self._gone.done() or self._closing.done()

    async def wait(self, news: asyncio.Future[Any] | None, seconds: float) -> bool:
        """Waits for an end, for `news` or for some time; returns False when the time was over."""
        waited = {self._gone, self._closing} | (set() if news is None else {news})
        done, _ = await asyncio.wait(waited, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        return bool(done)

    async def write(self, send: Any, chunk: bytes) -> None:
        """Sends a part; gives up if the answer must end before the client takes it."""
        message = {"type": "http.response.body", "body": chunk, "more_body": True}
        writing = asyncio.ensure_future(send(message))
        try:
            await asyncio.wait(
                {writing, self._gone, self._closing}, return_when=asyncio.FIRST_COMPLETED
            )
            if not writing.done():
                await asyncio.sleep(0)  # the answer must end already: write what can be written
            self._stuck = not writing.done()
        finally:
            if not writing.done():
                writing.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await writing
        if not self._stuck:
            writing.result()

    async def finish(self, send: Any) -> None:
        """Sends the regular end of the answer, for a client that is still there and reads."""
        if not self._stuck and not self._gone.done():
            await send({"type": "http.response.body", "body": b""})


async def _until_disconnect(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
