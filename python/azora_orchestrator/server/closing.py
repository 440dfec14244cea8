"""Ends endless responses: when we are asked to, or when the server above begins to end.

A mounted app gets no lifespan, and uvicorn waits for open responses before it says anything: its
Server is found among the tasks of the loop, and checked while a response waits.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

_LOOK_SECONDS = 0.2


class Closing:
    """The end of the endless responses of one loop.

    Threads: that loop.
    """

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._told = False
        self._waiting = 0
        self._watch: asyncio.Task[None] | None = None

    def set(self) -> None:
        """Ends all endless responses, present and future."""
        self._told = True
        self._event.set()

    async def wait(self) -> None:
        """Waits until the responses must end."""
        if not self._told and (self._watch is None or self._watch.done()):
            server = server_above()
            if (
                server is not None
                and not server.should_exit
                and getattr(server, "ends_answers", True)
            ):
                self._event.clear()  # perhaps another server than the one that ended
                self._watch = asyncio.get_running_loop().create_task(self._look_at(server))
        self._waiting += 1
        try:
            await self._event.wait()
        finally:
            self._waiting -= 1

    async def _look_at(self, server: Any) -> None:
        while not server.should_exit:
            await asyncio.sleep(_LOOK_SECONDS)
            if not self._waiting:
                return
        self._event.set()


def server_above() -> Any | None:
    """The uvicorn.Server that runs on this loop; None: there is none, or it is another server."""
    uvicorn = sys.modules.get("uvicorn.server")
    if uvicorn is None:
        return None
    for task in asyncio.all_tasks():
        coroutine: Any = task.get_coro()
        while coroutine is not None:
            frame = getattr(coroutine, "cr_frame", None)
            found = None if frame is None else frame.f_locals.get("self")
            if isinstance(found, uvicorn.Server):
                return found
            coroutine = getattr(coroutine, "cr_await", None)
    return None
