"""GET /events: the event log as server-sent events, resumable by number."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

from fastapi.sse import KEEPALIVE_COMMENT, EventSourceResponse, format_sse_event

from azora_orchestrator.server.streaming import StreamEnd

HEARTBEAT_SECONDS = 15.0
_RETRY_MS = 1000
_BATCH = 256


class EventStream(EventSourceResponse):
    """The open response. One reader of the log per client; a slow client gets a `gap`.

    It sends a batch of events at once, which FastAPI's own generators do not.
    """

    def __init__(
        self,
        app: Any,
        *,
        since: int | None,
        types: Sequence[str],
        service: str | None,
        follow: bool,
    ) -> None:
        super().__init__(())
        if follow:
            app.streams.check(app)
        self._app = app
        self._follow = follow
        self._cursor = app.core.cursor(since, types or None, service)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Sends until the client leaves or the server shuts down."""
        follow = self._follow and not scope.get("azora.head")
        try:
            with self._app.streams.counted() if follow else contextlib.nullcontext():
                await self._answer(scope, receive, send)
        finally:
            self._cursor.close()

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [
                    (b"content-type", b"text/event-stream; charset=utf-8"),
                    (b"cache-control", b"no-store"),
                    (b"x-accel-buffering", b"no"),
                ],
            }
        )
        if scope.get("azora.head"):
            await send({"type": "http.response.body", "body": b""})
            return
        with StreamEnd(self._app, receive) as end:
            # The first bytes tell the client that it is connected.
            await end.write(send, format_sse_event(retry=_RETRY_MS))
            await self._pump(send, end)
            await end.finish(send)

    async def _pump(self, send: Any, end: StreamEnd) -> None:
        loop = asyncio.get_running_loop()
        while not end.reached:
            events = self._cursor.drain(_BATCH)
            if events:
                await end.write(send, b"".join(map(_frame, events)))
                continue
            if self._app.core.closed() or not self._follow:
                return
            readable: asyncio.Future[None] = loop.create_future()
            fd = self._cursor.fileno()
            loop.add_reader(fd, resolve, readable)
            try:
                news = await end.wait(readable, HEARTBEAT_SECONDS)
            finally:
                loop.remove_reader(fd)
            if not news:
                await end.write(send, KEEPALIVE_COMMENT)


def resolve(future: asyncio.Future[None]) -> None:
    """Ends a wait, once."""
    if not future.done():
        future.set_result(None)


def _frame(event: Any) -> bytes:
    # A gap comes before the events in its range: a client that resumes after it must still get
    # them.
    number = None if event.type == "gap" else str(event.seq)
    return format_sse_event(id=number, event=event.type, data_str=event.json.decode())
