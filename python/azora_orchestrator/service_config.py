"""The classes in which users describe services.

Python names are the wire names in snake_case, with `_ms` on durations. A plain dict in place of one
of these classes uses the wire's spelling and durations (`{"stopTimeout": "10s"}`), as config files
do. The `Args` of each class are written by `tools/write_docs.py` from the core's table of fields.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Required, TypedDict, TypeVar

from azora_orchestrator.errors import InvalidSpec

__all__ = [
    "Dependency",
    "HealthCheck",
    "LogConfig",
    "ProcessConfig",
    "RestartCallable",
    "RestartRequest",
    "ServiceConfig",
    "ServiceFields",
    "WrongKeywords",
    "wire_name",
]


@dataclass(frozen=True, slots=True)
class RestartRequest:
    """The request that a restart callable gets.

    Args:
        service_id: Id of the service to restart.
        incarnation: Number of the incarnation that the restart makes.
        attempt: Number of the attempt within this episode, from 1.
        cause: Why, as one word: `crash`, `liveness`, `operator` and so on.
    """

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


def wire_name(name: str) -> str:
    """Spell a field as the wire does: `health_check_interval_ms` -> `healthCheckInterval`."""
    head, *tail = name.removesuffix("_ms").split("_")
    return head + "".join(word.capitalize() for word in tail)


def _wire_value(value: Any) -> Any:
    if isinstance(value, _Wire):
        return value.to_dict()
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
    """A dataclass that becomes an object of the wire."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as config files and the REST API spell it, without fields that are None."""
        return {
            wire_name(item.name): _wire_value(value)
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


class ServiceFields(TypedDict, total=False):
    """The keywords of `register()`: the fields of a `ServiceConfig`."""

    id: Required[str]
    type: Required[str]
    endpoint: str | None
    name: str | None
    health_check_path: str | None
    health_check_interval_ms: int | None
    max_restarts: int | None
    restart_delay_ms: int | None
    priority: int | None
    dependencies: Sequence[str | Dependency | Mapping[str, Any]] | None
    metadata: Mapping[str, Any] | None
    group: str | None
    weight: float | None
    health_check: HealthCheck | Mapping[str, Any] | None
    restart: RestartCallable | str | Mapping[str, Any] | None
    process: ProcessConfig | Mapping[str, Any] | None
    restart_policy: Literal["on-failure", "always", "never"] | None
    restart_factor: float | None
    restart_max_delay_ms: int | None
    stable_after_ms: int | None
    failed_retry_interval_ms: int | None
    start_interval_ms: int | None
    kill_timeout_ms: int | None
    flap_limit: int | None
