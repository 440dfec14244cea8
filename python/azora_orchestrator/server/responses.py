"""Successful responses: the bytes that the core made, in pieces where there are many."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.responses import Response

from azora_orchestrator.server.problems import JSON_TYPE, compact

PIECE = 256 * 1024


class InPieces(Response):
    """A complete body that is sent piece by piece.

    A socket takes some megabytes at once, and copying them holds up the loop for milliseconds;
    with several readers of a large fleet, a pick would wait for all of them.
    """

    async def __call__(self, _scope: Any, _receive: Any, send: Any) -> None:
        """Sends the head, then the pieces."""
        head = {"type": "http.response.start", "status": self.status_code}
        await send(head | {"headers": self.raw_headers})
        for begin in range(0, max(1, len(self.body)), PIECE):
            more = begin + PIECE < len(self.body)
            piece = bytes(self.body[begin : begin + PIECE])
            await send({"type": "http.response.body", "body": piece, "more_body": more})
            if more:
                await asyncio.sleep(0)


def json_response(
    body: bytes, status: int = 200, headers: tuple[tuple[bytes, bytes], ...] = ()
) -> Response:
    """Complete JSON that exists already."""
    response = (InPieces if len(body) > PIECE else Response)(body, status)
    response.raw_headers = [
        (b"content-type", JSON_TYPE),
        *headers,
        (b"content-length", b"%d" % len(body)),
    ]
    return response


def said_body(message: str) -> bytes:
    """The body of the response to a change that was made."""
    return compact({"success": True, "message": message})


def said(message: str) -> Response:
    """The response to a change that was made."""
    return json_response(said_body(message))
