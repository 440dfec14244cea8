"""The requests of `wait_ready` and `wait_stopped`: the server waits, and judges by its rules (R55).

No input or output of its own.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence

from azora_orchestrator.client import requests
from azora_orchestrator.client.requests import Request
from azora_orchestrator.errors import TimedOut

_LONGEST_MS = 600_000  # of one request
_MOST_NAMES = 50  # of one request; a server takes 64 parameters

Asking = Generator[Request, TimedOut | None, None]


def asking(names: Sequence[str] | None, goal: str, seconds: float) -> Asking:
    """Yields the requests of a wait; takes the TimedOut of one that the server answered with it.

    Args:
        names: Ids, entries or groups; None: all services, to be ready those that are wanted up.
        goal: "ready" or "stopped".
        seconds: How long to wait for all of them together.

    Raises:
        TimedOut: The time is over.
    """
    deadline = time.monotonic() + seconds
    for some in _portions(names):
        while True:
            left_ms = max(0.0, (deadline - time.monotonic()) * 1000)
            late = yield requests.wait(some, goal, min(left_ms, _LONGEST_MS), left_ms)
            if late is None:
                break
            if left_ms <= _LONGEST_MS:
                raise late


def _portions(names: Sequence[str] | None) -> list[Sequence[str]]:
    if names is None:
        return [()]
    return [names[at : at + _MOST_NAMES] for at in range(0, len(names), _MOST_NAMES)]
