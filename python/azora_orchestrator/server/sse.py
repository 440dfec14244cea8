"""GET /events: the event log as server-sent events, resumable by number."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.responses import Response

from azora_orchestrator.server.answers import Refusal, shutting_down
from azora_orchestrator.server.endless import Ends
from azora_orchestrator.server.fast import flag, one

HEARTBEAT_SECONDS = 15.0
MAX_STREAMS = 256


def _number(text: str | None, name: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise Refusal(400, "invalid_argument", f'{name}: is "{text}"; it must be an event number')
    return int(text)


class EventStream(Response):
    """The endless answer. One reader of the log per client; a slow client gets a `gap`."""

    def __init__(self, app: Any, query: dict[str, list[str]], last_event_id: str | None) -> None:
        super().__init__()
        since = _number(one(query, "since"), "since")
        resumed = _number(last_event_id, "Last-Event-ID")
        types = [name for value in query.get("type", ()) for name in value.split(",") if name]
        self._follow = "follow" not in query or flag(query, "follow")
        if app.draining:
            raise shutting_down()
        if app.streams >= MAX_STREAMS:
            raise Refusal(429, "limit_reached", f"{MAX_STREAMS} event streams are open already")
        self._app = app
        self._cursor = app.core.cursor(
            since if resumed is None else resumed, types or None, one(query, "service")
        )

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Sends until the client leaves or the server shuts down."""
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
            self._cursor.close()
            await send({"type": "http.response.body", "body": b""})
            return
        self._app.streams += 1
        try:
            with Ends(self._app, receive) as ends:
                # The first bytes tell the client that it is connected.
                await ends.write(send, b"retry: 1000\n\n")
                await self._pump(send, ends)
                await ends.finish(send)
        finally:
            self._app.streams -= 1
            self._cursor.close()

    async def _pump(self, send: Any, ends: Ends) -> None:
        loop = asyncio.get_running_loop()
        while not ends.reached:
            events = self._cursor.drain(256)
            if events:
                await ends.write(send, b"".join(map(_frame, events)))
                continue
            if self._app.core.closed() or not self._follow:
                return
            readable: asyncio.Future[None] = loop.create_future()
            fd = self._cursor.fileno()
            loop.add_reader(fd, _resolve, readable)
            try:
                news = await ends.wait(readable, HEARTBEAT_SECONDS)
            finally:
                loop.remove_reader(fd)
            if not news:
                await ends.write(send, b": still here\n\n")


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _frame(event: Any) -> bytes:
    body: bytes = event.json
    # A gap comes before the events in its range: a client that resumes after it must still get
    # them.
    number = b"" if event.type == "gap" else b"id: %d\n" % event.seq
    return b"%sevent: %s\ndata: %s\n\n" % (number, event.type.encode(), body)
