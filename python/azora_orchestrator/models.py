"""The classes that users get: services and picks; both are immutable.

Attributes are the wire's keys in snake_case, with `_ms` on durations. `to_dict()` returns the
wire's own spelling, and `from_dict()` reads it, so an answer of a remote server becomes the same
class.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast

from azora_orchestrator import _core
from azora_orchestrator._html import colored, table
from azora_orchestrator._record import milliseconds_of, time_of_ms
from azora_orchestrator.process_state import Drain, Maintenance, Process
from azora_orchestrator.vocabulary import Actor, Desired, Lifecycle, Status

__all__ = ["Pick", "Service", "pick_from_dict"]

Pick = _core.Pick


def pick_from_dict(data: Mapping[str, Any]) -> Pick:
    """Make a Pick from an answer of `GET /loadbalancer/{pool}`."""
    return _pick(data["serviceId"], data["endpoint"])


def _pick(service_id: str, endpoint: str) -> Pick:
    """Make a Pick: pickles find this by its name."""
    return _core.new_pick(service_id, endpoint)


_View = _core.Service | SimpleNamespace


class Service:
    """One service at one moment: ask again for a newer state.

    Equal if the content is equal; can be pickled.
    """

    __slots__ = ("_parsed", "_view")

    def __init__(self, view: _View) -> None:
        self._view = view
        self._parsed: dict[str, Any] | None = None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], *, seq: int = 0) -> Service:
        """Make it from an answer of `GET /services/{id}`.

        Args:
            data: The object of the answer.
            seq: The last event that it reflects: the header `Azora-Seq`.
        """
        return cls(_view_of(data, seq))

    @property
    def data(self) -> dict[str, Any]:
        """The answer of `GET /services/{id}`: a copy that may be changed."""
        data: dict[str, Any] = json.loads(self._view.json)
        return data

    def _wire(self) -> dict[str, Any]:
        """The same, parsed once; it stays inside."""
        if self._parsed is None:
            self._parsed = self.data
        return self._parsed

    def to_dict(self) -> dict[str, Any]:
        """Return the answer of `GET /services/{id}`: a copy that may be changed."""
        return self.data

    @property
    def id(self) -> str:
        """Unique name of the service."""
        return self._view.id

    @property
    def name(self) -> str:
        """Display name."""
        return self._view.name

    @property
    def type(self) -> str:
        """Type, which is also the name of a pool."""
        return self._view.type

    @property
    def group(self) -> str:
        """Pool of interchangeable replicas."""
        return self._view.group

    @property
    def endpoint(self) -> str | None:
        """URL; None: it has none."""
        return self._view.endpoint

    @property
    def status(self) -> Status:
        """What is believed about it: `healthy`, `unhealthy`, `degraded` or `unknown`."""
        return cast(Status, self._view.status)

    @property
    def lifecycle(self) -> Lifecycle:
        """What is being done about it: `READY`, `BACKOFF`, `FAILED` and so on."""
        return cast(Lifecycle, self._view.lifecycle)

    @property
    def desired(self) -> Desired:
        """What its owner wants: `up`, `down` or `hold`."""
        return cast(Desired, self._view.desired)

    @property
    def origin(self) -> Actor | None:
        """Where it was registered: `file`, `python` or `rest`; None when a server was asked."""
        return cast(Actor | None, self._view.origin)

    @property
    def incarnation(self) -> int:
        """Number of its process, from 1; 0 before the first, or without a process."""
        return self._view.incarnation

    @property
    def generation(self) -> int:
        """Number of its configuration, higher with each registration; 0 when a server was asked."""
        return self._view.generation

    @property
    def seq(self) -> int:
        """Sequence number of the last event that this state reflects."""
        return self._view.seq

    @property
    def pid(self) -> int | None:
        """Id of its main process while it runs; None without one."""
        return self._view.pid

    @property
    def last_check(self) -> datetime:
        """When it was checked last, UTC; before the first check, when it was registered."""
        return time_of_ms(self._view.last_check_ms)

    @property
    def start_time(self) -> datetime:
        """When it was started, UTC; of a service with only a URL, when it was registered."""
        return time_of_ms(self._view.start_time_ms)

    @property
    def uptime_ms(self) -> int:
        """How long it had run at the last check, in ms."""
        return self._view.uptime_ms

    @property
    def response_time_ms(self) -> int:
        """Duration of the last check in ms; 0 before the first."""
        return self._view.response_time_ms

    @property
    def restart_count(self) -> int:
        """Number of successful restarts since registration."""
        return self._view.restart_count

    @property
    def error_count(self) -> int:
        """Number of failed checks of this incarnation."""
        return self._view.error_count

    @property
    def last_error(self) -> str | None:
        """The last failure in words; None: there was none."""
        return self._view.last_error or None

    @property
    def restart_required(self) -> bool:
        """Whether a new registration takes full effect only with the next restart."""
        return self._view.restart_required

    @property
    def config(self) -> dict[str, Any]:
        """Its registration in the wire's spelling: a copy that may be changed.

        Fields that were left out have their default only where the seed had them too: name,
        endpoint, healthCheckPath, healthCheckInterval, maxRestarts, priority and dependencies.
        Values of `process.env` and secret headers are shown as `***`.
        """
        config: dict[str, Any] = self.data["config"]
        return config

    @property
    def process(self) -> Process | None:
        """Its process; None when it has none of ours, or is an entry with several instances."""
        data = self._wire().get("process")
        return None if data is None else Process(data)

    @property
    def drain(self) -> Drain | None:
        """Its drain; None: it has none."""
        data = self._wire().get("drain")
        return None if data is None else Drain(data)

    @property
    def maintenance(self) -> Maintenance | None:
        """Its maintenance; None: it is under none."""
        data = self._wire().get("maintenance")
        return None if data is None else Maintenance(data)

    @property
    def cpu(self) -> float | None:
        """`cpu` of the body of its last check, where the service reports it; else None."""
        return self._wire()["health"].get("cpu")  # type: ignore[no-any-return]

    @property
    def memory(self) -> float | None:
        """`memory` of the body of its last check, where the service reports it; else None."""
        return self._wire()["health"].get("memory")  # type: ignore[no-any-return]

    @property
    def instances(self) -> tuple[str, ...]:
        """Of an entry with replicas: ids of its instances; else empty."""
        return tuple(self._wire().get("instances", ()))

    @property
    def ready(self) -> int | None:
        """Of an entry with replicas: how many instances are ready; else None."""
        return self._wire().get("ready")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Service):
            return NotImplemented
        mine, theirs = self._view, other._view
        return bool(mine.generation == theirs.generation and mine.json == theirs.json)

    def __hash__(self) -> int:
        return hash((self.id, self.generation))

    def __reduce__(self) -> tuple[object, ...]:
        names = [name for name in dir(_core.Service) if not name.startswith("_")]
        return Service, (SimpleNamespace(**{name: getattr(self._view, name) for name in names}),)

    def __repr__(self) -> str:
        return f"<Service {self.id} {self.status} {self.lifecycle}>"

    def _repr_html_(self) -> str:
        rows = [
            ("status", colored(self.status)),
            ("lifecycle", self.lifecycle),
            ("type", self.type),
            ("endpoint", self.endpoint),
            ("pid", self.pid),
            ("response time", f"{self.response_time_ms} ms"),
            ("uptime", f"{self.uptime_ms} ms"),
            ("restarts", self.restart_count),
            ("failed checks", self.error_count),
            ("last check", f"{self.last_check:%Y-%m-%d %H:%M:%S} UTC"),
            ("last error", self.last_error),
        ]
        return table(("service", self.id), [row for row in rows if row[1] is not None])


def _view_of(data: Mapping[str, Any], seq: int) -> SimpleNamespace:
    """What a view of the core has, from an answer of the REST API."""
    config, health = data["config"], data["health"]
    process = data.get("process") or {}
    return SimpleNamespace(
        id=config["id"],
        name=config["name"],
        type=config["type"],
        group=config.get("group", config["id"].partition("@")[0]),
        origin=None,
        endpoint=config["endpoint"],
        status=health["status"],
        lifecycle=data["lifecycle"],
        desired=data["desired"],
        incarnation=process.get("incarnation", 0),
        generation=0,
        seq=seq,
        last_check_ms=milliseconds_of(health["lastCheck"]),
        start_time_ms=milliseconds_of(data["startTime"]),
        uptime_ms=health["uptime"],
        response_time_ms=health["responseTime"],
        restart_count=health["restartCount"],
        error_count=health["errorCount"],
        last_error=data.get("lastError") or "",
        restart_required=data.get("restartRequired", False),
        pid=process.get("pid"),
        json=json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode(),
        health_json=json.dumps(health, ensure_ascii=False, separators=(",", ":")).encode(),
    )
