"""An event loop of ours, for callables that were given while no loop was running.

Threads: one daemon thread, made when it is first needed.
"""

from __future__ import annotations

import asyncio
import threading

from azora_orchestrator.errors import OrchestratorClosed

__all__ = ["LoopThread"]


class LoopThread:
    """A loop and its thread. Any method on any thread."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._closed = False

    def loop(self) -> asyncio.AbstractEventLoop:
        """Return the running loop. Raises OrchestratorClosed after close()."""
        with self._lock:
            if self._closed:
                raise OrchestratorClosed("the orchestrator is closed")
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=self._run, args=(self._loop,), name="azora-loop", daemon=True
                )
                self._thread.start()
            return self._loop

    def is_loop(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Whether this is our loop."""
        return loop is self._loop

    @staticmethod
    def _run(loop: asyncio.AbstractEventLoop) -> None:
        try:
            loop.run_forever()
        finally:
            loop.close()

    def close(self, timeout: float) -> None:
        """Cancel running tasks and end the thread for good.

        If a task of this loop calls it, that task goes on to its own end first.
        """
        with self._lock:
            self._closed = True
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is None or thread is None:
            return
        inside = thread is threading.current_thread()
        caller = asyncio.current_task() if inside else None

        async def end() -> None:
            tasks = asyncio.all_tasks() - {asyncio.current_task(), caller}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if caller is not None:
                await asyncio.wait({caller})
            loop.stop()

        if inside:
            self._ending = loop.create_task(end())
            return
        asyncio.run_coroutine_threadsafe(end(), loop)
        thread.join(timeout)
        if thread.is_alive():  # a task blocks the loop, or refuses to be cancelled
            loop.call_soon_threadsafe(loop.stop)
