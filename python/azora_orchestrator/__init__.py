"""Keeps the services of one machine alive: started in order, checked, healed, balanced.

::

    from azora_orchestrator import MasterOrchestrator, ServiceConfig

    with MasterOrchestrator() as orch:
        orch.register(ServiceConfig(id="orders", type="core", endpoint="http://127.0.0.1:7001",
                                    process={"argv": ["python3", "orders.py"]}))
        orch.on("serviceRestarted", lambda event: print(event.service_id, event.attempt))
        orch.wait_ready("orders", timeout_ms=10_000)
        print(orch.pick("core").endpoint, orch.status().healthy_services, orch.why("orders"))

`Client` and `AsyncClient` have the same names for a server that runs elsewhere (`azora serve`).
A name is loaded when it is first used: `import azora_orchestrator` alone costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azora_orchestrator._subscriptions import Handler, Subscription
    from azora_orchestrator.aio import AsyncMasterOrchestrator
    from azora_orchestrator.answers import VerbAnswer, Why
    from azora_orchestrator.client import AsyncClient, Client
    from azora_orchestrator.config_check import ConfigReport, check_config
    from azora_orchestrator.config_fault import ConfigFault
    from azora_orchestrator.errors import (
        AccessDenied,
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
        ServerUnreachable,
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
        MaintenanceBeganEvent,
        MaintenanceEndedEvent,
        MassUnhealthyEvent,
        OrchestratorDegradedEvent,
        OrchestratorRecoveredEvent,
        ServiceBlockedEvent,
        ServiceDegradedEvent,
        ServiceDrainedEvent,
        ServiceDrainingEvent,
        ServiceExitedEvent,
        ServiceFailedEvent,
        ServiceFlappingEvent,
        ServiceHealthyEvent,
        ServiceRegisteredEvent,
        ServiceRestartedEvent,
        ServiceStartedEvent,
        ServiceStoppedEvent,
        ServiceStuckEvent,
        ServiceUndrainedEvent,
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
    from azora_orchestrator.history import History, HistoryGap
    from azora_orchestrator.lease import Lease
    from azora_orchestrator.models import Pick, Service
    from azora_orchestrator.orchestrator import MasterOrchestrator
    from azora_orchestrator.process_state import (
        Drain,
        LastExit,
        LogLoss,
        Maintenance,
        Process,
    )
    from azora_orchestrator.reload import ReloadChange, ReloadPlan
    from azora_orchestrator.rolling import RollingRestart, RollStopped
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
        DRAIN_THENS,
        EVENT_TYPES,
        LIFECYCLES,
        STATUSES,
        STRATEGIES,
        Actor,
        Cause,
        Desired,
        DrainThen,
        EventFilter,
        EventType,
        Lifecycle,
        Status,
        Strategy,
    )

__version__ = "0.1.0"

__all__ = [
    "DRAIN_THENS",
    "EVENT_TYPES",
    "LIFECYCLES",
    "STATUSES",
    "STRATEGIES",
    "AccessDenied",
    "Actor",
    "AsyncClient",
    "AsyncMasterOrchestrator",
    "AzoraError",
    "CallbackFailedEvent",
    "Cause",
    "Client",
    "ConfigFault",
    "ConfigReport",
    "Dependencies",
    "Dependency",
    "DependencyCycle",
    "DependencyState",
    "Desired",
    "Drain",
    "DrainThen",
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
    "History",
    "HistoryGap",
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
    "Maintenance",
    "MaintenanceBeganEvent",
    "MaintenanceEndedEvent",
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
    "ReloadChange",
    "ReloadPlan",
    "RestartCallable",
    "RestartRequest",
    "RollStopped",
    "RollingRestart",
    "ServerUnreachable",
    "Service",
    "ServiceBlockedEvent",
    "ServiceConfig",
    "ServiceDegradedEvent",
    "ServiceDrainedEvent",
    "ServiceDrainingEvent",
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
    "ServiceUndrainedEvent",
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

# Where each of these names is defined; a test compares this with `__all__`.
_NAMES = {
    "_subscriptions": "Handler Subscription",
    "aio": "AsyncMasterOrchestrator",
    "answers": "VerbAnswer Why",
    "client": "AsyncClient Client",
    "config_check": "ConfigReport check_config",
    "config_fault": "ConfigFault",
    "errors": "AccessDenied AzoraError DependencyCycle ExecForbidden Fault ForkedHandle "
    "HealingUnavailable InternalError InvalidArgument InvalidJson InvalidSpec "
    "KeeperFailed LimitReached NoHealthyInstance NotComing NotRunning "
    "OrchestratorClosed PoolConflict ServerUnreachable StorageFailed StorageFull "
    "TimedOut UnknownService",
    "event_classes": "CallbackFailedEvent GapEvent HealingUnavailableEvent HealthCheckEvent "
    "MaintenanceBeganEvent MaintenanceEndedEvent "
    "MassUnhealthyEvent OrchestratorDegradedEvent OrchestratorRecoveredEvent "
    "ServiceBlockedEvent ServiceDegradedEvent ServiceDrainedEvent ServiceDrainingEvent "
    "ServiceExitedEvent ServiceFailedEvent ServiceFlappingEvent ServiceHealthyEvent "
    "ServiceRegisteredEvent ServiceRestartedEvent ServiceStartedEvent "
    "ServiceStoppedEvent ServiceStuckEvent ServiceUndrainedEvent ServiceUnhealthyEvent "
    "ServiceUnregisteredEvent",
    "events": "Event EventStream",
    "fleet_status": "FleetStatus",
    "graph": "Dependencies DependencyState Graph GraphEdge GraphNode TreeNode",
    "history": "History HistoryGap",
    "lease": "Lease",
    "models": "Pick Service",
    "orchestrator": "MasterOrchestrator",
    "process_state": "Drain LastExit LogLoss Maintenance Process",
    "reload": "ReloadChange ReloadPlan",
    "rolling": "RollStopped RollingRestart",
    "service_config": "Dependency HealthCheck LogConfig ProcessConfig RestartCallable "
    "RestartRequest ServiceConfig ServiceFields WrongKeywords",
    "vocabulary": "DRAIN_THENS EVENT_TYPES LIFECYCLES STATUSES STRATEGIES Actor Cause Desired "
    "DrainThen EventFilter EventType Lifecycle Status Strategy",
}
_HOMES = {name: module for module, names in _NAMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    """Loads a name of this package, or one of its modules, on first use (PEP 562)."""
    if name in _HOMES:
        value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
    if name in _NAMES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
