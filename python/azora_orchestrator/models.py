"""The classes in which users describe services, and those they get (states, answers).

Python names are the wire names in snake_case, with `_ms` on durations. A plain dict in place of one
of these classes uses the wire's spelling and durations (`{"stopTimeout": "10s"}`), as config files
do.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, Literal, TypeVar

from azora_orchestrator import _core
from azora_orchestrator.errors import InvalidSpec

__all__ = [
    "Dependency",
    "HealthCheck",
    "LogConfig",
    "Pick",
    "ProcessConfig",
    "RestartCallable",
    "RestartRequest",
    "Service",
    "ServiceConfig",
    "Status",
    "VerbAnswer",
    "Why",
    "WrongKeywords",
]

Pick = _core.Pick


@dataclass(frozen=True, slots=True)
class RestartRequest:
    """The request that a restart callable gets."""

    service_id: str
    incarnation: int
    attempt: int
    cause: str


RestartCallable = (
    Callable[[RestartRequest], object]
    | Callable[[RestartRequest], Awaitable[object]]
    | Callable[[], object]
    | Callable[[], Awaitable[object]]
)


def _wire_name(name: str) -> str:
    """`health_check_interval_ms` -> `healthCheckInterval`."""
    head, *tail = name.removesuffix("_ms").split("_")
    return head + "".join(word.capitalize() for word in tail)


def _wire_value(value: Any) -> Any:
    if isinstance(value, _Wire):
        return value.to_wire()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_wire_value(item) for item in value]
    return value


_T = TypeVar("_T")


class WrongKeywords(InvalidSpec, TypeError):
    """The InvalidSpec of a call: `faults` names the unknown or missing keywords."""

    def __init__(self, what: str, faults: Sequence[tuple[str, str]] = ()) -> None:
        told = "; ".join(f"{field}: {rule}" for field, rule in faults)
        super().__init__(f"{what}: {told}" if told else what, faults)

    def __reduce__(self) -> tuple[object, ...]:
        return InvalidSpec, (self.message, self.faults)


def _named(made: type[_T]) -> type[_T]:
    """Refuse all wrong keywords at once, each with the name that was probably meant."""
    fields = {item.name: item for item in dataclasses.fields(made)}  # type: ignore[arg-type]
    needed = [name for name, item in fields.items() if item.default is dataclasses.MISSING]
    build = made.__init__

    @functools.wraps(build)
    def judge(self: Any, *args: Any, **given: Any) -> None:
        if not args and (
            not fields.keys() >= given.keys() or not all(name in given for name in needed)
        ):
            unknown = [(name, _unknown(name, list(fields))) for name in given if name not in fields]
            missing = [(name, "is missing; give it") for name in needed if name not in given]
            raise WrongKeywords(made.__name__, unknown + missing)
        build(self, *args, **given)

    made.__init__ = judge  # type: ignore[method-assign]
    return made


def _unknown(name: str, known: list[str]) -> str:
    if name == "orphan_policy":
        return "is not available in this release; leave it out"
    folded = {one.removesuffix("_ms").replace("_", ""): one for one in known}
    wanted = name.removesuffix("_ms").replace("_", "").lower()
    near = difflib.get_close_matches(wanted, list(folded), n=1)
    if near:
        return f'is not a known field; did you mean "{folded[near[0]]}"?'
    return f"is not a known field; the fields are {', '.join(known)}"


class _Wire:
    """A dataclass that becomes an object of the wire; fields that are None are left out."""

    def to_wire(self) -> dict[str, Any]:
        """Give the object as config files and the REST API spell it."""
        return {
            _wire_name(item.name): _wire_value(value)
            for item in dataclasses.fields(self)  # type: ignore[arg-type]
            if (value := getattr(self, item.name)) is not None and not callable(value)
        }


@_named
@dataclass(frozen=True, kw_only=True, slots=True)
class LogConfig(_Wire):
    """Limits of the log files of one process service."""

    max_bytes: int | str | None = None
    files: int | None = None


@_named
@dataclass(frozen=True, kw_only=True)
class ProcessConfig(_Wire):
    """How the service is run, when we run it."""

    argv: Sequence[str]
    cwd: str | None = None
    env: Mapping[str, str] | None = None
    env_file: str | None = None
    env_expand: bool | None = None
    inherit_env: Sequence[str] | str | None = None
    user: str | None = None
    umask: str | None = None
    stop_signal: str | None = None
    stop_timeout_ms: int | None = None
    stop_mode: Literal["main", "tree"] | None = None
    orphan_timeout_ms: int | None = None
    log: LogConfig | Mapping[str, Any] | None = None
    memory_limit: int | str | None = None
    replicas: int | None = None
    ports: Sequence[int] | str | None = None
    rlimits: Mapping[str, Any] | None = None
    no_new_privs: bool | None = None


@_named
@dataclass(frozen=True, kw_only=True)
class HealthCheck(_Wire):
    """How the service is checked."""

    type: Literal["http", "tcp", "process"] | None = None
    timeout_ms: int | None = None
    unhealthy_threshold: int | None = None
    restart_threshold: int | None = None
    healthy_threshold: int | None = None
    start_timeout_ms: int | None = None
    method: Literal["GET", "HEAD", "OPTIONS"] | None = None
    headers: Mapping[str, str] | None = None
    expected_status: int | str | Sequence[int | str] | None = None
    reuse_connection: bool | None = None


@_named
@dataclass(frozen=True, kw_only=True, slots=True)
class Dependency(_Wire):
    """A service that is needed, and the condition it must have reached."""

    id: str
    condition: Literal["started", "healthy", "completed"] | None = None
    strength: Literal["hard", "soft"] | None = None
    min: int | None = None
    on_restart: Literal["none", "restart"] | None = None


@_named
@dataclass(frozen=True, kw_only=True)
class ServiceConfig(_Wire):
    """One service as its owner describes it. A field that is None has its documented default.

    `restart` may be a callable (sync or async): it is asked to bring the service back, gets a
    `RestartRequest` if it takes an argument, and fails by raising or by returning False.
    """

    id: str
    type: str
    endpoint: str | None = None
    name: str | None = None
    health_check_path: str | None = None
    health_check_interval_ms: int | None = None
    max_restarts: int | None = None
    restart_delay_ms: int | None = None
    priority: int | None = None
    dependencies: Sequence[str | Dependency | Mapping[str, Any]] | None = None
    metadata: Mapping[str, Any] | None = None
    group: str | None = None
    weight: float | None = None
    health_check: HealthCheck | Mapping[str, Any] | None = None
    restart: RestartCallable | str | Mapping[str, Any] | None = None
    process: ProcessConfig | Mapping[str, Any] | None = None
    restart_policy: Literal["on-failure", "always", "never"] | None = None
    restart_factor: float | None = None
    restart_max_delay_ms: int | None = None
    stable_after_ms: int | None = None
    failed_retry_interval_ms: int | None = None
    start_interval_ms: int | None = None
    kill_timeout_ms: int | None = None
    flap_limit: int | None = None

    @property
    def restart_callable(self) -> Callable[..., object] | None:
        """`restart`, when it is a callable."""
        return self.restart if callable(self.restart) else None


def _time(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


class Service:
    """One service at one moment. Immutable: ask again for a newer state.

    Equal if the content is equal; can be pickled.
    """

    __slots__ = ("_data", "_view")

    def __init__(self, view: _core.Service | SimpleNamespace) -> None:
        self._view = view
        self._data: dict[str, Any] | None = None

    @property
    def data(self) -> dict[str, Any]:
        """The answer of `GET /services/{id}`: config, health, process and so on."""
        if self._data is None:
            self._data = json.loads(self._view.json)
        return self._data

    @property
    def id(self) -> str:
        """Its unique name."""
        return self._view.id

    @property
    def name(self) -> str:
        """Its name for people."""
        return self._view.name

    @property
    def type(self) -> str:
        """Its type, which is also a pool."""
        return self._view.type

    @property
    def group(self) -> str:
        """Its pool of interchangeable replicas."""
        return self._view.group

    @property
    def endpoint(self) -> str | None:
        """Its URL."""
        return self._view.endpoint

    @property
    def status(self) -> str:
        """What we believe: healthy, unhealthy, degraded or unknown."""
        return self._view.status

    @property
    def lifecycle(self) -> str:
        """What we are doing about it: READY, BACKOFF, FAILED and so on."""
        return self._view.lifecycle

    @property
    def desired(self) -> str:
        """What its owner wants: up, down or hold."""
        return self._view.desired

    @property
    def incarnation(self) -> int:
        """The number of its process, from 1; 0 before the first."""
        return self._view.incarnation

    @property
    def generation(self) -> int:
        """The number of its configuration."""
        return self._view.generation

    @property
    def pid(self) -> int | None:
        """Its main process while it runs, for process services."""
        return self._view.pid

    @property
    def last_check(self) -> datetime:
        """When it was checked last."""
        return _time(self._view.last_check_ms)

    @property
    def start_time(self) -> datetime:
        """When it was started."""
        return _time(self._view.start_time_ms)

    @property
    def uptime_ms(self) -> int:
        """How long it has run, as of the last check."""
        return self._view.uptime_ms

    @property
    def response_time_ms(self) -> int:
        """How long the last check took."""
        return self._view.response_time_ms

    @property
    def restart_count(self) -> int:
        """Verified restarts since registration."""
        return self._view.restart_count

    @property
    def error_count(self) -> int:
        """Failed checks of this incarnation."""
        return self._view.error_count

    @property
    def last_error(self) -> str | None:
        """The last failure in words."""
        return self._view.last_error or None

    @property
    def config(self) -> dict[str, Any]:
        """Its configuration in the wire's spelling, defaults filled in."""
        config: dict[str, Any] = self.data["config"]
        return config

    @property
    def process(self) -> dict[str, Any] | None:
        """Figures of its process: pid, cpuPercent, rssBytes, lastExit; None without a process."""
        return self.data.get("process")

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


