"""A request that waits for something that may take minutes ends early with its client or server."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from starlette.requests import Request

from azora_orchestrator._core import CoreError
from azora_orchestrator.server.core_calls import CoreCalls
from azora_orchestrator.server.problems import HTTPProblem, shutting_down
from azora_orchestrator.server.streaming import until_disconnect

_T = TypeVar("_T")
_AT_ONCE = 256  # services that one request makes the core look at, while it waits for more


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


async def all_of(
    calls: CoreCalls,
    ids: Sequence[str],
    named: Sequence[str],
    goal: str,
    timeout_ms: int,
    horizon_ms: int,
) -> None:
    """Waits until each is "ready" or "stopped"; the first that is refused ends the wait for all.

    Args:
        calls: The calls of this loop.
        ids: What to wait for.
        named: Which of them the client gave: one of the others may be unregistered meanwhile.
        goal: "ready" or "stopped".
        timeout_ms: How long to wait for all together.
        horizon_ms: See `CoreCalls.wait_for`.

    Raises:
        CoreError: timed_out or not_coming.
        HTTPProblem: 404: one of `named` does not exist.
    """
    loop = asyncio.get_running_loop()
    begin = loop.time()
    left = iter(ids)

    async def wait_for_some() -> None:
        for id in left:
            spent_ms = int((loop.time() - begin) * 1000)
            try:
                await calls.wait_for(
                    id, goal, max(0, timeout_ms - spent_ms), max(0, horizon_ms - spent_ms)
                )
            except CoreError as error:
                if error.args[0] != "unknown_service":
                    raise
                if id in named:
                    said = f"{id}: there is no such service"
                    raise HTTPProblem(404, "unknown_service", said) from None

    tasks = [asyncio.ensure_future(wait_for_some()) for _ in ids[:_AT_ONCE]]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
