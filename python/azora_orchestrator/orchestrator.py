"""MasterOrchestrator: the whole product behind one object.

Threads: every method may be called from any thread, also inside a running asyncio loop and from
event handlers; those that can wait release the interpreter and say so.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, Unpack, overload

from azora_orchestrator import _core
from azora_orchestrator._arguments import (
    choice_of,
    deadline_of,
    flag_of,
    integer_of,
    limit_of,
    milliseconds_of,
    optional_string_of,
    path_of,
    pool_options,
    string_of,
    strings_of,
    types_of,
)
from azora_orchestrator._fault_names import in_python_names
from azora_orchestrator._handlers import Handler, Subscription
from azora_orchestrator._runtime import Runtime
from azora_orchestrator._wire import split, texts_of, unsayable
from azora_orchestrator.answers import VerbAnswer, Why
from azora_orchestrator.config_check import config_of_file
from azora_orchestrator.errors import (
    InvalidArgument,
    InvalidJson,
    InvalidSpec,
    OrchestratorClosed,
    TimedOut,
    UnknownService,
)
from azora_orchestrator.events import EventStream
from azora_orchestrator.fleet_status import FleetStatus
from azora_orchestrator.graph import Dependencies, Graph
from azora_orchestrator.lease import Lease
from azora_orchestrator.models import Pick, Service
from azora_orchestrator.service_config import ServiceConfig, ServiceFields
from azora_orchestrator.vocabulary import EventFilter, Strategy

if TYPE_CHECKING:
    from azora_orchestrator.config import Config

__all__ = ["MasterOrchestrator"]

_STOP_MS = 60_000
_READY_MS = 30_000
_MOST_LINES = 2**31 - 1
_MOST_SEQ = 2**63 - 1
_SLICE_MS = 250  # how long a waiting call may delay Ctrl-C


class MasterOrchestrator:
    """Registers services, keeps them alive, says which are healthy and which may be picked.

    Used as a context manager it starts on entry and is closed on exit: its process services are
    stopped in reverse order of dependency and its keeper ends. The same happens when the last
    reference to it is gone and when the interpreter exits.
    """

    def __init__(
        self,
        *,
        state_dir: str | os.PathLike[str] | None = None,
        runtime_dir: str | os.PathLike[str] | None = None,
        max_concurrent_starts: int | None = None,
        starts_per_second: int | None = None,
    ) -> None:
        """Make an orchestrator that does nothing yet.

        `max_concurrent_starts` (default max(4, 2 x cores)) and `starts_per_second` (default 50) cap
        how fast processes are started; 0 means no cap. `runtime_dir` holds logs and sockets;
        default: a private one, removed at a clean end.
        """
        if state_dir is not None:
            raise InvalidArgument(
                "state_dir: durable state is not available in this version; leave it out"
            )
        self._core = _core.Core(
            {
                "keeper_path": _keeper_path(),
                "runtime_dir": None if runtime_dir is None else path_of("runtime_dir", runtime_dir),
                "max_concurrent_starts": limit_of("max_concurrent_starts", max_concurrent_starts),
                "starts_per_second": limit_of("starts_per_second", starts_per_second),
            }
        )
        self._runtime = Runtime(self._core)
        self._finalizer = weakref.finalize(self, Runtime.close, self._runtime, _STOP_MS)
        # The builtin itself: a method around it would cost more than the pick.
        self.pick = self._core.pick  # type: ignore[method-assign]

    @classmethod
    def from_file(
        cls,
        path: str | os.PathLike[str],
        *,
        state_dir: str | os.PathLike[str] | None = None,
        runtime_dir: str | os.PathLike[str] | None = None,
        max_concurrent_starts: int | None = None,
        starts_per_second: int | None = None,
    ) -> Self:
        """Make an orchestrator with the services and pools of a configuration file.

        It is not started: use it in a `with` block, or call `start()`. Settings of
        `[orchestrator]` that only a server has (host, port, auth) are left to `azora serve`.

        Args:
            path: A .toml, .json, .yaml or .yml file, as `azora serve --config` takes it.
            state_dir: As for the constructor.
            runtime_dir: As for the constructor.
            max_concurrent_starts: As for the constructor. Default: as the file says.
            starts_per_second: As for the constructor. Default: as the file says.

        Raises:
            InvalidSpec: The file cannot be read or has faults; the message has each with its line.

        Example:
            >>> with MasterOrchestrator.from_file("azora.toml") as orch:  # doctest: +SKIP
            ...     orch.wait_ready()
        """
        config = config_of_file(path)
        given = {
            "max_concurrent_starts": max_concurrent_starts,
            "starts_per_second": starts_per_second,
        }
        limits = {
            name: config.settings.get(name) if value is None else value
            for name, value in given.items()
        }
        made = cls(state_dir=state_dir, runtime_dir=runtime_dir, **limits)
        made._take(config)
        return made

    def _take(self, config: Config) -> None:
        """Register what a configuration file says."""
        try:
            none = [False] * len(config.services)
            if config.services:
                self._core.register(config.services, "file", config.base_dir, none)
            for name, options in config.pools.items():
                self._core.configure_pool(name, options)
        except BaseException:
            self.close()
            raise

    # Life.

    def start(self) -> None:
        """Begin checking, and start the services that their owners want up. Idempotent."""
        self._core.start()

    def stop(self, *, timeout_ms: int = _STOP_MS, leave: bool = False) -> list[str]:
        """End checks and stop process services in reverse order; `start()` brings them back.

        Waits. Answers the ids of those that did not stop within `timeout_ms`. `leave`, to leave
        them running, needs durable state, which this version does not have: it is refused.
        """
        if leave:
            raise InvalidArgument(
                "leave: durable state is not available in this version; leave it out"
            )
        return self._core.stop(milliseconds_of("timeout_ms", timeout_ms))

    def close(self, *, timeout_ms: int = _STOP_MS) -> None:
        """Stop, then end every thread and the keeper, for good. Waits. Idempotent."""
        self._runtime.check_fork()
        self._runtime.close(milliseconds_of("timeout_ms", timeout_ms))
        self._finalizer.detach()

    @property
    def closed(self) -> bool:
        """True once it was closed."""
        self._runtime.check_fork()
        return self._runtime.closed

    @property
    def running(self) -> bool:
        """True between start() and stop()."""
        return self._core.totals()[0]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # Registration.

    @overload
    def register(
        self,
        service: ServiceConfig | Mapping[str, Any],
        /,
        *,
        apply: Literal["next-start", "restart"] = "next-start",
    ) -> int: ...
    @overload
    def register(
        self,
        *,
        apply: Literal["next-start", "restart"] = "next-start",
        **fields: Unpack[ServiceFields],
    ) -> int: ...
    def register(  # type: ignore[misc]  # mypy does not see that **Any takes the keywords
        self,
        service: ServiceConfig | Mapping[str, Any] | None = None,
        /,
        *,
        apply: Literal["next-start", "restart"] = "next-start",
        **fields: Any,
    ) -> int:
        """Register one service, or replace the one of that id; answers the sequence number.

        Takes a ServiceConfig, a mapping in the wire's spelling, or the fields of a ServiceConfig as
        keywords. A process that runs goes on: checks and budget apply at once, another argv, env,
        cwd or user at its next start (`restartRequired` until then) or, with `apply="restart"`,
        by a restart now. Raises InvalidSpec with every fault named; nothing is changed then.
        """
        if (service is None) == (not fields):
            raise InvalidArgument("register: give one service, or its fields as keywords")
        given = ServiceConfig(**fields) if service is None else service
        return self.register_many([given], apply=apply)

    def register_many(
        self,
        services: Iterable[ServiceConfig | Mapping[str, Any]],
        *,
        apply: Literal["next-start", "restart"] = "next-start",
    ) -> int:
        """Register all of them or, when one is wrong, none; answers the sequence number."""
        self._runtime.check_fork()
        choice_of("apply", apply, ("next-start", "restart"))
        if isinstance(services, ServiceConfig | Mapping | str) or not isinstance(
            services, Iterable
        ):
            raise InvalidArgument("register_many: takes a list of services; one is for register()")
        given = list(services)
        try:
            return self._register(given, apply)
        except InvalidSpec as error:
            raise in_python_names(error, given) from None

    def _register(self, services: Sequence[ServiceConfig | Mapping[str, Any]], apply: str) -> int:
        wires: list[dict[str, Any]] = []
        callables: list[bool] = []
        functions: dict[str, Callable[..., object]] = {}
        without: list[str] = []
        for service in services:
            wire, function = split(service)
            wires.append(wire)
            callables.append(function is not None)
            id = str(wire.get("id", ""))
            if function is None:
                without.append(id)
            else:
                functions[id] = function
        texts = texts_of(wires)
        before = self._runtime.restarts.put(functions)
        try:
            seq = self._core.register(texts, "python", "", callables, apply)
        except BaseException as error:
            self._runtime.restarts.undo(before)
            if isinstance(error, InvalidJson):
                raise unsayable(wires, str(error)) from None
            raise
        for id in without:
            self._runtime.restarts.forget(id)
        return seq

    def unregister(self, id: str) -> bool:
        """Forget a service, or all instances of an entry; does not wait until their processes end.

        False: there was none.
        """
        string_of("id", id)
        known = self._core.unregister(id, "python")
        self._runtime.restarts.forget(id)
        return known

    # Reads. None of them waits, but why(), dependencies(), graph() and logs().

    def service(self, id: str) -> Service:
        """One service as it is now, or an entry as one service. Raises UnknownService.

        Of an entry, `data` has `instances`, their ids, and `ready`, how many of them are.
        """
        view = self._core.find(string_of("id", id))
        if view is None:
            raise _unknown(id)
        return Service(view)

    def services(self, *, type: str | None = None, group: str | None = None) -> list[Service]:
        """All services in order of registration, or those of a type or a group."""
        optional_string_of("group", group)
        views = self._core.list(optional_string_of("type", type))
        return [Service(view) for view in views if group is None or view.group == group]

    def status(self, *, detailed: bool = False) -> FleetStatus:
        """The fleet in numbers, and its services.

        Args:
            detailed: Read the services now. Otherwise they are read when `services` of the answer
                is first asked for, and may be newer than the numbers.
        """
        running, total, healthy, unhealthy, seq = self._core.totals()
        ended = [id for id, _ in self._core.ended()]
        services = self.services() if detailed else self.services
        return FleetStatus(running, total, healthy, unhealthy, seq, services, ended)

    def why(self, id: str) -> Why:
        """Why a service is as it is, and what would change it."""
        with _naming(id):
            return Why.from_dict(json.loads(self._core.why_json(id)))

    def dependencies(self, id: str) -> Dependencies:
        """What a service needs and which services need it."""
        with _naming(id):
            return Dependencies(json.loads(self._core.dependencies_json(id)))

    def graph(self) -> Graph:
        """The dependencies of all services."""
        return Graph(json.loads(self._core.graph_json()))

    def logs(self, id: str, *, lines: int = 100, timestamps: bool = False) -> str:
        """The last lines of a process service's output; of an entry, those of each instance.

        With `timestamps` each line begins with the time of its start (RFC 3339, UTC), or `-`.
        `[azora: 120 lines .. lost ..]` says where lines were lost, to a full disk for instance.
        """
        with _naming(id):
            count = integer_of("lines", lines, 0, _MOST_LINES)
            text = self._core.logs(id, count, flag_of("timestamps", timestamps))
            return text.decode("utf-8", "replace")

    def metrics(self) -> str:
        """Our own figures in Prometheus' text format."""
        return self._core.metrics_text().decode()

    # Selection.

    def pick(self, pool: str, key: str | None = None, strategy: Strategy | None = None) -> Pick:
        """Choose an instance of a pool; never waits.

        Args:
            pool: Name of a pool: a type, a group or the id of a service.
            key: What `ip-hash` hashes: the same key finds the same instance.
            strategy: How to choose, for this pick only. Default: the strategy of the pool.

        Returns:
            The instance. The pick does not count as load; use `lease()` for that.

        Raises:
            NoHealthyInstance: No instance can be picked now, or there is no such pool.
            InvalidArgument: The strategy is unknown, or `ip-hash` was given no key.
            OrchestratorClosed: The orchestrator is closed.

        Example:
            >>> orch.pick("core").endpoint  # doctest: +SKIP
            'http://127.0.0.1:7001'
        """
        return self._core.pick(pool, key, strategy)

    def lease(
        self, pool: str, *, key: str | None = None, strategy: Strategy | None = None
    ) -> Lease:
        """Pick an instance and count it as load until the lease is released or its time is over."""
        pick, id, ttl_ms, used = self._core.lease(
            string_of("pool", pool),
            optional_string_of("strategy", strategy),
            optional_string_of("key", key),
        )
        return Lease(pick, pool, used, id, ttl_ms, self._core.release)

    def configure_pool(
        self,
        pool: str,
        *,
        strategy: Strategy | None = None,
        allow_degraded: bool | None = None,
        panic_threshold: float | None = None,
        lease_ttl_ms: int | None = None,
    ) -> None:
        """Change how a pool is picked from; an option that is None stays as it is."""
        self._core.configure_pool(
            string_of("pool", pool),
            pool_options(
                strategy=strategy,
                allow_degraded=allow_degraded,
                panic_threshold=panic_threshold,
                lease_ttl_ms=lease_ttl_ms,
            ),
        )

    # Verbs. They return when the decision is made, or with `wait` when it has come true.

    def start_service(
        self,
        id: str,
        *,
        dependencies: bool = False,
        wait: bool = False,
        timeout_ms: int = _READY_MS,
    ) -> VerbAnswer:
        """Start a service, with `dependencies` its hard dependencies first."""
        return self._command("start", id, False, dependencies, wait, timeout_ms)

    def stop_service(
        self, id: str, *, dependents: bool = False, wait: bool = False, timeout_ms: int = _READY_MS
    ) -> VerbAnswer:
        """Stop a service, with `dependents` those that need it first; it stays stopped."""
        return self._command("stop", id, dependents, False, wait, timeout_ms)

    def restart(
        self, id: str, *, dependents: bool = False, wait: bool = False, timeout_ms: int = _READY_MS
    ) -> VerbAnswer:
        """Restart a service, or all instances of an entry.

        Raises HealingUnavailable when it has only a URL.
        """
        return self._command("restart", id, dependents, False, wait, timeout_ms)

    def _command(
        self,
        verb: str,
        id: str,
        dependents: bool,
        dependencies: bool,
        wait: bool,
        timeout_ms: int,
    ) -> VerbAnswer:
        deadline = deadline_of(timeout_ms)  # first: a wrong one must change nothing
        with _naming(id):
            service, incarnation, seq, affected = self._core.command(
                verb,
                id,
                flag_of("dependents", dependents),
                flag_of("dependencies", dependencies),
                "python",
            )
        if wait:
            goal = "stopped" if verb == "stop" else "ready"
            self._wait(id, goal, deadline)
            view = self._core.find(id)
            incarnation = view.incarnation if view is not None else incarnation
        return VerbAnswer(service, incarnation, seq, tuple(affected))

    # Waiting.

    def wait_ready(
        self, id: str | Sequence[str] | None = None, *, timeout_ms: int = _READY_MS
    ) -> None:
        """Wait until a service, several or all of them (None) are ready.

        The name of an entry waits for all its instances, that of a group for all its members.
        "All of them" leaves out those that their owner wants down. A job, which has no endpoint,
        is ready too when it has ended with 0. Raises TimedOut, and NotComing as soon as waiting is
        in vain: a service is stopped, or it failed or ended and is not started again in time, or
        this is true of a dependency.
        """
        deadline = deadline_of(timeout_ms)
        names = None if id is None else strings_of("id", id)
        for name in self._everybody() if names is None else self._members(names):
            self._wait(name, "ready", deadline)

    def wait_stopped(self, id: str | Sequence[str], *, timeout_ms: int = _READY_MS) -> None:
        """Wait until a service, or several, have no process. Raises TimedOut."""
        deadline = deadline_of(timeout_ms)
        for name in strings_of("id", id):
            self._wait(name, "stopped", deadline)

    def _everybody(self) -> list[str]:
        return [view.id for view in self._core.list() if view.desired == "up"]

    def _members(self, names: Sequence[str]) -> list[str]:
        members: list[str] = []
        for name in names:
            group = []
            if self._core.find(name) is None:
                group = [view.id for view in self._core.list() if view.group == name]
            members += group or [name]
        return members

    def _wait(self, id: str, what: str, deadline: float) -> None:
        # Only the main thread serves signals, and only between two calls of the core.
        sliced = threading.current_thread() is threading.main_thread()
        while True:
            left = max(0, math.ceil((deadline - time.monotonic()) * 1000))
            try:
                with _naming(id):
                    self._core.wait_for(id, what, min(left, _SLICE_MS) if sliced else left, left)
            except TimedOut:
                if not sliced or left <= _SLICE_MS:
                    raise
            else:
                return

    # Events.

    def events(
        self,
        *,
        since: int | None = None,
        type: EventFilter | None = None,
        service: str | None = None,
    ) -> EventStream:
        """Open a stream of events, for `for` and for `async for`.

        Without `since` it begins now; `since=0` begins with the oldest that is kept; otherwise
        after that sequence number.
        """
        if since is not None:
            since = integer_of("since", since, 0, _MOST_SEQ)
        return self._runtime.stream(since, types_of(type), optional_string_of("service", service))

    @overload
    def on(
        self,
        type: EventFilter,
        handler: Handler,
        *,
        service: str | None = None,
    ) -> Subscription: ...
    @overload
    def on(
        self,
        type: EventFilter,
        handler: None = None,
        *,
        service: str | None = None,
    ) -> Callable[[Handler], Subscription]: ...
    def on(
        self,
        type: EventFilter,
        handler: Handler | None = None,
        *,
        service: str | None = None,
    ) -> Subscription | Callable[[Handler], Subscription]:
        """Call a handler, sync or async, for each event of that name, those names, or all ("*").

        Works as a decorator, too. What it returns has `unsubscribe()`. A handler that raises stays
        subscribed; its error is logged and emitted as `callbackFailed`. The error of a handler of
        `callbackFailed` is only logged.
        """
        if self.closed:
            raise OrchestratorClosed("the orchestrator is closed")
        types = types_of(type)
        optional_string_of("service", service)

        def subscribe(function: Handler) -> Subscription:
            if not callable(function):
                raise InvalidArgument(f"on: {function!r} is no handler; give a function")
            return self._runtime.subscribe(types, service, function)

        return subscribe if handler is None else subscribe(handler)

    def off(self, handler: Handler | Subscription) -> bool:
        """Remove a handler; False if it was not subscribed."""
        return self._runtime.unsubscribe(handler)

    def get_event_emitter(self) -> Self:
        """Give the object that has `on` and `off`: this one."""
        self._runtime.check_fork()
        return self

    def __repr__(self) -> str:
        if self._runtime.forked:
            return "<MasterOrchestrator of the parent process>"
        if self.closed:
            return "<MasterOrchestrator closed>"
        status = self.status()
        state = "running" if status.running else "stopped"
        healthy = f"{status.healthy_services} of {status.total_services} healthy"
        return f"<MasterOrchestrator {state}, {healthy}>"


def _unknown(id: str) -> UnknownService:
    return UnknownService(f"{id}: there is no such service")


@contextlib.contextmanager
def _naming(id: str) -> Iterator[None]:
    """Name the unknown service in the error: the core's text, which is the wire's, does not."""
    string_of("id", id)
    try:
        yield
    except UnknownService:
        raise _unknown(id) from None


def _keeper_path() -> str:
    own = Path(__file__).parent / "bin" / "azora-keeper"
    return os.environ.get("AZORA_KEEPER") or str(own)
