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

from azora_orchestrator._subscriptions import Handler, Subscription
from azora_orchestrator.aio import AsyncMasterOrchestrator
from azora_orchestrator.answers import VerbAnswer, Why
from azora_orchestrator.config_check import ConfigReport, check_config
from azora_orchestrator.config_fault import ConfigFault
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
from azora_orchestrator.event_classes import (
    CallbackFailedEvent,
    GapEvent,
    HealingUnavailableEvent,
    HealthCheckEvent,
    MassUnhealthyEvent,
    OrchestratorDegradedEvent,
    OrchestratorRecoveredEvent,
    ServiceBlockedEvent,
    ServiceDegradedEvent,
    ServiceExitedEvent,
    ServiceFailedEvent,
    ServiceFlappingEvent,
    ServiceHealthyEvent,
    ServiceRegisteredEvent,
    ServiceRestartedEvent,
    ServiceStartedEvent,
    ServiceStoppedEvent,
    ServiceStuckEvent,
    ServiceUnhealthyEvent,
    ServiceUnregisteredEvent,
)
from azora_orchestrator.events import Event, EventStream
from azora_orchestrator.fleet_status import FleetStatus
from azora_orchestrator.graph import (
    Dependencies,
    DependencyState,
    Graph,
    GraphEdge,
    GraphNode,
    TreeNode,
)
from azora_orchestrator.lease import Lease
from azora_orchestrator.models import Pick, Service
from azora_orchestrator.orchestrator import MasterOrchestrator
from azora_orchestrator.process_state import LastExit, LogLoss, Process
from azora_orchestrator.service_config import (
    Dependency,
    HealthCheck,
    LogConfig,
    ProcessConfig,
    RestartCallable,
    RestartRequest,
    ServiceConfig,
    ServiceFields,
    WrongKeywords,
)
from azora_orchestrator.vocabulary import (
    EVENT_TYPES,
    LIFECYCLES,
    STATUSES,
    STRATEGIES,
    Actor,
    Cause,
    Desired,
    EventFilter,
    EventType,
    Lifecycle,
    Status,
    Strategy,
)

__version__ = "0.1.0"

__all__ = [
    "EVENT_TYPES",
    "LIFECYCLES",
    "STATUSES",
    "STRATEGIES",
    "Actor",
    "AsyncMasterOrchestrator",
    "AzoraError",
    "CallbackFailedEvent",
    "Cause",
    "ConfigFault",
    "ConfigReport",
    "Dependencies",
    "Dependency",
    "DependencyCycle",
    "DependencyState",
    "Desired",
    "Event",
    "EventFilter",
    "EventStream",
    "EventType",
    "ExecForbidden",
    "Fault",
    "FleetStatus",
    "ForkedHandle",
    "GapEvent",
    "Graph",
    "GraphEdge",
    "GraphNode",
    "Handler",
    "HealingUnavailable",
    "HealingUnavailableEvent",
    "HealthCheck",
    "HealthCheckEvent",
    "InternalError",
    "InvalidArgument",
    "InvalidJson",
    "InvalidSpec",
    "KeeperFailed",
    "LastExit",
    "Lease",
    "Lifecycle",
    "LimitReached",
    "LogConfig",
    "LogLoss",
    "MassUnhealthyEvent",
    "MasterOrchestrator",
    "NoHealthyInstance",
    "NotComing",
    "NotRunning",
    "OrchestratorClosed",
    "OrchestratorDegradedEvent",
    "OrchestratorRecoveredEvent",
    "Pick",
    "PoolConflict",
    "Process",
    "ProcessConfig",
    "RestartCallable",
    "RestartRequest",
    "Service",
    "ServiceBlockedEvent",
    "ServiceConfig",
    "ServiceDegradedEvent",
    "ServiceExitedEvent",
    "ServiceFailedEvent",
    "ServiceFields",
    "ServiceFlappingEvent",
    "ServiceHealthyEvent",
    "ServiceRegisteredEvent",
    "ServiceRestartedEvent",
    "ServiceStartedEvent",
    "ServiceStoppedEvent",
    "ServiceStuckEvent",
    "ServiceUnhealthyEvent",
    "ServiceUnregisteredEvent",
    "Status",
    "StorageFailed",
    "StorageFull",
    "Strategy",
    "Subscription",
    "TimedOut",
    "TreeNode",
    "UnknownService",
    "VerbAnswer",
    "Why",
    "WrongKeywords",
    "__version__",
    "check_config",
]


def __dir__() -> list[str]:
    return sorted(__all__)
