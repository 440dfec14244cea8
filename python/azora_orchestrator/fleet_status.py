"""FleetStatus: the fleet in numbers, and its services."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Self

from azora_orchestrator._html import colored, table
from azora_orchestrator.models import Service

__all__ = ["FleetStatus"]


class FleetStatus:
    """The fleet in numbers, and its services.

    Args:
        running: Whether the orchestrator is started.
        total_services: Number of services, instances of entries counted one by one.
        healthy_services: Number of them that are healthy.
        unhealthy_services: Number of them that are unhealthy: degraded and unknown ones are in
            neither count.
        seq: Sequence number of the last event that the numbers reflect.
        services: The services, or a function that reads them when they are first asked for.
        ended_services: Ids of those that ended by themselves and are not started again, though
            they are wanted up and have an endpoint: their status stays `unknown`, `why()` has
            exit code and policy.
        unverified_services: Ids of those of which the kernel could not say whose listener answers
            their checks; `why()` has the reason.
    """

    __slots__ = (
        "_services",
        "ended_services",
        "healthy_services",
        "running",
        "seq",
        "total_services",
        "unhealthy_services",
        "unverified_services",
    )

    running: bool
    total_services: int
    healthy_services: int
    unhealthy_services: int
    seq: int
    ended_services: tuple[str, ...]
    unverified_services: tuple[str, ...]
    _services: tuple[Service, ...] | Callable[[], Sequence[Service]]

    def __init__(
        self,
        running: bool,
        total_services: int,
        healthy_services: int,
        unhealthy_services: int,
        seq: int,
        services: Sequence[Service] | Callable[[], Sequence[Service]] = (),
        ended_services: Sequence[str] = (),
        unverified_services: Sequence[str] = (),
    ) -> None:
        put = object.__setattr__
        put(self, "running", running)
        put(self, "total_services", total_services)
        put(self, "healthy_services", healthy_services)
        put(self, "unhealthy_services", unhealthy_services)
        put(self, "seq", seq)
        put(self, "ended_services", tuple(ended_services))
        put(self, "unverified_services", tuple(unverified_services))
        put(self, "_services", services if callable(services) else tuple(services))

    @classmethod
    def from_dict(
        cls,
        data: Mapping[str, Any],
        *,
        seq: int = 0,
        services: Sequence[Service] | Callable[[], Sequence[Service]] = (),
    ) -> Self:
        """Make it from an answer of `GET /status`.

        Args:
            data: The object of the answer.
            seq: The last event that it reflects: the header `Azora-Seq`.
            services: The services, or a function that reads them.
        """
        return cls(
            data["running"],
            data["totalServices"],
            data["healthyServices"],
            data["unhealthyServices"],
            seq,
            services,
            data.get("endedServices", ()),
            data.get("unverifiedServices", ()),
        )

    @property
    def services(self) -> tuple[Service, ...]:
        """The services. They are read when this is first asked for, and then kept."""
        services = self._services
        if callable(services):
            services = tuple(services())
            object.__setattr__(self, "_services", services)
        return services

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers and the health of each service, as `GET /status` does."""
        unverified = {"unverifiedServices": list(self.unverified_services)}
        return {
            "running": self.running,
            "totalServices": self.total_services,
            "healthyServices": self.healthy_services,
            "unhealthyServices": self.unhealthy_services,
            "services": [service.data["health"] for service in self.services],
            "endedServices": list(self.ended_services),
            **(unverified if self.unverified_services else {}),
        }

    def _numbers(self) -> tuple[object, ...]:
        return (
            self.running,
            self.total_services,
            self.healthy_services,
            self.unhealthy_services,
            self.seq,
        )

    def _lists(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        return self.ended_services, self.unverified_services

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{name}: a FleetStatus cannot be changed")

    def __iter__(self) -> Iterator[Service]:
        return iter(self.services)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FleetStatus):
            return NotImplemented
        return self._numbers() == other._numbers() and self._lists() == other._lists()

    def __hash__(self) -> int:
        return hash(self._numbers())

    def __reduce__(self) -> tuple[object, ...]:
        return FleetStatus, (*self._numbers(), self.services, *self._lists())

    def __repr__(self) -> str:
        state = "running" if self.running else "stopped"
        healthy = f"{self.healthy_services} of {self.total_services} healthy"
        ended = f", ended: {', '.join(self.ended_services)}" if self.ended_services else ""
        return f"<FleetStatus {state}, {healthy}, seq {self.seq}{ended}>"

    def _repr_html_(self) -> str:
        return table(
            ("service", "status", "lifecycle", "endpoint", "restarts", "last error"),
            (
                (
                    one.id,
                    colored(one.status),
                    one.lifecycle,
                    one.endpoint,
                    one.restart_count,
                    one.last_error,
                )
                for one in self.services
            ),
            repr(self)[1:-1],
        )
