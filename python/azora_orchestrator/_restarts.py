"""Restart callables: the core asks for a restart, the user's function does it.

Threads: one dispatcher waits at the core; every request runs on a daemon thread of its own, at most
one per service at a time, so a slow callable does not delay other restarts. One more thread forgets
the callables of services that are unregistered, for instance over REST.
"""

from __future__ import annotations

import contextlib
import inspect
import logging
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping

from azora_orchestrator import _core
from azora_orchestrator._callables import UserCallable, describe
from azora_orchestrator._callbacks import Callbacks
from azora_orchestrator._loop_thread import LoopThread
from azora_orchestrator.errors import AzoraError
from azora_orchestrator.events import EventStream
from azora_orchestrator.service_config import RestartRequest

__all__ = ["Restarts"]

logger = logging.getLogger("azora_orchestrator")

_WAIT_MS = 3_600_000  # the core ends the wait when it is closed


class Restarts:
    """The callables by service id, and the threads that call and forget them."""

    def __init__(self, core: _core.Core, loops: LoopThread, callbacks: Callbacks) -> None:
        self._core = core
        self._loops = loops
        self._callbacks = weakref.ref(callbacks)
        # Held while a registration is decided: the core and this table change together. One thread
        # may take it twice: a signal handler, or the collector, may run in the midst of it.
        self._lock = threading.RLock()
        self._removals: EventStream | None = None
        self._threads: list[threading.Thread] = []

    @contextlib.contextmanager
    def registering(
        self, functions: Mapping[str, Callable[..., object]], without: Iterable[str]
    ) -> Iterator[None]:
        """Register services with these callables, and others without one, in the block.

        The core may ask for a restart before the block ends, so the callables are there from its
        beginning. If the block fails, all is as it was.
        """
        with self._lock:
            table = self._table()
            before = {id: table.get(id) for id in functions}
            table.update({id: UserCallable(one, self._loops) for id, one in functions.items()})
            if functions and not self._threads:
                self._begin()
            try:
                yield
            except Exception:
                _put_back(table, before)
                raise
            for id in without:
                table.pop(id, None)

    @contextlib.contextmanager
    def unregistering(self, id: str) -> Iterator[None]:
        """Unregister a service in the block, and forget its callable."""
        with self._lock:
            yield
            self._table().pop(id, None)

    def end(self) -> None:
        """End the thread that forgets; the dispatcher ends when the core is closed."""
        if self._removals is not None:
            self._removals.close()

    def join(self, timeout: float) -> None:
        """Wait for the threads, after end()."""
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(timeout)

    def _table(self) -> dict[str, UserCallable]:
        callbacks = self._callbacks()
        return {} if callbacks is None else callbacks.restarts

    def _begin(self) -> None:
        removals = EventStream(self._core.cursor(None, ["serviceUnregistered"], None))
        self._removals = removals
        self._threads = [
            threading.Thread(target=self._dispatch, name="azora-restarts", daemon=True),
            threading.Thread(
                target=self._forget_removed, args=(removals,), name="azora-removals", daemon=True
            ),
        ]
        for thread in self._threads:
            thread.start()

    def _forget_removed(self, removals: EventStream) -> None:
        while removals.batch():
            with self._lock, contextlib.suppress(AzoraError):
                table = self._table()
                # A `gap` does not name those that it hides, so all of them are looked at.
                for id in [one for one in table if self._core.find(one) is None]:
                    del table[id]

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
            callable_ = self._table().get(request.service_id)
        ok, reason = False, "its restart callable is gone"
        if callable_ is not None:
            ok, reason = self._call(callable_, request)
        with contextlib.suppress(AzoraError):  # closed meanwhile
            self._core.action_done(serial, request.incarnation, ok, reason)

    def _call(self, callable_: UserCallable, request: RestartRequest) -> tuple[bool, str]:
        function = callable_.function
        try:
            result = function(request) if _takes_argument(function) else function()
            if inspect.isawaitable(result):
                result = callable_.wait_for(result)
        except BaseException as error:  # sys.exit() is a failure like any other
            logger.error("restart callable of %s failed", request.service_id, exc_info=error)
            self._report(f"restart callable of {request.service_id}: {describe(error)}")
            return False, describe(error)
        if result is False:
            return False, "its restart callable returned False"
        return True, ""

    def _report(self, reason: str) -> None:
        with contextlib.suppress(AzoraError):  # closing: no one is left to report to
            self._core.handler_failed(reason)


def _put_back(table: dict[str, UserCallable], before: Mapping[str, UserCallable | None]) -> None:
    for id, callable_ in before.items():
        if callable_ is None:
            table.pop(id, None)
        else:
            table[id] = callable_


def _takes_argument(function: Callable[..., object]) -> bool:
    try:
        inspect.signature(function).bind(None)
    except TypeError:
        return False
    except ValueError:
        return True  # a builtin without signature
    return True
