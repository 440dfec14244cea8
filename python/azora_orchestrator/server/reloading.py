"""Reloads of the configuration file while a server runs: one at a time, asked for by anyone.

REST asks and waits for the answer; SIGHUP and a change of the file ask, and the hooks tell.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from azora_orchestrator import _core
from azora_orchestrator.errors import AzoraError

if TYPE_CHECKING:
    from azora_orchestrator.reload import ReloadPlan
    from azora_orchestrator.server.hooks import Hooks
    from azora_orchestrator.server.notify import Notifier

# Editors write in several steps: the file counts as written when it has been still for so long.
_STILL_SECONDS = 0.2


class Reloading:
    """Threads: call() any; the rest the server's loop.

    Args:
        hooks: They read the file.
        notifier: It tells the service manager.
        status: The line for people after a reload.
    """

    def __init__(self, hooks: Hooks, notifier: Notifier, status: Callable[[], str]) -> None:
        self._hooks = hooks
        self._notifier = notifier
        self._status = status
        self._one_at_a_time = threading.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._prepared = asyncio.Event()
        self._seen = self._stamp()
        self._timer: asyncio.TimerHandle | None = None

    def call(self, plan: bool, restart_changed: bool) -> ReloadPlan:
        """Reload, or only say what would change."""
        with self._one_at_a_time:
            if plan:
                return self._hooks.reload(plan, restart_changed)
            self._notifier.reloading()
            try:
                return self._hooks.reload(plan, restart_changed)
            finally:
                self._notifier.ready(self._status())

    def prepared(self) -> None:
        """The services of the file are registered: from here on it may be read again."""
        self._prepared.set()

    def begin(self, reason: str) -> None:
        """Reload in the background."""
        task = asyncio.get_running_loop().create_task(self._run(reason))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, reason: str) -> None:
        outcome: ReloadPlan | Exception
        await self._prepared.wait()
        try:
            outcome = await asyncio.to_thread(self.call, False, False)
        except (AzoraError, OSError) as error:
            outcome = error
        self._hooks.reloaded(reason, outcome)

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Reloads when the file changes, where the hooks want it."""
        if not self._hooks.watch or self._hooks.file is None:
            yield
            return
        loop = asyncio.get_running_loop()
        watch = _core.FolderWatch()
        watch.watch(os.path.dirname(os.path.abspath(self._hooks.file)))
        loop.add_reader(watch.fileno(), self._news, watch)
        try:
            yield
        finally:
            loop.remove_reader(watch.fileno())
            if self._timer is not None:
                self._timer.cancel()

    def _news(self, watch: _core.FolderWatch) -> None:
        watch.take()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(_STILL_SECONDS, self._look)

    def _look(self) -> None:
        now = self._stamp()
        if now is None or now == self._seen:  # removed for a moment, or another file of the folder
            return
        self._seen = now
        self.begin("the file has changed")

    def _stamp(self) -> tuple[int, int, int] | None:
        if self._hooks.file is None:
            return None
        try:
            found = os.stat(self._hooks.file)
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size
