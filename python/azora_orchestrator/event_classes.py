"""A class for each event, for `isinstance`, `match` and typed handlers.

Events need not be asked for by these classes: `event.type` and all properties of `Event` serve as
well. But where the class is known, its properties have no None that this event never has.
Written by tools/check_docs.py from the core's tables.

Example:
    >>> for event in orch.events():
    ...     match event:
    ...         case ServiceRestartedEvent(service_id=id, downtime_ms=away):
    ...             print(f"{id} is back after {away} ms")
"""

from __future__ import annotations

from abc import ABCMeta
from typing import Any, Literal

from azora_orchestrator.events import Event
from azora_orchestrator.vocabulary import Status

__all__ = [
    "CallbackFailedEvent",
    "GapEvent",
    "HealingUnavailableEvent",
    "HealthCheckEvent",
    "MaintenanceBeganEvent",
    "MaintenanceEndedEvent",
    "MassUnhealthyEvent",
    "OrchestratorDegradedEvent",
    "OrchestratorRecoveredEvent",
    "ServiceBlockedEvent",
    "ServiceDegradedEvent",
    "ServiceDrainedEvent",
    "ServiceDrainingEvent",
    "ServiceExitedEvent",
    "ServiceFailedEvent",
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
]


class _Kind(ABCMeta):
    """The type of the classes below: an event is an instance of that of its name."""

    _type: str

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Event) and instance.type == cls._type


class _Named(Event, metaclass=_Kind):
    """Never made: events are made by the orchestrator, and these classes only recognise them."""

    _type = ""

    json: bytes
    time_ms: int


class HealthCheckEvent(_Named):
    """A health check was counted.

    Attributes:
        status: Status of the service after this check.
        response_time_ms: Duration of the check in ms.
        reason: Human-readable explanation. None: there is none.
    """

    _type = "healthCheck"

    type: Literal["healthCheck"]
    service_id: str
    status: Status
    response_time_ms: int
    reason: str | None


class ServiceRegisteredEvent(_Named):
    """A service was registered, or replaced by a new registration of its id."""

    _type = "serviceRegistered"

    type: Literal["serviceRegistered"]
    service_id: str


class ServiceUnregisteredEvent(_Named):
    """A service was removed."""

    _type = "serviceUnregistered"

    type: Literal["serviceUnregistered"]
    service_id: str


class ServiceHealthyEvent(_Named):
    """The status of a service became healthy."""

    _type = "serviceHealthy"

    type: Literal["serviceHealthy"]
    service_id: str


class ServiceDegradedEvent(_Named):
    """The status of a service became degraded: it responds, but not as expected.

    Attributes:
        reason: Human-readable explanation. None: there is none.
    """

    _type = "serviceDegraded"

    type: Literal["serviceDegraded"]
    service_id: str
    reason: str | None


class ServiceUnhealthyEvent(_Named):
    """The status of a service became unhealthy.

    Attributes:
        reason: Human-readable explanation. None: there is none.
    """

    _type = "serviceUnhealthy"

    type: Literal["serviceUnhealthy"]
    service_id: str
    reason: str | None


class ServiceStartedEvent(_Named):
    """A process of a service was spawned.

    Attributes:
        pid: Id of the main process.
        reason: Human-readable explanation. None: there is none.
    """

    _type = "serviceStarted"

    type: Literal["serviceStarted"]
    service_id: str
    pid: int | None
    reason: str | None


class ServiceStoppedEvent(_Named):
    """A planned stop is complete: every process of the service has ended."""

    _type = "serviceStopped"

    type: Literal["serviceStopped"]
    service_id: str


class ServiceExitedEvent(_Named):
    """The main process of a service ended, planned or not.

    Attributes:
        pid: Id of the main process.
        code: Exit code, or none when a signal ended the process.
        signal: Name of the signal that ended the process, such as SIGKILL, or none.
        oom: Whether the process was killed for lack of memory; none: unknown.
        reason: Human-readable explanation. None: there is none.
    """

    _type = "serviceExited"

    type: Literal["serviceExited"]
    service_id: str
    pid: int | None
    code: int | None
    signal: str | None
    oom: bool | None
    reason: str | None


class ServiceBlockedEvent(_Named):
    """A service waits for dependencies before it can start.

    Attributes:
        blocked_by: Ids of the dependencies that it waits for.
    """

    _type = "serviceBlocked"

    type: Literal["serviceBlocked"]
    service_id: str
    blocked_by: tuple[str, ...]


