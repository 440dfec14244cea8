"""Waits with a time limit that also end when the server begins to shut down."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

_T = TypeVar("_T")


class Deadlines:
    """The waits of one event loop.

    Threads: its loop.
    """

    def __init__(self) -> None:
        self._open: set[asyncio.Timeout] = set()
        self.ended = False

    async def wait(self, awaited: Awaitable[_T], seconds: float) -> _T:
        """Awaits with a limit.

        Raises:
            TimeoutError: It took longer, or end() was called.
        """
        async with asyncio.timeout(seconds) as timeout:
            self._open.add(timeout)
            try:
                return await awaited
            finally:
                self._open.discard(timeout)

    def end(self) -> None:
        """Ends all waits, now."""
        self.ended = True
        now = asyncio.get_running_loop().time()
        for timeout in self._open:
            timeout.reschedule(now)
