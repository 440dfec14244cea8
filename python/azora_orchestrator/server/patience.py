"""Waits with a time limit; one timer serves all waits of a loop.

One timer per wait, as in `asyncio.timeout()`, would cost more than a whole registration.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any


class Patience:
    """The waits of one event loop.

    Threads: its loop.
    """

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._due: dict[asyncio.Task[Any], float] = {}
        self._late: set[asyncio.Task[Any]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self.ended = False

    async def wait(self, awaited: Awaitable[Any], seconds: float) -> Any:
        """Awaits with a limit; a task may have one such wait at a time.

        Raises:
            TimeoutError: It took longer than `seconds`, or up to a tenth more; or end() was called.
        """
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 (a coroutine of an event loop)
        cancelled = task.cancelling()
        self._due[task] = self.loop.time() + seconds
        if self._timer is None:
            self._timer = self.loop.call_later(seconds / 10, self._look, seconds / 10)
        try:
            return await awaited
        except asyncio.CancelledError:
            if task in self._late and task.uncancel() <= cancelled:
                raise TimeoutError from None
            raise
        finally:
            del self._due[task]
            self._late.discard(task)

    def end(self) -> None:
        """Ends all waits."""
        self.ended = True
        self._cancel(list(self._due))

    def _cancel(self, tasks: list[asyncio.Task[Any]]) -> None:
        for task in tasks:
            if task not in self._late:
                self._late.add(task)
                task.cancel()

    def _look(self, pause: float) -> None:
        now = self.loop.time()
        self._cancel([task for task, due in self._due.items() if due <= now])
        self._timer = self.loop.call_later(pause, self._look, pause) if self._due else None
