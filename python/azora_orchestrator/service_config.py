"""The classes in which users describe services.

Python names are the wire names in snake_case, with `_ms` on durations. A plain dict in place of one
of these classes uses the wire's spelling and durations (`{"stopTimeout": "10s"}`), as config files
do. The `Args` of each class are written by `tools/check_docs.py` from the core's table of fields.
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
    """Limits of the log files of one process service.

    Args:
        max_bytes: Maximum size of one log file. Must be an integer of at least 1024 (bytes).
            Default: 10485760.
        files: Number of log files kept, the current one included. Must be an integer from 1 to
            1000. Default: 5.
    """

    max_bytes: int | str | None = None
    files: int | None = None


@_named
@dataclass(frozen=True, kw_only=True)
class ProcessConfig(_Wire):
    """How the service is run, when we run it.

    Args:
        argv: Program and its arguments; {port} and {index} are replaced, {{port}} is a literal
            {port}. Required.
        cwd: Working directory. Must be a string of 1 to 4096 characters without control characters.
            Default: the folder of the config file.
        env: Environment variables; values are shown as ***.
        env_file: File of NAME=value lines, read at each start. Must be a string of 1 to 4096
            characters without control characters. Default: None.
        env_expand: Replace $NAME and ${NAME} in the values of env_file with the value that the
            variable has at that line. Default: False.
        inherit_env: Further environment variables that it inherits from the orchestrator; "*": all.
            Must be a list of names of environment variables, or "*". Default: [].
        user: User it runs as. Must be a string of 1 to 256 characters without control characters.
            Default: the user of the orchestrator.
        umask: Permissions that the files it creates do not get. Must be an octal string such as
            "027". Default: the umask of the orchestrator at the time of the start.
        stop_signal: Signal that asks it to stop. Must be the name of a signal such as "SIGTERM".
            Default: 'SIGTERM'.
        stop_timeout_ms: Time from the stop signal to SIGKILL, for all its processes. Must be an
            integer of at least 0 (milliseconds). Default: 10000.
        stop_mode: Which processes get the stop signal. main: the main process, and what is left
            when it has ended; tree: all at once. Default: 'main'.
        orphan_timeout_ms: Time from the stop signal to SIGKILL for what is left when the main
            process has ended by itself. Must be an integer of at least 0 (milliseconds). Default:
            2000.
        log: Limits of its log files.
        memory_limit: Memory that it may use together with its descendants; without a memory cgroup:
            address space of each process. Must be an integer of at least 1048576 (bytes). Default:
            None.
        replicas: Number of processes. If there are several, they are the services id@0, id@1 and so
            on, and the id stands for all of them. Must be an integer from 1 to 1000. Default: 1.
        ports: Port of each replica. Must be a list of ports, or a range such as "7001-7004".
            Default: the port of the endpoint and the ones after it.
        rlimits: Resource limits: {nofile: 4096} or {nofile: {soft, hard}}; -1 or "unlimited": no
            limit.
        no_new_privs: Set-user-id programs gain no privileges. Default: True.
    """

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
    """How the service is checked.

    Args:
        type: How to check: an HTTP request, a TCP connection, or whether the process is alive.
            Default: http; tcp for a tcp:// endpoint.
        timeout_ms: Time limit of one check, body included. Must be an integer of at least 1
            (milliseconds). Default: 5000, at most the interval.
        unhealthy_threshold: Consecutive failures that take the service out of rotation. Must be an
            integer from 1 to 1000. Default: 2.
        restart_threshold: Consecutive failures after which the service is restarted. Must be an
            integer from 1 to 1000. Default: 3, at least unhealthy_threshold.
        healthy_threshold: Consecutive passes that put the service back into rotation. Must be an
            integer from 1 to 1000. Default: 2.
        start_timeout_ms: Time within which a start must pass its first check. Must be an integer of
            at least 1 (milliseconds). Default: 30000, at least twice the interval.
        method: HTTP method of the check. Default: 'GET'.
        headers: Header fields sent with the check.
        expected_status: Statuses that count as healthy. Must be an HTTP status from 100 to 599, a
            range such as "200-299", or a list of these. Default: 200-299.
        reuse_connection: Keep the connection between checks; every fifth check, and each one after
            a failure, opens a new one. Default: False.
    """

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
    """A service that is needed, and the condition it must have reached.

    Args:
        id: Id of the service that is needed. Must be the id of a service. Required.
        condition: State that it must have reached. Default: 'healthy'.
        strength: hard: wait for it; soft: only start after it. Default: 'hard'.
        min: Number of instances that must have reached it, if that service has replicas. Must be an
            integer from 1 to 1000. Default: 1.
        on_restart: restart: this service is restarted after that one was, at no cost to its restart
            budget. Default: 'none'.
    """

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

    Args:
        id: Unique name of the service. Must be a word of 1 to 63 letters, digits, ".", "_" or "-"
            that begins with a letter or digit. Required.
        type: Type of the service, which is also the name of a pool: core, b2b, infrastructure or
            any other word. Must be a word of 1 to 63 letters, digits, ".", "_" or "-" that begins
            with a letter or digit. Required.
        endpoint: URL of the service, of at most 2,048 characters. May be absent only when
            health_check.type is process. Must be an http://, https:// or tcp:// URL such as
            "http://127.0.0.1:7001". Default: None.
        name: Display name. Must be a string of 1 to 200 characters without control characters.
            Default: the id.
        health_check_path: Path of the health check below the endpoint. Must be a path that starts
            with "/", in plain ASCII without spaces or "#". Default: '/health'.
        health_check_interval_ms: Time between health checks. Must be an integer of at least 100
            (milliseconds). Default: 30000.
        max_restarts: Restarts allowed in one episode of failures; 0: alert only, -1: no limit. Must
            be an integer of at least -1. Default: 5.
        restart_delay_ms: Minimum wait before each restart. Must be an integer of at least 0
            (milliseconds). Default: 0, 1, 2, 4 s and so on, growing with each attempt.
        priority: 1 to 10; a service with 10 starts first and gets the largest weight. Must be an
            integer from 1 to 10. Default: 5.
        dependencies: Services this one needs: ids, or objects {id, condition, strength, min,
            on_restart}. Default: [].
        metadata: Data of your own; kept and returned unchanged.
        group: Pool of interchangeable replicas. Must be a word of 1 to 63 letters, digits, ".", "_"
            or "-" that begins with a letter or digit. Default: the id.
        weight: Share of picks; 0: never picked. Must be a number from 0 to 1000000. Default: the
            priority.
        health_check: How the service is checked.
        restart: How the service is healed. Default: process if the service has one. Not over REST.
        process: How Azora runs the service. Not over REST.
        restart_policy: Exits after which the process is started again. Default: always with an
            endpoint, on-failure without.
        orphan_policy: What becomes of the process when its orchestrator ends in order. keep: with a
            state directory it runs on, for the next orchestrator. Needs process. Default: 'stop'.
        restart_factor: Factor by which the wait grows from one restart to the next. Must be a
            number from 1 to 100. Default: 2.
        restart_max_delay_ms: Maximum wait before a restart; at least 1, so that there is always a
            wait. A larger restart_delay_ms raises the default. Must be an integer of at least 1
            (milliseconds). Default: 60000.
        stable_after_ms: Time that a service must stay healthy until its restart budget is whole
            again. Must be an integer of at least 0 (milliseconds). Default: the largest of 60000,
            twice the last wait, twice the interval.
        failed_retry_interval_ms: Time between single restart attempts once the budget is used up;
            0: none. Must be an integer of at least 0 (milliseconds). Default: 300000, for a
            callable 0.
        start_interval_ms: Maximum time between checks while the service starts. Must be an integer
            of at least 10 (milliseconds). Default: 1000, at most the interval.
        kill_timeout_ms: Time after SIGKILL until a process counts as stuck. Must be an integer of
            at least 100 (milliseconds). Default: 5000.
        flap_limit: A service with more restarts after failures within one hour than this is
            flapping; 0: no limit. Must be an integer from 0 to 100000. Default: 10.
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
    orphan_policy: Literal["stop", "keep"] | None = None
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
    orphan_policy: Literal["stop", "keep"] | None
    restart_factor: float | None
    restart_max_delay_ms: int | None
    stable_after_ms: int | None
    failed_retry_interval_ms: int | None
    start_interval_ms: int | None
    kill_timeout_ms: int | None
    flap_limit: int | None
