"""Keeps the services of one machine alive: started in order, checked, healed, balanced.

::

    from azora_orchestrator import MasterOrchestrator, ServiceConfig

    with MasterOrchestrator() as orch:
        orch.register(ServiceConfig(id="orders", type="core", endpoint="http://127.0.0.1:7001",
                                    process={"argv": ["python3", "orders.py"]}))
        orch.on("serviceRestarted", lambda event: print(event.service_id, event.attempt))
        orch.wait_ready("orders", timeout_ms=10_000)
        print(orch.pick("core").endpoint, orch.status().healthy_services, orch.why("orders"))
"""

from __future__ import annotations

from azora_orchestrator._handlers import Handler, Subscription
from azora_orchestrator.aio import AsyncMasterOrchestrator
from azora_orchestrator.errors import (
    AzoraError,
    DependencyCycle,
    ExecForbidden,
    Fault,
    ForkedHandle,
    HealingUnavailable,
    InternalError,
    InvalidArgument,
    InvalidJson,
    InvalidSpec,
    KeeperFailed,
    LimitReached,
    NoHealthyInstance,
    NotComing,
    NotRunning,
    OrchestratorClosed,
    PoolConflict,
    StorageFailed,
    StorageFull,
    TimedOut,
    UnknownService,
)
from azora_orchestrator.events import EVENT_TYPES, Event, EventStream
from azora_orchestrator.models import (
    Dependency,
    HealthCheck,
    LogConfig,
    Pick,
    ProcessConfig,
    RestartRequest,
    Service,
    ServiceConfig,
    Status,
    VerbAnswer,
    Why,
)
from azora_orchestrator.orchestrator import Lease, MasterOrchestrator

__version__ = "0.1.0"

__all__ = [
    "EVENT_TYPES",
    "AsyncMasterOrchestrator",
    "AzoraError",
    "Dependency",
    "DependencyCycle",
    "Event",
    "EventStream",
    "ExecForbidden",
    "Fault",
    "ForkedHandle",
    "Handler",
    "HealingUnavailable",
    "HealthCheck",
    "InternalError",
    "InvalidArgument",
    "InvalidJson",
    "InvalidSpec",
    "KeeperFailed",
    "Lease",
    "LimitReached",
    "LogConfig",
    "MasterOrchestrator",
    "NoHealthyInstance",
    "NotComing",
    "NotRunning",
    "OrchestratorClosed",
    "Pick",
    "PoolConflict",
    "ProcessConfig",
    "RestartRequest",
    "Service",
    "ServiceConfig",
    "Status",
    "StorageFailed",
    "StorageFull",
    "Subscription",
    "TimedOut",
    "UnknownService",
    "VerbAnswer",
    "Why",
    "__version__",
]
