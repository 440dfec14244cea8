"""Handlers of events, sync and async, and the loop for those who have none.

Threads: a sync handler runs on a daemon thread of its own, in order; an async handler runs on the
loop that was running at `on()`, else on one of ours, one event at a time. No handler can disturb
another or the orchestrator: each reads a stream of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import logging
import threading
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self

from azora_orchestrator.events import Event, EventStream

__all__ = ["Handler", "OwnLoop", "Subscription"]

logger = logging.getLogger("azora_orchestrator")

Handler = Callable[[Event], object] | Callable[[Event], Awaitable[object]]


class Subscription:
    """A handler at work. Calling it calls the handler: decorated functions stay usable."""

    def __init__(
        self,
        stream: EventStream,
        handler: Handler,
        *,
        loops: OwnLoop,
        failed: Callable[[str], None],
        gone: Callable[[Subscription], None],
    ) -> None:
        functools.update_wrapper(self, handler)
        self._stream = stream
        self._handler = handler
        self._failed = failed
        self._gone = gone
        self._loops = loops
        self._thread: threading.Thread | None = None
        self._finished = threading.Event()
        if _is_async(handler):
            self._begin_async()
        else:
            self._thread = threading.Thread(
                target=self._run, name=f"azora-on-{_name(handler)}"[:40], daemon=True
            )
            self._thread.start()

    def __call__(self, event: Event) -> object:
        return self._handler(event)

    def handles(self, handler: object) -> bool:
        """Is this the subscription of that handler?"""
        return handler is self or handler == self._handler

    @property
    def active(self) -> bool:
        """False once it is unsubscribed or its loop is gone."""
        return not self._stream.closed

    def unsubscribe(self) -> None:
        """No further event is handed over; the one being handled goes on."""
        self._stream.close()
        self._gone(self)

    def end(self) -> None:
        """Handle what is there, then finish."""
        self._stream.end()

    def join(self, timeout: float) -> bool:
        """Wait until it has finished; a handler never waits for itself."""
        if threading.current_thread() is self._thread or self._on_own_loop():
            return False
        return self._finished.wait(timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.unsubscribe()

    # Sync handlers.

    def _run(self) -> None:
        try:
            for event in self._stream:
                try:
                    result = self._handler(event)
                    if inspect.isawaitable(result):
                        self._loops.run(result)
                except Exception as error:
                    self._report(error)
        finally:
            self._finished.set()

    # Async handlers.

    def _begin_async(self) -> None:
        try:
            self._loop = asyncio.get_running_loop()
            self._task = self._loop.create_task(self._run_async())
        except RuntimeError:
            self._loop = self._loops.loop()
            asyncio.run_coroutine_threadsafe(self._run_async(), self._loop)

    def _on_own_loop(self) -> bool:
        """Waiting here would stop the very loop that is waited for."""
        if self._thread is not None:
            return False
        try:
            return asyncio.get_running_loop() is self._loop
        except RuntimeError:
            return False

    async def _run_async(self) -> None:
        try:
            async for event in self._stream:
                try:
                    await self._handler(event)  # type: ignore[misc]
                except Exception as error:
                    self._report(error)
        finally:
            if not self._stream.closed:
                self._stream.close()
                self._failed(f"{_name(self._handler)}: the loop of this handler has ended")
                self._gone(self)
            self._finished.set()

    def _report(self, error: Exception) -> None:
        logger.exception("event handler %s failed", _name(self._handler))
        self._failed(f"{_name(self._handler)}: {type(error).__name__}: {error}")


class OwnLoop:
    """An asyncio loop on a daemon thread, made when it is first needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def loop(self) -> asyncio.AbstractEventLoop:
        """Give the running loop."""
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=self._loop.run_forever, name="azora-loop", daemon=True
                )
                self._thread.start()
            return self._loop

    def run(self, awaitable: Awaitable[Any]) -> Any:
        """Run to its end from another thread."""

        async def whole() -> Any:
            return await awaitable

        return asyncio.run_coroutine_threadsafe(whole(), self.loop()).result()

    def close(self, timeout: float) -> None:
        """Cancel what still runs and end the thread."""
        with self._lock:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is None or thread is None or thread is threading.current_thread():
            return

        async def cancel_all() -> None:
            tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        with contextlib.suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(cancel_all(), loop).result(timeout)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout)
        if not thread.is_alive():
            loop.close()


def _is_async(handler: object) -> bool:
    while isinstance(handler, functools.partial):
        handler = handler.func
    return inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(
        getattr(handler, "__call__", None)  # noqa: B004
    )


def _name(handler: object) -> str:
    return getattr(handler, "__qualname__", type(handler).__name__)
