"""A request that waits for something that may take minutes ends early with its client or server."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import Request

from azora_orchestrator.server.problems import HTTPProblem, shutting_down
from azora_orchestrator.server.streaming import until_disconnect

_T = TypeVar("_T")


async def until_done(app: Any, request: Request, call: Coroutine[Any, Any, _T]) -> _T:
    """The result of a call, which is cancelled when its client has left.

    Raises:
        HTTPProblem: 503: the server began to shut down meanwhile; 499: the client has left.
    """
    done = asyncio.ensure_future(call)
    closing = asyncio.ensure_future(app.closing.wait())
    gone = asyncio.ensure_future(until_disconnect(request.receive))
    try:
        await asyncio.wait({done, closing, gone}, return_when=asyncio.FIRST_COMPLETED)
        if done.done():
            return done.result()
        if closing.done():
            raise shutting_down()
        raise HTTPProblem(499, "client_gone", "the client has left")  # never sent
    finally:
        for task in (done, closing, gone):
            task.cancel()
