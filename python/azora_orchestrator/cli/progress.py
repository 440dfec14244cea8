"""What `azora serve` prints while it serves: what becomes of each service, and of itself."""

from __future__ import annotations

import threading
from typing import Any

from azora_orchestrator.cli.render import tell

_FOREVER_MS = 2**31 - 1  # end() wakes the reader


def _own_line(event: Any) -> str:
    """The line for a trouble of the orchestrator itself, or for its end."""
    what = event.type.removeprefix("orchestrator").lower()
    reason = f": {event.reason}" if event.reason else ""
    return f"  {what:10} {'(orchestrator)':28} {event.cause}{reason}"


def _detail(event: Any) -> str:
    """What tells more than the name of the event."""
    if event.type in ("serviceFailed", "serviceUnhealthy"):
        return event.reason or ""
    if event.type == "serviceExited":
        return event.signal or (f"code {event.code}" if event.code is not None else "")
    return ""


class Progress:
    """Prints what happens to each service, and to the orchestrator itself.

    Threads: one daemon thread of its own.
    """

    _TYPES = (
        "serviceHealthy",
        "serviceDegraded",
        "serviceUnhealthy",
        "serviceFailed",
        "serviceExited",
        "serviceRestarted",
        "orchestratorDegraded",
        "orchestratorRecovered",
    )

    def __init__(self, core: Any) -> None:
        self._core = core
        self._cursor = core.cursor(core.seq(), list(self._TYPES), None)
        self._thread = threading.Thread(target=self._run, name="azora-progress", daemon=True)
        self._ended = threading.Event()

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def end(self) -> None:
        """Ends the printing."""
        self._ended.set()
        self._cursor.close()
        self._thread.join(2)

    def _run(self) -> None:
        complete = False
        while not self._ended.is_set():
            self._cursor.wait(_FOREVER_MS)
            for event in self._cursor.drain():
                if self._ended.is_set():
                    return
                if event.type.startswith("orchestrator"):
                    tell(_own_line(event))
                    continue
                _, total, healthy, _, _ = self._core.totals()
                what = event.type.removeprefix("service").lower()
                detail = f" ({text})" if (text := _detail(event)) else ""
                tell(
                    f"  {what:10} {event.service_id or '-':28} {healthy} of {total} healthy{detail}"
                )
                if not complete and healthy == total:
                    complete = True
                    every = "the service is" if total == 1 else f"all {total} services are"
                    tell(f"{every} healthy")
