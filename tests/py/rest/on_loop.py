"""Looks at an app on the loop that serves it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any


def on_loop(api: Any, call: Callable[[], Any]) -> Any:
    """The result of a call on the loop of the server."""
    done = threading.Event()
    result: list[Any] = []

    def run() -> None:
        result.append(call())
        done.set()

    api.loop.call_soon_threadsafe(run)
    assert done.wait(10)
    return result[0]


def until(api: Any, holds: Callable[[], bool]) -> None:
    """Waits until something holds on the loop, by looking at it again after each request."""
    for _ in range(2_000):
        if on_loop(api, holds):
            return
        api.get("/healthz")
    raise AssertionError("it never came true")
