"""What verbs and `why()` answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from azora_orchestrator._record import time_of
from azora_orchestrator.vocabulary import Lifecycle, Status

__all__ = ["VerbAnswer", "Why"]


@dataclass(frozen=True, slots=True)
class VerbAnswer:
    """The answer of start, stop, restart and the like: what was begun.

    Attributes:
        service_id: Id of the service or entry.
        incarnation: Number of its process that the verb is about; of an entry, the highest.
        seq: Sequence number of the last event before what the verb has begun.
        affected: Ids of running services that depend on it and go on; of a drain or maintenance,
            ids of the services that it is about.
    """

    service_id: str
    incarnation: int
    seq: int
    affected: tuple[str, ...]

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Make it from an answer of `POST /services/{id}/restart` and the like."""
        return cls(data["serviceId"], data["incarnation"], data["seq"], tuple(data["affected"]))

    @classmethod
    def of(cls, found: tuple[str, int, int, Sequence[str]]) -> Self:
        """Make it from what the core answers."""
        return cls(found[0], found[1], found[2], tuple(found[3]))

    def to_dict(self) -> dict[str, Any]:
        """Return it as the REST API spells it."""
        return {
            "serviceId": self.service_id,
            "incarnation": self.incarnation,
            "seq": self.seq,
            "affected": list(self.affected),
        }


@dataclass(frozen=True, slots=True)
class Why:
    """Why a service is as it is. Printed, it is the summary.

    Attributes:
        service_id: Id of the service or entry.
        summary: The whole answer in one sentence.
        lifecycle: What is being done about the service.
        status: What is believed about it.
        cause: Why, as one word; None: nothing is wrong.
        attempt: Number of restart attempts in this episode.
        max_restarts: Restart budget of an episode; -1: no limit.
        next_attempt_at: When the next attempt is made, UTC; None: none is planned.
        blocked_by: Ids of the dependencies that it waits for.
        unblocked_by: What would change its state, in words.
        last_error: The last failure in words; None: there was none.
        instances: Of an entry with replicas: ids of its instances; else empty.
        ready: Of an entry with replicas: how many instances are ready; else None.
    """

    service_id: str
    summary: str
    lifecycle: Lifecycle
    status: Status
    cause: str | None
    attempt: int
    max_restarts: int
    next_attempt_at: datetime | None
    blocked_by: tuple[str, ...]
    unblocked_by: tuple[str, ...]
    last_error: str | None = None
    instances: tuple[str, ...] = ()
    ready: int | None = None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Make it from an answer of `GET /services/{id}/why`."""
        return cls(
            service_id=data["serviceId"],
            summary=data["summary"],
            lifecycle=data["lifecycle"],
            status=data["status"],
            cause=data.get("cause"),
            attempt=data["attempt"],
            max_restarts=data["maxRestarts"],
            next_attempt_at=time_of(data.get("nextAttemptAt")),
            blocked_by=tuple(data["blockedBy"]),
            unblocked_by=tuple(data["unblockedBy"]),
            last_error=data.get("lastError"),
            instances=tuple(data.get("instances", ())),
            ready=data.get("ready"),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as the REST API spells it."""
        at = self.next_attempt_at
        data: dict[str, Any] = {
            "serviceId": self.service_id,
            "summary": self.summary,
            "lifecycle": self.lifecycle,
            "status": self.status,
            "cause": self.cause,
            "attempt": self.attempt,
            "maxRestarts": self.max_restarts,
            "nextAttemptAt": at and at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "blockedBy": list(self.blocked_by),
            "unblockedBy": list(self.unblocked_by),
            "lastError": self.last_error,
        }
        if self.ready is not None:
            data |= {"instances": list(self.instances), "ready": self.ready}
        return data

    def __str__(self) -> str:
        return self.summary
