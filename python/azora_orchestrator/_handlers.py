"""Handlers of events, sync and async, and the loop for async handlers that have none.

Threads: a sync handler runs on a daemon thread of its own, in order; an async handler runs on the
loop that was running at `on()`, else on one of ours, one event at a time. No handler can disturb
another one or the orchestrator, because each has its own stream.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import inspect
import logging
import os
import select
import threading
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self

from azora_orchestrator.events import Event, EventStream, holds_descriptors

__all__ = ["Handler", "LoopWatch", "OwnLoop", "Subscription"]

logger = logging.getLogger("azora_orchestrator")

# The subscription whose async handler runs in this context.
_at_work: contextvars.ContextVar[object] = contextvars.ContextVar("azora_at_work", default=None)
_GRACE_SECONDS = 0.25  # how long a loop may leave events unread before it is checked again

Handler = Callable[[Event], object] | Callable[[Event], Awaitable[object]]


class Subscription:
    """A handler at work. Calling it calls the handler: decorated functions stay usable."""

    def __init__(
        self,
        stream: EventStream,
        handler: Handler,
        *,
        loops: OwnLoop,
        watch: LoopWatch,
        failed: Callable[[str], None],
        gone: Callable[[Subscription], None],
    ) -> None:
        functools.update_wrapper(self, handler)
        self._stream = stream
        self._handler = handler
        self._failed = failed
        self._gone = gone
        self._loops = loops
        self._watch = watch
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
        """Whether this is the subscription of that handler."""
        return handler is self or handler == self._handler

    @property
    def active(self) -> bool:
        """False once it is unsubscribed or its loop is gone."""
        return not self._stream.closed

    def unsubscribe(self) -> None:
        """Hand over no further event; the handler finishes the present one."""
        self._watch.remove(self)
        self._stream.close()
        self._gone(self)

    def end(self) -> None:
        """Handle the events that are there, then finish."""
        self._stream.end()

    def join(self, timeout: float) -> bool:
        """Wait until the handler has finished; a handler never waits for itself."""
        if (
            threading.current_thread() is self._thread
            or self._on_own_loop()
            or _at_work.get() is self
        ):
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
            while (stopped := self._stream.hand_to(self._handler)) is not None:
                event, result, error = stopped
                if error is None and inspect.isawaitable(result):
                    try:
                        self._loops.run(result)
                    except BaseException as failure:  # not even sys.exit() ends our thread
                        error = failure
                if error is not None:
                    self._report(event, error)
        finally:
            self._finished.set()

    # Async handlers.

    def _begin_async(self) -> None:
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = self._loops.loop()
            asyncio.run_coroutine_threadsafe(self._run_async(), self._loop)
            return
        self._task = self._loop.create_task(self._run_async())
        self._watch.add(self)

    def _on_own_loop(self) -> bool:
        """Whether the caller is on this loop: waiting here would then block the loop itself."""
        if self._thread is not None:
            return False
        try:
            return asyncio.get_running_loop() is self._loop
        except RuntimeError:
            return False

    async def _run_async(self) -> None:
        _at_work.set(self)
        try:
            stream, handler = self._stream, self._handler
            while events := await stream.batch_async():
                for event in events:
                    if stream.closed:
                        break  # unsubscribed meanwhile
                    try:
                        await handler(event)  # type: ignore[misc]
                    except (Exception, SystemExit) as error:
                        self._report(event, error)
        finally:
            self.lose_loop()
            self._watch.remove(self)
            self._finished.set()

    def descriptor(self) -> int:
        """Readable while there are events that the handler did not get yet."""
        return self._stream.descriptor()

    def loop_closed(self) -> bool:
        """Whether the loop is closed: then the handler is never called again."""
        return self._loop.is_closed()

    def lose_loop(self) -> None:
        """End the handler because its loop has ended, and report it; nothing if it ended before."""
        if not self._stream.closed:
            self._stream.close()
            self._gone(self)
            self._failed(f"{_name(self._handler)}: the loop of this handler has ended")
        if self.loop_closed():
            self._finished.set()

    def _report(self, event: Event, error: BaseException) -> None:
        logger.error("event handler %s failed", _name(self._handler), exc_info=error)
        if event.type != "callbackFailed":  # otherwise it would fail on its own reports for ever
            self._failed(f"{_name(self._handler)}: {type(error).__name__}: {error}")


class LoopWatch:
    """Notices loops that were closed while handlers on them had not ended.

    Threads: one daemon thread, made when it is first needed, which sleeps while handlers keep up.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watched: dict[int, Subscription] = {}
        self._epoll: select.epoll | None = None
        self._wake = -1
        self._thread: threading.Thread | None = None
        self._ended = False

    def add(self, subscription: Subscription) -> None:
        """Check the loop of this subscription whenever events wait for it."""
        with self._lock:
            if self._ended:
                return
            if self._epoll is None:
                self._epoll = select.epoll()
                self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
                self._epoll.register(self._wake, select.EPOLLIN)
                holds_descriptors(self)
                self._thread = threading.Thread(
                    target=self._run, args=(self._epoll,), name="azora-loop-watch", daemon=True
                )
                self._thread.start()
            descriptor = subscription.descriptor()
            self._watched[descriptor] = subscription
            self._epoll.register(descriptor, select.EPOLLIN | select.EPOLLONESHOT)

    def remove(self, subscription: Subscription) -> None:
        """Stop watching a subscription that has ended."""
        with self._lock:
            for descriptor, one in list(self._watched.items()):
                if one is subscription:
                    del self._watched[descriptor]
                    with contextlib.suppress(OSError, ValueError):
                        if self._epoll is not None:
                            self._epoll.unregister(descriptor)

    def close_in_child(self) -> None:
        """Close our descriptors; the thread that used them does not exist in the child."""
        if self._epoll is not None and not self._epoll.closed:
            self._epoll.close()
            os.close(self._wake)

    def close(self, timeout: float) -> None:
        """End the thread."""
        with self._lock:
            self._ended = True
            thread = self._thread
            if thread is not None:
                os.eventfd_write(self._wake, 1)
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)

    def _run(self, epoll: select.epoll) -> None:
        late: dict[int, float] = {}  # descriptor -> when to check again
        while True:
            wait = min(late.values(), default=None)
            ready = epoll.poll(None if wait is None else max(0.0, wait - time.monotonic()))
            now = time.monotonic()
            with self._lock:
                if self._ended:
                    self._watched.clear()
                    epoll.close()
                    os.close(self._wake)
                    return
                for descriptor, _ in ready:
                    late[descriptor] = now + _GRACE_SECONDS
                lost = [
                    one
                    for descriptor, _ in ready
                    if (one := self._watched.get(descriptor)) is not None and one.loop_closed()
                ]
                for descriptor in [one for one, then in late.items() if then <= now]:
                    del late[descriptor]
                    if descriptor in self._watched:
                        epoll.modify(descriptor, select.EPOLLIN | select.EPOLLONESHOT)
            for subscription in lost:
                self.remove(subscription)
                subscription.lose_loop()


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
                    target=self._run, args=(self._loop,), name="azora-loop", daemon=True
                )
                self._thread.start()
            return self._loop

    @staticmethod
    def _run(loop: asyncio.AbstractEventLoop) -> None:
        try:
            loop.run_forever()
        finally:
            loop.close()

    def run(self, awaitable: Awaitable[Any]) -> Any:
        """Run a coroutine to its end, from another thread."""

        async def whole() -> Any:
            return await awaitable

        return asyncio.run_coroutine_threadsafe(whole(), self.loop()).result()

    def close(self, timeout: float) -> None:
        """Cancel running tasks and end the thread; a task that calls this ends by itself."""
        with self._lock:
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


def _is_async(handler: object) -> bool:
    while isinstance(handler, functools.partial):
        handler = handler.func
    return inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(
        getattr(handler, "__call__", None)  # noqa: B004
    )


def _name(handler: object) -> str:
    return getattr(handler, "__qualname__", type(handler).__name__)
