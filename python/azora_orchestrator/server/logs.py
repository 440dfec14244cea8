"""GET /services/{id}/logs: what a process service wrote, once or as it comes.

Between its lines stand notes of ours, `[azora: 120 lines .. lost ..]`. A service may write the
same; a client that must know whose line it is gives `notes=TOKEN`, a word of its own that the
service does not know, and our notes then begin with `[azora TOKEN: `.
"""

from __future__ import annotations

import re
from typing import Any

from starlette.responses import Response

from azora_orchestrator.server.answers import TEXT_TYPE, Refusal
from azora_orchestrator.server.endless import Ends
from azora_orchestrator.server.fast import flag, one

_DEFAULT_LINES = 200
_MAX_LINES = 10_000
_FOLLOW_SECONDS = 0.25
_TOKEN = re.compile(r"[A-Za-z0-9]{1,32}")


class LogAnswer(Response):
    """Plain text; with `follow` it goes on until the client leaves or the server shuts down."""

    def __init__(self, app: Any, service_id: str, query: dict[str, list[str]]) -> None:
        super().__init__()
        text = one(query, "lines") or str(_DEFAULT_LINES)
        if not (text.isascii() and text.isdigit() and 0 <= int(text[:9]) <= _MAX_LINES):
            raise Refusal(
                400, "invalid_argument", f'lines: is "{text}"; it must be 0 to {_MAX_LINES}'
            )
        notes = one(query, "notes") or ""
        if notes and not _TOKEN.fullmatch(notes):
            raise Refusal(400, "invalid_argument", "notes: must be 1 to 32 letters and digits")
        self._app = app
        self._id = service_id
        self._lines = int(text)
        self._follow = flag(query, "follow")
        self._timestamps = flag(query, "timestamps")
        self._notes = notes

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Sends the last lines, then what follows."""
        core = self._app.core
        follow = self._follow and not scope.get("azora.head")
        stream = await self._app.in_thread(
            core.follow_logs, self._id, self._lines, follow, self._timestamps, self._notes
        )
        first = await self._app.in_thread(stream.next)
        headers = [(b"content-type", TEXT_TYPE), (b"cache-control", b"no-store")]
        if not follow:
            headers.append((b"content-length", b"%d" % len(first)))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if not follow:
            await send({"type": "http.response.body", "body": first})
            return
        with Ends(self._app, receive) as ends:
            await ends.write(send, first)
            await self._go_on(stream, ends, send)
            await ends.finish(send)

    async def _go_on(self, stream: Any, ends: Ends, send: Any) -> None:
        """Follows an unregistered service until its process is gone, to get its last output."""
        while not stream.over and not await ends.wait(None, _FOLLOW_SECONDS):
            if self._app.core.closed():
                return
            text = await self._app.in_thread(stream.next)
            if text:
                await ends.write(send, text)
