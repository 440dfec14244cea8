"""A callable that a user gave us, and the event loop that was running when it was given.

One rule for event handlers and restart callables: a coroutine function runs on that loop. A plain
function runs on a thread of ours; if it returns an awaitable, this is awaited on that loop. Without
such a loop, one of ours takes its place.
Threads: any.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import contextvars
import functools
import inspect
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from azora_orchestrator._loop_thread import LoopThread

__all__ = ["LoopEnded", "UserCallable", "describe", "given_on_this_loop"]

_LOOK_SECONDS = 0.25  # how often a thread that waits for a loop checks that the loop is open

# The loop of a coroutine that makes its calls on another thread.
_callers_loop: contextvars.ContextVar[asyncio.AbstractEventLoop | None] = contextvars.ContextVar(
    "azora_callers_loop", default=None
)


class LoopEnded(Exception):
    """The event loop of a callable is closed."""

    def __init__(self) -> None:
        super().__init__("its event loop is closed")


@contextlib.contextmanager
def given_on_this_loop() -> Iterator[None]:
    """Let callables given inside belong to the running loop, also if a thread takes them over."""
    token = _callers_loop.set(asyncio.get_running_loop())
    try:
        yield
    finally:
        _callers_loop.reset(token)


class UserCallable:
    """The callable, its name for messages, and where it runs."""

    def __init__(self, function: Callable[..., object], fallback: LoopThread) -> None:
        self.function = function
        self.name: str = getattr(function, "__qualname__", type(function).__name__)
        self.is_async = _is_async(function)
        self._fallback = fallback
        try:
            self.given_loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            self.given_loop = _callers_loop.get()

    def loop(self) -> asyncio.AbstractEventLoop:
        """Return the loop for its coroutines. Raises OrchestratorClosed if ours is needed late."""
        return self.given_loop or self._fallback.loop()

    def runs_on(self) -> Callable[[asyncio.AbstractEventLoop], bool]:
        """Return the test for its loop, without a reference to the callable."""
        given, fallback = self.given_loop, self._fallback
        return lambda loop: loop is given if given is not None else fallback.is_loop(loop)

    def wait_for(self, awaitable: Awaitable[Any], first: Callable[[], object] | None = None) -> Any:
        """Await on the loop what the callable returned; the calling thread waits for the result.

        `first` is called there before. Raises LoopEnded when the loop is closed, before or
        meanwhile, and OrchestratorClosed if ours is needed late.
        """
        whole = _await(awaitable, first)
        try:
            loop = self.loop()
            future = asyncio.run_coroutine_threadsafe(whole, loop)
        except BaseException as error:
            _discard(whole, awaitable)
            if isinstance(error, RuntimeError):
                raise LoopEnded from None
            raise
        while not concurrent.futures.wait([future], _LOOK_SECONDS).done:
            if loop.is_closed():
                _discard(whole, awaitable)
                raise LoopEnded
        return future.result()


def describe(error: BaseException) -> str:
    """Return the name of an exception with its message."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


async def _await(awaitable: Awaitable[Any], first: Callable[[], object] | None) -> Any:
    if first is not None:
        first()
    return await awaitable


def _discard(*coroutines: object) -> None:
    # A coroutine that nothing will ever start is closed; otherwise Python warns about it.
    for one in coroutines:
        if inspect.iscoroutine(one) and inspect.getcoroutinestate(one) == inspect.CORO_CREATED:
            one.close()


def _is_async(function: object) -> bool:
    while isinstance(function, functools.partial):
        function = function.func
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004
    )
