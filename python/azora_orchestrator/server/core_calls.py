"""Calls of the core that take a while, without a thread for each: a descriptor tells the loop.

A thread that waits for the core costs more than a registration itself, and a pool of them is held
by clients that have left. Here any number of clients wait, and a wait ends with its client.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any


class CoreCalls:
    """The calls that one event loop waits for.

    Threads: its loop. Ownership: shares the core.
    """

    def __init__(self, core: Any) -> None:
        self._loop = asyncio.get_running_loop()
        self._calls = core.pending_calls()
        self._waiting: dict[int, asyncio.Future[list[str]]] = {}
        self._loop.add_reader(self._calls.fileno(), self._take)

    async def register(self, *texts: str) -> None:
        """Registers the services that the texts describe, all or none, or raises the CoreError."""
        await self._done(self._calls.begin_register, texts)

    async def wait_for(
        self, service_id: str, what: str, timeout_ms: int, horizon_ms: int = 0
    ) -> None:
        """Waits until a service is "ready", "stopped" or "drained", or raises the CoreError.

        A wait that cannot come true before `horizon_ms`, or before its own end, is refused at once.
        When the task is cancelled, the core forgets the wait.
        """
        await self._done(self._calls.begin_wait, service_id, what, timeout_ms, horizon_ms)

    def time(self) -> float:
        """The clock of the loop, in seconds."""
        return self._loop.time()

    async def stop(self, timeout_ms: int) -> list[str]:
        """Stops the fleet and returns the ids of those that did not stop in time."""
        return await self._done(self._calls.begin_stop, timeout_ms)

    async def _done(self, begin: Callable[..., int], *args: Any) -> list[str]:
        ticket = begin(*args)
        done: asyncio.Future[list[str]] = self._loop.create_future()
        self._waiting[ticket] = done
        try:
            return await done
        finally:
            self._waiting.pop(ticket, None)
            self._calls.cancel(ticket)  # does nothing once it is done

    def _take(self) -> None:
        for ticket, left, error in self._calls.take():
            done = self._waiting.get(ticket)
            if done is None or done.done():
                continue  # the client has left
            if error is None:
                done.set_result(left)
            else:
                done.set_exception(error)
