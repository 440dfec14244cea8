"""The closed lists of words, as literals: editors complete them, type checkers refuse other words.

At run time they are plain strings. The lists are those of the core; a test compares them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias, get_args

__all__ = [
    "DRAIN_THENS",
    "EVENT_TYPES",
    "LIFECYCLES",
    "STATUSES",
    "STRATEGIES",
    "Actor",
    "Cause",
    "Desired",
    "DrainThen",
    "EventFilter",
    "EventType",
    "Lifecycle",
    "Status",
    "Strategy",
]

Status: TypeAlias = Literal["unknown", "healthy", "degraded", "unhealthy"]
"""What is believed about a service."""

Lifecycle: TypeAlias = Literal[
    "WATCHING",
    "IDLE",
    "BLOCKED",
    "STARTING",
    "READY",
    "STOPPING",
    "KILLING",
    "STUCK",
    "SWEEP",
    "BACKOFF",
    "FAILED",
    "DONE",
    "ADOPT",
]
"""What is being done about a service."""

Desired: TypeAlias = Literal["up", "down", "hold"]
"""What the owner of a service wants."""

DrainThen: TypeAlias = Literal["keep", "stop", "restart"]
"""What follows when a service is drained."""

Strategy: TypeAlias = Literal["round-robin", "weighted", "least-connections", "ip-hash"]
"""How an instance of a pool is chosen."""

EventType: TypeAlias = Literal[
    "healthCheck",
    "serviceRegistered",
    "serviceUnregistered",
    "serviceHealthy",
    "serviceDegraded",
    "serviceUnhealthy",
    "serviceStarted",
    "serviceStopped",
    "serviceExited",
    "serviceBlocked",
    "serviceRestarted",
    "serviceFailed",
    "serviceFlapping",
    "serviceStuck",
    "healingUnavailable",
    "massUnhealthy",
    "callbackFailed",
    "orchestratorDegraded",
    "orchestratorRecovered",
    "serviceDraining",
    "serviceDrained",
    "serviceUndrained",
    "maintenanceBegan",
    "maintenanceEnded",
    "gap",
]
"""The name of an event."""

EventFilter: TypeAlias = EventType | Literal["*"] | Sequence[EventType]
"""Which events: those of one name, of several, or all (`"*"`)."""

Cause: TypeAlias = Literal[
    "start",
    "crash",
    "oom",
    "clean",
    "liveness",
    "startTimeout",
    "startFailed",
    "lost",
    "operator",
    "shutdown",
    "dependency",
    "evidence",
    "expired",
    "health",
    "probe",
    "register",
    "replace",
    "unregister",
    "callback",
    "keeper",
    "store",
    "loop",
    "threads",
    "overflow",
    "reset",
]
"""Why something happened, as one word."""

Actor: TypeAlias = Literal["orchestrator", "rest", "python", "file"]
"""What caused an event."""

DRAIN_THENS: tuple[DrainThen, ...] = get_args(DrainThen)
EVENT_TYPES: tuple[EventType, ...] = get_args(EventType)
LIFECYCLES: tuple[Lifecycle, ...] = get_args(Lifecycle)
STATUSES: tuple[Status, ...] = get_args(Status)
STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)
