"""Notices event loops that were closed while handlers on them had not ended.

A loop that is stopped and closed runs nothing any more, so nothing on it can report that.
Threads: one daemon thread, made when it is first needed, which sleeps while handlers keep up.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
from typing import Protocol

from azora_orchestrator._descriptors import close_in_children

__all__ = ["LoopWatch", "Watched"]

_GRACE_SECONDS = 0.25  # how long a loop may leave events unread before it is checked again


class Watched(Protocol):
    """What delivers events on a loop of the user."""

    def descriptor(self) -> int:
        """Readable while there are events that the handler did not get yet."""

    def loop_is_closed(self) -> bool:
        """Whether the loop is closed: then the handler is never called again."""

    def lose_loop(self) -> None:
        """End because the loop is closed."""


class LoopWatch:
    """Checks the loop of a delivery whenever events wait for it. Any method on any thread."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._watched: dict[int, Watched] = {}
        self._epoll: select.epoll | None = None
        self._wake = -1
        self._thread: threading.Thread | None = None
        self._ended = False

    def add(self, one: Watched) -> None:
        """Begin to watch a delivery."""
        with self._lock:
            if self._ended:
                return
            if self._epoll is None:
                self._epoll = select.epoll()
                self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
                self._epoll.register(self._wake, select.EPOLLIN)
                close_in_children(self)
                self._thread = threading.Thread(
                    target=self._run, args=(self._epoll,), name="azora-loop-watch", daemon=True
                )
                self._thread.start()
            descriptor = one.descriptor()
            self._watched[descriptor] = one
            self._epoll.register(descriptor, select.EPOLLIN | select.EPOLLONESHOT)

    def remove(self, one: Watched) -> None:
        """Stop watching a delivery that has ended."""
        with self._lock:
            for descriptor, watched in list(self._watched.items()):
                if watched is one:
                    del self._watched[descriptor]
                    with contextlib.suppress(OSError, ValueError):
                        if self._epoll is not None:
                            self._epoll.unregister(descriptor)

    def close(self, timeout: float) -> None:
        """End the thread."""
        with self._lock:
            self._ended = True
            thread = self._thread
            if thread is not None and thread.is_alive():
                os.eventfd_write(self._wake, 1)
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)

    def _close_in_child(self) -> None:
        if self._epoll is not None and not self._epoll.closed:
            self._epoll.close()
            os.close(self._wake)

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
                    if (one := self._watched.get(descriptor)) is not None and one.loop_is_closed()
                ]
                for descriptor in [one for one, then in late.items() if then <= now]:
                    del late[descriptor]
                    if descriptor in self._watched:
                        epoll.modify(descriptor, select.EPOLLIN | select.EPOLLONESHOT)
            for one in lost:
                self.remove(one)
                one.lose_loop()
            del lost
