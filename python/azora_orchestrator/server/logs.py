"""GET /services/{id}/logs: what a process service wrote, once or as it comes."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.responses import Response

from azora_orchestrator.server.answers import TEXT_TYPE, Refusal
from azora_orchestrator.server.fast import flag, one

_DEFAULT_LINES = 200
_MAX_LINES = 10_000
_FOLLOW_SECONDS = 0.25
_MISSED = b"[azora: output was removed here before it could be shown]\n"


class LogAnswer(Response):
    """Plain text; with `follow` it goes on until the client leaves or the server shuts down."""

    def __init__(self, app: Any, service_id: str, query: dict[str, list[str]]) -> None:
        super().__init__()
        text = one(query, "lines") or str(_DEFAULT_LINES)
        if not (text.isascii() and text.isdigit() and 0 <= int(text[:9]) <= _MAX_LINES):
            raise Refusal(
                400, "invalid_argument", f'lines: is "{text}"; it must be 0 to {_MAX_LINES}'
            )
        self._app = app
        self._id = service_id
        self._lines = int(text)
        self._follow = flag(query, "follow")

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Sends the last lines, then what follows."""
        first, *place = await self._app.in_thread(self._app.core.logs, self._id, self._lines)
        headers = [(b"content-type", TEXT_TYPE), (b"cache-control", b"no-store")]
        follow = self._follow and not scope.get("azora.head")
        if not follow:
            headers.append((b"content-length", b"%d" % len(first)))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": first, "more_body": follow})
        if follow:
            await self._go_on(place, receive, send)

    async def _go_on(self, place: list[int], receive: Any, send: Any) -> None:
        gone = asyncio.ensure_future(_until_disconnect(receive))
        closing = asyncio.ensure_future(self._app.closing.wait())
        try:
            while True:
                done, _ = await asyncio.wait(
                    {gone, closing}, timeout=_FOLLOW_SECONDS, return_when=asyncio.FIRST_COMPLETED
                )
                if done or self._app.core.find(self._id) is None:
                    break
                text, *place = await self._app.in_thread(
                    self._app.core.logs_after, self._id, *place[:2]
                )
                if place[2]:
                    text = _MISSED + text
                if text:
                    await send({"type": "http.response.body", "body": text, "more_body": True})
            if not gone.done():
                await send({"type": "http.response.body", "body": b""})
        finally:
            gone.cancel()
            closing.cancel()


async def _until_disconnect(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
