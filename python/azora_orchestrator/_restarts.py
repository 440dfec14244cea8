"""Restart callables: the core asks for a restart, the user's function does it.

Threads: one dispatcher waits at the core; every request runs on a daemon thread of its own, at most
one per service at a time, so a slow callable does not delay other restarts.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from azora_orchestrator import _core
from azora_orchestrator._handlers import OwnLoop
from azora_orchestrator.errors import AzoraError
from azora_orchestrator.service_config import RestartRequest

logger = logging.getLogger("azora_orchestrator")

_WAIT_MS = 3_600_000  # the core ends the wait when it is closed


class _Entry:
    """A callable and the loop on which its owner registered it."""

    def __init__(self, function: Callable[..., object]) -> None:
        self.function = function
        self.takes_request = _takes_argument(function)
        try:
            self.loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            self.loop = None


class RestartQueue:
    """The callables by service id, and the thread that waits for requests."""

    def __init__(self, core: _core.Core, loops: OwnLoop) -> None:
        self._core = core
        self._loops = loops
        self._lock = threading.Lock()
        self._entries: dict[str, _Entry] = {}
        self._thread: threading.Thread | None = None

    def put(self, functions: dict[str, Callable[..., object]]) -> dict[str, Any]:
        """Take callables before their registration; returns the replaced ones, for undo()."""
        with self._lock:
            before = {id: self._entries.get(id) for id in functions}
            for id, function in functions.items():
                self._entries[id] = _Entry(function)
            if functions and self._thread is None:
                self._thread = threading.Thread(
                    target=self._dispatch, name="azora-restarts", daemon=True
                )
                self._thread.start()
        return before

    def undo(self, before: dict[str, Any]) -> None:
        """Put back the former callables: the registration was refused."""
        with self._lock:
            for id, entry in before.items():
                if entry is None:
                    self._entries.pop(id, None)
                else:
                    self._entries[id] = entry

    def forget(self, id: str) -> None:
        """Drop the callable: the service is gone, or is registered without one."""
        with self._lock:
            self._entries.pop(id, None)

    def join(self, timeout: float) -> None:
        """Wait for the dispatcher, which ends when the core is closed."""
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)

    def _dispatch(self) -> None:
        while True:
            try:
                request = self._core.next_action(_WAIT_MS)
            except AzoraError:
                return
            if request is None:
                if self._core.closed():
                    return
                continue
            serial, wanted = request[0], RestartRequest(*request[1:])
            threading.Thread(
                target=self._serve,
                args=(serial, wanted),
                name=f"azora-restart-{wanted.service_id}"[:40],
                daemon=True,
            ).start()

    def _serve(self, serial: int, request: RestartRequest) -> None:
        with self._lock:
            entry = self._entries.get(request.service_id)
        ok, reason = False, "its restart callable is gone"
        if entry is not None:
            ok, reason = self._call(entry, request)
        try:
            self._core.action_done(serial, request.incarnation, ok, reason)
        except AzoraError:
            return  # closed meanwhile

    def _call(self, entry: _Entry, request: RestartRequest) -> tuple[bool, str]:
        try:
            result = entry.function(request) if entry.takes_request else entry.function()
            if inspect.isawaitable(result):
                result = self._finish(entry, result)
        except BaseException as error:  # sys.exit() is a failure like any other
            logger.error("restart callable of %s failed", request.service_id, exc_info=error)
            self._tell(f"restart callable of {request.service_id}: {type(error).__name__}: {error}")
            return False, f"{type(error).__name__}: {error}"
        if result is False:
            return False, "its restart callable answered False"
        return True, ""

    def _tell(self, reason: str) -> None:
        with contextlib.suppress(AzoraError):  # closing: there is nobody to report to
            self._core.handler_failed(reason)

    def _finish(self, entry: _Entry, result: Awaitable[Any]) -> Any:
        loop = entry.loop
        if loop is None or loop.is_closed() or not loop.is_running():
            return self._loops.run(result)

        async def whole() -> Any:
            return await result

        future = asyncio.run_coroutine_threadsafe(whole(), loop)
        while True:
            try:
                return future.result(1.0)
            except TimeoutError:
                if future.done():
                    raise
                if loop.is_closed():
                    raise RuntimeError("the loop of this callable has ended") from None


def _takes_argument(function: Callable[..., object]) -> bool:
    try:
        inspect.signature(function).bind(None)
    except TypeError:
        return False
    except ValueError:
        return True  # a builtin without signature
    return True