class ServiceRestartedEvent(_Named):
    """A restart succeeded: the new incarnation passed its check.

    Attributes:
        attempt: Number of the restart attempt within this episode, from 1.
        max_restarts: Restart budget of one episode; -1: no limit.
        downtime_ms: How long the service was down, in ms.
    """

    _type = "serviceRestarted"

    type: Literal["serviceRestarted"]
    service_id: str
    attempt: int
    max_restarts: int
    downtime_ms: int


class ServiceFailedEvent(_Named):
    """The restart budget of a service is used up.

    Attributes:
        attempt: Number of the restart attempt within this episode, from 1.
        max_restarts: Restart budget of one episode; -1: no limit.
        reason: Human-readable explanation. None: there is none.
    """

    _type = "serviceFailed"

    type: Literal["serviceFailed"]
    service_id: str
    attempt: int
    max_restarts: int
    reason: str | None


class ServiceFlappingEvent(_Named):
    """A service had more restarts after failures within an hour than its flap limit."""

    _type = "serviceFlapping"

    type: Literal["serviceFlapping"]
    service_id: str


class ServiceStuckEvent(_Named):
    """SIGKILL did not end a process of the service within its kill timeout."""

    _type = "serviceStuck"

    type: Literal["serviceStuck"]
    service_id: str


class HealingUnavailableEvent(_Named):
    """An unhealthy service has only a URL, so Azora cannot restart it.

    Attributes:
        reason: Human-readable explanation.
    """

    _type = "healingUnavailable"

    type: Literal["healingUnavailable"]
    service_id: str
    reason: str


class MassUnhealthyEvent(_Named):
    """So many services turned bad at once that failed checks restart none of them for now.

    Attributes:
        reason: Human-readable explanation.
    """

    _type = "massUnhealthy"

    type: Literal["massUnhealthy"]
    reason: str


class CallbackFailedEvent(_Named):
    """A handler or a restart callable raised an exception.

    Attributes:
        reason: Human-readable explanation.
    """

    _type = "callbackFailed"

    type: Literal["callbackFailed"]
    reason: str


class OrchestratorDegradedEvent(_Named):
    """Something is wrong with the orchestrator itself.

    Attributes:
        reason: Human-readable explanation.
    """

    _type = "orchestratorDegraded"

    type: Literal["orchestratorDegraded"]
    reason: str


class OrchestratorRecoveredEvent(_Named):
    """The orchestrator itself works normally again."""

    _type = "orchestratorRecovered"

    type: Literal["orchestratorRecovered"]


class ServiceDrainingEvent(_Named):
    """A service left rotation for a drain, which waits for its leases.

    Attributes:
        reason: Human-readable explanation.
    """

    _type = "serviceDraining"

    type: Literal["serviceDraining"]
    service_id: str
    reason: str


class ServiceDrainedEvent(_Named):
    """A drain is over: its leases are back, or its time is over.

    Attributes:
        reason: Human-readable explanation.
    """

    _type = "serviceDrained"

    type: Literal["serviceDrained"]
    service_id: str
    reason: str


class ServiceUndrainedEvent(_Named):
    """A drain was undone: the service is back in rotation as far as its checks allow."""

    _type = "serviceUndrained"

    type: Literal["serviceUndrained"]
    service_id: str


class MaintenanceBeganEvent(_Named):
    """Maintenance of a service began: it is out of rotation, and nothing is done about it.

    Attributes:
        reason: Human-readable explanation.
    """

    _type = "maintenanceBegan"

    type: Literal["maintenanceBegan"]
    service_id: str
    reason: str


class MaintenanceEndedEvent(_Named):
    """Maintenance of a service ended, by its owner or by time."""

    _type = "maintenanceEnded"

    type: Literal["maintenanceEnded"]
    service_id: str


class GapEvent(_Named):
    """Events were lost: the reader was too slow, or asked for a position that is not in the log.

    Attributes:
        from_seq: First sequence number that was lost.
        to_seq: Last sequence number that was lost.
        count: Number of events that were lost.
        reason: Human-readable explanation. None: there is none.
    """

    _type = "gap"

    type: Literal["gap"]
    from_seq: int
    to_seq: int
    count: int
    reason: str | None
