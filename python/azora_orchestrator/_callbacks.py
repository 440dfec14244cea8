"""The user's handlers and restart callables, as the MasterOrchestrator holds them.

Nothing else holds them for longer than a call, above all not what must outlive the
MasterOrchestrator to close it. So a handler that refers to its orchestrator, as most do, does not
keep it alive: when the user drops both, Python collects both.
Threads: each room takes its own lock.
"""

from __future__ import annotations

from azora_orchestrator._callables import UserCallable
from azora_orchestrator._deliveries import Delivery
from azora_orchestrator._subscriptions import Subscription

__all__ = ["Callbacks"]


class Callbacks:
    """Handlers by their deliveries, restart callables by the id of their service."""

    def __init__(self) -> None:
        self.subscriptions: dict[Delivery, Subscription] = {}
        self.restarts: dict[str, UserCallable] = {}
