"""MasterOrchestrator: the whole product behind one object.

Threads: every method may be called from any thread, also inside a running asyncio loop and from
event handlers; those that can wait release the interpreter and say so.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar, Unpack, overload

from azora_orchestrator import _core
from azora_orchestrator._arguments import (
    choice_of,
    deadline_of,
    flag_of,
    history_options,
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
from azora_orchestrator._callbacks import Callbacks
from azora_orchestrator._fault_names import in_python_names
from azora_orchestrator._forgotten import close_when_forgotten
from azora_orchestrator._members import members_of, wanted_up
from azora_orchestrator._naming import naming, unknown
from azora_orchestrator._owner_verbs import OwnerVerbs
from azora_orchestrator._runtime import Runtime
from azora_orchestrator._subscriptions import Handler, Subscription
from azora_orchestrator._wire import split, texts_of, unsayable
from azora_orchestrator.answers import VerbAnswer, Why
from azora_orchestrator.errors import (
    InvalidArgument,
    InvalidJson,
    InvalidSpec,
    OrchestratorClosed,
    UnknownService,
)
from azora_orchestrator.events import Event, EventStream
from azora_orchestrator.fleet_status import FleetStatus
from azora_orchestrator.graph import Dependencies, Graph
from azora_orchestrator.history import History, Moment
from azora_orchestrator.history import read as read_history
from azora_orchestrator.lease import Lease
from azora_orchestrator.models import Pick, Service
from azora_orchestrator.rolling import Rolling
from azora_orchestrator.service_config import ServiceConfig, ServiceFields
from azora_orchestrator.vocabulary import EventFilter, Strategy

if TYPE_CHECKING:
    from azora_orchestrator.reload import ReloadPlan

__all__ = ["MasterOrchestrator"]

E = TypeVar("E", bound=Event)

_STOP_MS = 60_000
_READY_MS = 30_000
_MOST_LINES = 2**31 - 1
_MOST_SEQ = 2**63 - 1


class MasterOrchestrator(OwnerVerbs, Rolling):
    """Registers services, keeps them alive, says which are healthy and which may be picked.

    Used as a context manager it starts on entry and is closed on exit: its process services are
    stopped in reverse order of dependency. The same happens, with a ResourceWarning, when Python
    collects one that was not closed, and when the interpreter exits.

    It is also a container of its services: `len(orch)`, `"orders" in orch`, `orch["orders"]` and
    `for service in orch`.

    Args:
        state_dir: Folder of a durable fleet. Registrations, decisions, budgets and logs are kept in
            it. When this program is killed its services go on, and the next orchestrator with this
            folder takes them back without a restart. Default: none, all ends with this program.
        runtime_dir: Folder for logs and sockets. Default: a private one, removed at a clean end. A
            durable fleet has them in its `state_dir`.
        history_max_age_ms: How long past events are kept in `state_dir`. Default: 30 days.
        history_max_bytes: In how many bytes; the oldest go first. Default: 64 MiB.
        max_concurrent_starts: How many processes may be starting at a time; 0: no cap. Default: the
            larger of 4 and twice the number of cores.
        starts_per_second: How many processes may be started in a second; 0: no cap. Default: 50.

    Raises:
        InvalidArgument: An argument is wrong.
        StorageFailed: `state_dir` cannot be used: it is damaged, of a newer version, or another
            orchestrator, which the message names, has it. Nothing in it is changed.

    Example:
        >>> with MasterOrchestrator() as orch:
        ...     _ = orch.register(
        ...         id="web",
        ...         type="core",
        ...         endpoint="http://127.0.0.1:7001",
        ...         health_check_path="/",
        ...         process={"argv": ["python3", "-m", "http.server", "{port}", "-b", "127.0.0.1"]},
        ...     )
        ...     orch.wait_ready("web")
        ...     print(orch.pick("core").endpoint)
        http://127.0.0.1:7001
    """

    def __init__(
        self,
        *,
        state_dir: str | os.PathLike[str] | None = None,
        runtime_dir: str | os.PathLike[str] | None = None,
        history_max_age_ms: int | None = None,
        history_max_bytes: int | None = None,
        max_concurrent_starts: int | None = None,
        starts_per_second: int | None = None,
    ) -> None:
        if state_dir is not None and runtime_dir is not None:
            raise InvalidArgument(
                "runtime_dir: was given with state_dir, whose folder has logs and sockets; "
                "leave one of them out"
            )
        self._core = _core.Core(
            {
                "keeper_path": _keeper_path(),
                "state_dir": None if state_dir is None else path_of("state_dir", state_dir),
                "runtime_dir": None if runtime_dir is None else path_of("runtime_dir", runtime_dir),
                **history_options(history_max_age_ms, history_max_bytes),
                "max_concurrent_starts": limit_of("max_concurrent_starts", max_concurrent_starts),
                "starts_per_second": limit_of("starts_per_second", starts_per_second),
            }
        )
        if state_dir is not None:
            self._core.open()  # what is wrong with it shows here, not at the first call
        self._file: str | None = None  # that from_file() or reload() took
        self._callbacks = Callbacks()
        self._runtime = Runtime(self._core, self._callbacks)
        self._finalizer = close_when_forgotten(self, self._runtime)
        if type(self).pick is _PICK:
            # The builtin itself: a method around it would cost more than the pick.
            self.pick = self._core.pick  # type: ignore[method-assign]

    @classmethod
    def from_file(
        cls,
        path: str | os.PathLike[str],
        *,
        state_dir: str | os.PathLike[str] | None = None,
        runtime_dir: str | os.PathLike[str] | None = None,
        history_max_age_ms: int | None = None,
        history_max_bytes: int | None = None,
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
            history_max_age_ms: As for the constructor. Default: as the file says.
            history_max_bytes: As for the constructor. Default: as the file says.
            max_concurrent_starts: As for the constructor. Default: as the file says.
            starts_per_second: As for the constructor. Default: as the file says.

        Raises:
            InvalidSpec: The file cannot be read or has faults; the message has each with its line.

        Example:
            >>> with MasterOrchestrator.from_file("azora.toml") as orch:
            ...     orch.wait_ready()
        """
        from azora_orchestrator.config_check import config_of_file  # few need it

        config = config_of_file(path)
        given = {
            "history_max_age_ms": history_max_age_ms,
            "history_max_bytes": history_max_bytes,
            "max_concurrent_starts": max_concurrent_starts,
            "starts_per_second": starts_per_second,
        }
        limits = {
            name: config.settings.get(name) if value is None else value
            for name, value in given.items()
        }
        made = cls(state_dir=state_dir, runtime_dir=runtime_dir, **limits)
        made._file = os.path.abspath(path)
        from azora_orchestrator.reload import take_file

        try:
            take_file(made._core, made._file, config)
        except BaseException:
            made.close()
            raise
        return made

    # Life.

    def start(self) -> None:
        """Start the checks, and the services that their owners want up.

        Does nothing if it is started already. Services start in the background, in order of
        dependency; `wait_ready()` waits for them.

        Raises:
            OrchestratorClosed: The orchestrator is closed.
            KeeperFailed: The program that starts processes cannot be started.
        """
        self._core.start()

    def stop(self, *, timeout_ms: float = _STOP_MS, leave: bool = False) -> list[str]:
        """Stop the checks and the process services, in reverse order of dependency.

        Waits until they have ended; Ctrl-C ends the wait, not the stop. `start()` brings them back.

        Args:
            timeout_ms: How long to wait, in ms; `math.inf`: without limit.
            leave: Do not stop the processes, but close this orchestrator: they go on for the next
                one with the same `state_dir`. Refused without one.

        Returns:
            Ids of the services that did not stop in time.

        Raises:
            InvalidArgument: An argument is wrong.
            OrchestratorClosed: The orchestrator is closed.
        """
        within = milliseconds_of("timeout_ms", timeout_ms)
        if not leave:
            return self._runtime.stop(within)
        self._runtime.leave()
        self._finalizer.detach()
        return []

    def close(self, *, timeout_ms: float = _STOP_MS) -> None:
        """Stop the services, then end every thread and process of the orchestrator, for good.

        Waits; a second call waits for the end of the first. Ctrl-C ends the wait, not the closing.
        Reads work afterwards, other calls raise `OrchestratorClosed`.

        Args:
            timeout_ms: How long the services may take to stop, in ms.
        """
        self._runtime.check_fork()
        self._runtime.close(milliseconds_of("timeout_ms", timeout_ms))
        self._finalizer.detach()

    @property
    def closed(self) -> bool:
        """Whether `close()` was called."""
        self._runtime.check_fork()
        return self._runtime.closed

    @property
    def running(self) -> bool:
        """Whether it is started: True between `start()` and `stop()`."""
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
        """Register a service, or replace the one with the same id.

        A running process keeps running. New checks and a new restart budget apply at once; another
        `argv`, `env`, `cwd` or `user` applies at the next start, and until then `restart_required`
        of the service is True.

        Args:
            service: A `ServiceConfig`, or a mapping in the wire's spelling, as in a configuration
                file.
            apply: `"restart"` restarts a running process whose program changed now.
            **fields: The fields of a `ServiceConfig`, in place of `service`.

        Returns:
            The sequence number of its `serviceRegistered`: `events(since=...)` begins with what
            happens after it.

        Raises:
            InvalidSpec: Something is wrong with the service; `faults` names every fault. Nothing is
                changed.
            DependencyCycle: The service would depend on itself.
            PoolConflict: Its group has the name of a type, or its type the name of a group.

        Example:
            >>> seq = orch.register(id="cache", type="core", endpoint="tcp://127.0.0.1:6379")
            >>> orch.service("cache").endpoint
            'tcp://127.0.0.1:6379'
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
        """Register several services at once: all of them or, when one is wrong, none.

        Args:
            services: Each a `ServiceConfig` or a mapping in the wire's spelling.
            apply: As for `register()`.

        Returns:
            The sequence number of the last `serviceRegistered`.

        Raises:
            InvalidSpec: Something is wrong with one; `faults` names every fault, such as
                `services[1].endpoint`.
            DependencyCycle: Services would depend on themselves.
            PoolConflict: A group has the name of a type.
        """
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
        try:
            with self._runtime.restarts.registering(functions, without):
                return self._core.register(texts, "python", "", callables, apply)
        except InvalidJson as error:
            raise unsayable(wires, str(error)) from None

    def reload(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        plan: bool = False,
        restart_changed: bool = False,
    ) -> ReloadPlan:
        """Read a configuration file again, and change what differs.

        New services are registered and started, changed ones are changed without a restart where
        that is possible, services of the file that it no longer has are stopped and unregistered,
        dependents first. Services that were registered by other means stay as they are.

        Args:
            path: The file. Default: the one that `from_file()` or the last `reload()` took.
            plan: Only say what would change.
            restart_changed: Restart processes whose program, environment, folder or user changed.
                Without it they go on, and the new program runs from their next start.

        Returns:
            What has changed, or would change.

        Raises:
            InvalidSpec: The file cannot be read, has faults, or does not fit beside the services of
                others. Nothing is changed.
            InvalidArgument: There is no file.
        """
        from azora_orchestrator import reload  # few need it
        from azora_orchestrator.config_check import config_of_file

        plan = flag_of("plan", plan)
        restart_changed = flag_of("restart_changed", restart_changed)
        file = self._file if path is None else os.path.abspath(path_of("path", path))
        if file is None:
            raise InvalidArgument("path: none was given, and the fleet was not made from a file")
        config = config_of_file(file)
        found = reload.run(self._core, file, config, plan=plan, restart_changed=restart_changed)
        if found.applied:
            self._file = file
        return found

    def unregister(self, id: str) -> bool:
        """Forget a service, or all instances of an entry.

        Does not wait until its process has ended; reads no longer find it.

        Args:
            id: Id of the service or entry.

        Returns:
            False if there was no such service.
        """
        string_of("id", id)
        self._runtime.check_fork()
        with self._runtime.restarts.unregistering(id):
            return self._core.unregister(id, "python")

    # Reads. None of them waits, but why(), dependencies(), graph() and logs().

    def service(self, id: str) -> Service:
        """Return one service as it is now, or an entry with replicas as one service.

        Args:
            id: Id of the service or entry. An entry has `instances`, their ids, and `ready`, how
                many of them are.

        Raises:
            UnknownService: There is no such service.
        """
        view = self._core.find(string_of("id", id))
        if view is None:
            raise unknown(id)
        return Service(view)

    def services(self, *, type: str | None = None, group: str | None = None) -> list[Service]:
        """Return all services in order of registration, or those of a type or a group.

        Args:
            type: Only services of this type.
            group: Only services of this group.
        """
        optional_string_of("group", group)
        views = self._core.list(optional_string_of("type", type))
        return [Service(view) for view in views if group is None or view.group == group]

    def __getitem__(self, id: str) -> Service:
        return self.service(id)

    def __contains__(self, id: object) -> bool:
        if isinstance(id, Service):
            id = id.id
        try:
            return self._core.find(string_of("id", id)) is not None
        except InvalidArgument:
            return False

    def __iter__(self) -> Iterator[Service]:
        return iter(self.services())

    def __len__(self) -> int:
        return self._core.totals()[1]

    def __bool__(self) -> bool:
        return True  # also without services

    def status(self, *, detailed: bool = False) -> FleetStatus:
        """Return the fleet in numbers, and its services.

        Args:
            detailed: Read the services now. Otherwise they are read when `services` of the answer
                is first asked for, and may be newer than the numbers.
        """
        running, total, healthy, unhealthy, seq = self._core.totals()
        ended = [id for id, _ in self._core.ended()]
        services = self.services() if detailed else self.services
        unverified = self._core.unverified()
        return FleetStatus(running, total, healthy, unhealthy, seq, services, ended, unverified)

    def why(self, id: str) -> Why:
        """Return why a service is as it is, and what would change it.

        Args:
            id: Id of the service or entry.

        Raises:
            UnknownService: There is no such service.

        Example:
            >>> print(orch.why("orders"))
            orders is healthy
        """
        with naming(id):
            return Why.from_dict(json.loads(self._core.why_json(id)))

    def dependencies(self, id: str) -> Dependencies:
        """Return what a service needs and which services need it.

        Args:
            id: Id of the service or entry.

        Raises:
            UnknownService: There is no such service.
        """
        with naming(id):
            return Dependencies(json.loads(self._core.dependencies_json(id)))

    def graph(self) -> Graph:
        """Return the dependencies of all services, and the order in which they start."""
        return Graph(json.loads(self._core.graph_json()))

    def logs(self, id: str, *, lines: int = 100, timestamps: bool = False) -> str:
        """Return the last lines that a service wrote; of an entry, those of each instance.

        A line `[azora: 120 lines ... lost ...]` says where lines were lost, to a full disk for
        instance.

        Args:
            id: Id of the service or entry.
            lines: How many lines to return.
            timestamps: Begin each line with the time at which it began (RFC 3339, UTC), or `-`.

        Raises:
            UnknownService: There is no such service.
            InvalidArgument: An argument is wrong.
        """
        with naming(id):
            count = integer_of("lines", lines, 0, _MOST_LINES)
            text = self._core.logs(id, count, flag_of("timestamps", timestamps))
            return text.decode("utf-8", "replace")

    def history(
        self,
        since: Moment | None = None,
        until: Moment | None = None,
        type: EventFilter | type[Event] | None = None,
        service: str | None = None,
    ) -> History:
        """Return past events, oldest first.

        With a `state_dir` they are those of all runs, within `history_max_age_ms` and
        `history_max_bytes`; without one, those of this run that are still in memory. Single health
        checks are not stored: the last ones of this run are found with `type="healthCheck"`.

        Args:
            since: Number of an event, after which it begins; or a time (with its zone) or an age
                such as `"24h"`, from which on.
            until: Number of an event, or a time or an age, before which it ends.
            type: Only events of this name or these names. None: all but health checks.
            service: Only events of this service, or of the instances of this entry.

        Raises:
            InvalidArgument: An argument is wrong.
            StorageFailed: What is stored cannot be read.

        Example:
            >>> [event.type for event in orch.history("1h", service="orders")]
            ['serviceRegistered', 'serviceHealthy']
        """
        named = optional_string_of("service", service)
        return read_history(self._core.history, since, until, types_of(type), named)

    def metrics(self) -> str:
        """Return the figures of the orchestrator itself, in the text format of Prometheus."""
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
            >>> orch.pick("core").endpoint
            'http://127.0.0.1:7001'
        """
        return self._core.pick(pool, key, strategy)

    def lease(
        self, pool: str, *, key: str | None = None, strategy: Strategy | None = None
    ) -> Lease:
        """Choose an instance of a pool and count it as load until the lease ends.

        It ends by `release()`, at the end of a `with` block, when its time is over, or with its
        instance.

        Args:
            pool: Name of a pool: a type, a group or the id of a service.
            key: What `ip-hash` hashes: the same key finds the same instance.
            strategy: How to choose, this time only. Default: the strategy of the pool.

        Raises:
            NoHealthyInstance: No instance can be picked now, or there is no such pool.
            InvalidArgument: The strategy is unknown, or `ip-hash` was given no key.

        Example:
            >>> with orch.lease("orders") as lease:
            ...     print(lease.endpoint)
            http://127.0.0.1:7001
        """
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
        """Change how instances of a pool are chosen. An option that is None stays as it is.

        Args:
            pool: Name of a pool: a type, a group or the id of a service. It need not exist yet.
            strategy: How to choose; `round-robin` at first.
            allow_degraded: Whether degraded instances are chosen when no healthy one is left; False
                at first.
            panic_threshold: From 0 to 1. When a smaller share of the pool than this is healthy,
                instances are chosen among all, healthy or not; 0, as at first: never.
            lease_ttl_ms: How long a lease lasts that is not released, in ms, at least 1. At first
                30000, then learned from how long leases are held.

        Raises:
            InvalidArgument: An option is wrong.
        """
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
        timeout_ms: float = _READY_MS,
    ) -> VerbAnswer:
        """Start a service, or all instances of an entry. A running one goes on.

        Args:
            id: Id of the service or entry.
            dependencies: Start what it needs, too, before it.
            wait: Return when it is ready, not when the start is decided.
            timeout_ms: How long to wait, in ms; `math.inf`: without limit.

        Returns:
            What was begun.

        Raises:
            UnknownService: There is no such service.
            HealingUnavailable: It has only a URL, so Azora cannot start it.
            TimedOut: It was not ready in time; it goes on starting.
            NotComing: It cannot become ready; the message has the reason.
        """
        return self._command("start", id, False, dependencies, wait, timeout_ms)

    def stop_service(
        self,
        id: str,
        *,
        dependents: bool = False,
        wait: bool = False,
        timeout_ms: float = _READY_MS,
    ) -> VerbAnswer:
        """Stop a service, or all instances of an entry. It stays stopped until it is started.

        Args:
            id: Id of the service or entry.
            dependents: Stop the services that need it, too, before it.
            wait: Return when its processes have ended, not when the stop is decided.
            timeout_ms: How long to wait, in ms; `math.inf`: without limit.

        Returns:
            What was begun; `affected` has the services that need it and go on.

        Raises:
            UnknownService: There is no such service.
            HealingUnavailable: It has only a URL, so Azora cannot stop it.
            TimedOut: It did not end in time.
        """
        return self._command("stop", id, dependents, False, wait, timeout_ms)

    def restart(
        self,
        id: str,
        *,
        dependents: bool = False,
        wait: bool = False,
        timeout_ms: float = _READY_MS,
    ) -> VerbAnswer:
        """Restart a service, or all instances of an entry. This costs no restart of its budget.

        Args:
            id: Id of the service or entry.
            dependents: Restart the services that need it, too.
            wait: Return when it is ready again, not when the restart is decided.
            timeout_ms: How long to wait, in ms; `math.inf`: without limit.

        Returns:
            What was begun; `affected` has the services that need it and go on.

        Raises:
            UnknownService: There is no such service.
            HealingUnavailable: It has only a URL, so Azora cannot restart it.
            TimedOut: It was not ready in time; it goes on starting.
            NotComing: It cannot become ready; the message has the reason.
        """
        return self._command("restart", id, dependents, False, wait, timeout_ms)

    def _command(
        self,
        verb: str,
        id: str,
        dependents: bool,
        dependencies: bool,
        wait: bool,
        timeout_ms: float,
    ) -> VerbAnswer:
        deadline = deadline_of(timeout_ms)  # first: a wrong one must change nothing
        with naming(id):
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
        self, id: str | Sequence[str] | None = None, *, timeout_ms: float = _READY_MS
    ) -> None:
        """Wait until a service, several or all of them are ready.

        A job, which has no endpoint, is ready too when it has ended with 0.

        Args:
            id: An id, or several. An entry stands for all its instances, a group for all its
                members. None: all services that their owners want up.
            timeout_ms: How long to wait for all of them together, in ms.

        Raises:
            TimedOut: They were not ready in time.
            NotComing: Waiting is in vain: one of them, or what it needs, is stopped, or failed or
                ended and is not started again in time.
            UnknownService: There is no such service.

        Example:
            >>> orch.wait_ready(["db", "orders"], timeout_ms=10_000)
        """
        deadline = deadline_of(timeout_ms)
        names = None if id is None else strings_of("id", id)
        members = wanted_up(self._core) if names is None else members_of(self._core, names)
        for member in members:
            try:
                self._wait(member, "ready", deadline)
            except UnknownService:
                if names is not None and member in names:
                    raise
                # One of all, or of a group, was unregistered meanwhile: the others are left.

    def wait_stopped(self, id: str | Sequence[str], *, timeout_ms: float = _READY_MS) -> None:
        """Wait until a service, or several, have no process.

        Args:
            id: Id of a service or entry, or several ids.
            timeout_ms: How long to wait for all of them together, in ms.

        Raises:
            TimedOut: They did not end in time.
            UnknownService: There is no such service.
        """
        deadline = deadline_of(timeout_ms)
        for name in strings_of("id", id):
            self._wait(name, "stopped", deadline)

    def _wait(self, id: str, goal: str, deadline: float) -> None:
        with naming(id):
            self._runtime.wait_for(id, goal, deadline)

    # Events.

    def events(
        self,
        *,
        since: int | None = None,
        type: EventFilter | type[Event] | None = None,
        service: str | None = None,
    ) -> EventStream:
        """Open a stream of events, for `for` and for `async for`.

        The stream ends when the orchestrator is closed. A reader that is too slow gets a `gap`
        event in place of those it lost.

        Args:
            since: Begin after this sequence number; 0: with the oldest event that is kept; None:
                now.
            type: Only events of this name or these names. None or `"*"`: all.
            service: Only events of this service, or of the instances of this entry.

        Raises:
            InvalidArgument: An argument is wrong.

        Example:
            >>> with orch.events(since=0, type="serviceHealthy") as stream:
            ...     for event in stream:
            ...         print(event.service_id)
            ...         if event.service_id == "orders":
            ...             break
            db
            orders
        """
        if since is not None:
            since = integer_of("since", since, 0, _MOST_SEQ)
        return self._runtime.stream(since, types_of(type), optional_string_of("service", service))

    @overload
    def on(
        self, type: type[E], handler: Callable[[E], object], *, service: str | None = None
    ) -> Subscription: ...
    @overload
    def on(
        self, type: type[E], handler: None = None, *, service: str | None = None
    ) -> Callable[[Callable[[E], object]], Subscription]: ...
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
        type: EventFilter | type[Event],
        handler: Handler | Callable[..., object] | None = None,
        *,
        service: str | None = None,
    ) -> Subscription | Callable[..., Subscription]:
        """Call a handler, sync or async, for each event from now on.

        Handlers run in order, each on its own: a slow one delays nothing else. A sync handler runs
        on a thread; an async one on the loop that runs now or, if none does, on a loop of the
        orchestrator. One that raises stays subscribed; its error is logged and emitted as
        `callbackFailed` (the error of a handler of `callbackFailed` is only logged).

        Args:
            type: Name of an event, several names, `"*"` for all events, or a class such as
                `ServiceRestartedEvent`, whose attributes type checkers then know.
            handler: Called with the event. None: use `on()` as a decorator.
            service: Only events of this service, or of the instances of this entry.

        Returns:
            The subscription, which has `unsubscribe()`; as a decorator, what makes it of a
            function.

        Raises:
            InvalidArgument: An argument is wrong.
            OrchestratorClosed: The orchestrator is closed.

        Example:
            >>> @orch.on("serviceFailed")
            ... def page(event):
            ...     print(event.service_id, event.reason)
            >>> page.unsubscribe()
        """
        if self.closed:
            raise OrchestratorClosed("the orchestrator is closed")
        types = types_of(type)
        optional_string_of("service", service)

        def subscribe(function: Handler) -> Subscription:
            if not callable(function):
                raise InvalidArgument(f"on: {function!r} is not a handler; give a callable")
            return self._runtime.subscribe(types, service, function)

        return subscribe if handler is None else subscribe(handler)

    def off(self, handler: Handler | Subscription) -> bool:
        """Remove a handler from all its events.

        Args:
            handler: The function, or what `on()` returned.

        Returns:
            False if it was not subscribed.
        """
        return self._runtime.unsubscribe(handler)

    def get_event_emitter(self) -> Self:
        """Return the object that has `on()` and `off()`: this one."""
        self._runtime.check_fork()
        return self

    def _repr_html_(self) -> str:
        return self.status()._repr_html_()

    def __repr__(self) -> str:
        if self._runtime.forked:
            return "<MasterOrchestrator of the parent process>"
        if self.closed:
            return "<MasterOrchestrator closed>"
        status = self.status()
        state = "running" if status.running else "stopped"
        healthy = f"{status.healthy_services} of {status.total_services} healthy"
        return f"<MasterOrchestrator {state}, {healthy}>"


_PICK = MasterOrchestrator.pick  # that of a derived class, or of a test, is left alone


def _keeper_path() -> str:
    own = Path(__file__).parent / "bin" / "azora-keeper"
    return os.environ.get("AZORA_KEEPER") or str(own)
