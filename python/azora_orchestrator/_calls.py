"""Calls of the core that can wait long, made on a thread so that the caller can stop waiting.

Ctrl-C ends the caller's wait, not the call: a fleet that is being stopped goes on stopping.
Threads: one daemon thread a call. The interpreter's exit does not wait for it.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import contextvars
import threading
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

__all__ = ["call_interruptibly", "call_on_thread", "caller_has_left"]

P = ParamSpec("P")
T = TypeVar("T")

# What the caller of the call in this context waits for.
_awaited: contextvars.ContextVar[concurrent.futures.Future[Any] | None] = contextvars.ContextVar(
    "azora_awaited", default=None
)


def call_on_thread(
    function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> concurrent.futures.Future[T]:
    """Call `function` on a daemon thread, in a copy of the caller's context.

    The future may be cancelled: then its result is lost. Raises RuntimeError if there can be
    no further thread.
    """
    future: concurrent.futures.Future[T] = concurrent.futures.Future()
    context = contextvars.copy_context()
    context.run(_awaited.set, future)

    def work() -> None:
        with contextlib.suppress(concurrent.futures.InvalidStateError):  # it was cancelled
            try:
                result = context.run(function, *args, **kwargs)
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)

    threading.Thread(target=work, name="azora-wait", daemon=True).start()
    return future


def caller_has_left() -> bool:
    """Whether the caller of this call was cancelled, so that waiting on is of no use."""
    future = _awaited.get()
    return future is not None and future.cancelled()


def call_interruptibly(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call `function` and wait for it; on the main thread, signals are served meanwhile."""
    if threading.current_thread() is threading.main_thread():
        try:
            future = call_on_thread(function, *args, **kwargs)
        except RuntimeError:  # Python 3.12 starts no thread while it exits
            return function(*args, **kwargs)
        return future.result()
    return function(*args, **kwargs)