@dataclass(frozen=True, slots=True)
class Status:
    """The fleet in numbers, and its services when asked for in detail.

    `ended_services` are those that ended by themselves and are not started again, though they are
    wanted up and have an endpoint: their status stays "unknown", `why()` has code and policy.
    """

    running: bool
    total_services: int
    healthy_services: int
    unhealthy_services: int
    seq: int
    services: tuple[Service, ...] = field(default=(), repr=False)
    ended_services: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VerbAnswer:
    """The answer of start, stop or restart: what it has begun."""

    service_id: str
    incarnation: int
    seq: int
    affected: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Why:
    """Why a service is as it is. Printed, it is the summary."""

    service_id: str
    summary: str
    lifecycle: str
    status: str
    cause: str | None
    attempt: int
    max_restarts: int
    next_attempt_at: datetime | None
    blocked_by: tuple[str, ...]
    unblocked_by: tuple[str, ...]
    last_error: str | None = None
    instances: tuple[str, ...] = ()
    """Of an entry with replicas: the ids of its instances."""
    ready: int | None = None
    """Of an entry with replicas: how many of them are ready."""

    @classmethod
    def from_json(cls, text: bytes) -> Why:
        """Read the answer of `GET /services/{id}/why`."""
        data = json.loads(text)
        at = data.get("nextAttemptAt")
        return cls(
            service_id=data["serviceId"],
            summary=data["summary"],
            lifecycle=data["lifecycle"],
            status=data["status"],
            cause=data.get("cause"),
            attempt=data["attempt"],
            max_restarts=data["maxRestarts"],
            next_attempt_at=datetime.fromisoformat(at) if at else None,
            blocked_by=tuple(data["blockedBy"]),
            unblocked_by=tuple(data["unblockedBy"]),
            last_error=data.get("lastError"),
            instances=tuple(data.get("instances", ())),
            ready=data.get("ready"),
        )

    def __str__(self) -> str:
        return self.summary
