"""Closes an orchestrator that was never closed: it was collected, or the interpreter exits.

A ResourceWarning names the line of the user's code that made it.
Threads: the one that drops the last reference, the one in which the collector runs, or at exit the
main thread; it waits until the fleet has stopped.
"""

from __future__ import annotations

import sys
import warnings
import weakref

from azora_orchestrator._runtime import Runtime

__all__ = ["close_when_forgotten"]

_STOP_MS = 60_000
_TEXT = "this MasterOrchestrator was never closed; use `with` or close()"


def close_when_forgotten(
    owner: object, runtime: Runtime
) -> weakref.finalize[[Runtime, str, int], object]:
    """Have `runtime` closed when `owner` is collected; the result can be detached."""
    return weakref.finalize(owner, _close, runtime, *_maker())


def _maker() -> tuple[str, int]:
    """Return file and line of the code outside this package that makes the orchestrator."""
    frame = sys._getframe()
    inside = f"{__package__}."
    while frame.f_back and frame.f_globals.get("__name__", "").startswith(inside):
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno


def _close(runtime: Runtime, filename: str, line: int) -> None:
    if runtime.close_forgotten(_STOP_MS):
        warnings.warn_explicit(_TEXT, ResourceWarning, filename, line)
