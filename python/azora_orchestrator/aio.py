"""AsyncMasterOrchestrator: the same names as coroutines.

A call that can wait runs on its own thread, so the loop goes on; other calls answer at once.
`on()`, `off()` and `events()` only open something, so they are plain methods.
"""

from __future__ import annotations

import asyncio
import inspect
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Literal, ParamSpec, Self, TypeVar, Unpack, overload

from azora_orchestrator._callables import given_on_this_loop
from azora_orchestrator._calls import call_on_thread
from azora_orchestrator._subscriptions import Handler, Subscription
from azora_orchestrator.answers import VerbAnswer, Why
from azora_orchestrator.events import Event, EventStream
from azora_orchestrator.fleet_status import FleetStatus
from azora_orchestrator.graph import Dependencies, Graph
from azora_orchestrator.history import History, Moment
from azora_orchestrator.lease import Lease
from azora_orchestrator.models import Pick, Service
from azora_orchestrator.orchestrator import MasterOrchestrator
from azora_orchestrator.reload import ReloadPlan
from azora_orchestrator.rolling import RollingRestart
from azora_orchestrator.service_config import ServiceConfig, ServiceFields
from azora_orchestrator.vocabulary import DrainThen, EventFilter, Strategy

__all__ = ["AsyncMasterOrchestrator"]

P = ParamSpec("P")
T = TypeVar("T")
E = TypeVar("E", bound=Event)


async def _in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a call that can wait on a thread. Callables that it is given belong to this loop."""
    with given_on_this_loop():
        future = call_on_thread(function, *args, **kwargs)
    return await asyncio.wrap_future(future)


class AsyncMasterOrchestrator:
    """A `MasterOrchestrator` for asyncio: the same names as coroutines.

    A call that can wait runs on a thread of its own, so the loop goes on. `on()`, `off()`,
    `events()` and `lease()` never wait and are plain methods. Used by `async with` it starts on
    entry and is closed on exit.

    Args:
        state_dir: As for `MasterOrchestrator`.
        runtime_dir: As for `MasterOrchestrator`.
        history_max_age_ms: As for `MasterOrchestrator`.
        history_max_bytes: As for `MasterOrchestrator`.
        max_concurrent_starts: As for `MasterOrchestrator`.
        starts_per_second: As for `MasterOrchestrator`.

    Attributes:
        sync: The `MasterOrchestrator` behind it. Its calls are allowed on the loop, too.

    Example:
        >>> async def main():
        ...     async with AsyncMasterOrchestrator() as orch:
        ...         await orch.register(id="web", type="core", endpoint="http://127.0.0.1:7001")
        ...         async for event in orch.events(since=0, type="serviceRegistered"):
        ...             return event.service_id
        >>> asyncio.run(main())
        'web'
    """

    sync: MasterOrchestrator

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
        self.sync = MasterOrchestrator(
            state_dir=state_dir,
            runtime_dir=runtime_dir,
            history_max_age_ms=history_max_age_ms,
            history_max_bytes=history_max_bytes,
            max_concurrent_starts=max_concurrent_starts,
            starts_per_second=starts_per_second,
        )

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
        """Make an orchestrator with the services and pools of a configuration file."""
        made = cls.__new__(cls)
        made.sync = MasterOrchestrator.from_file(
            path,
            state_dir=state_dir,
            runtime_dir=runtime_dir,
            history_max_age_ms=history_max_age_ms,
            history_max_bytes=history_max_bytes,
            max_concurrent_starts=max_concurrent_starts,
            starts_per_second=starts_per_second,
        )
        return made

    async def start(self) -> None:
        """Start the checks, and the services that their owners want up."""
        await _in_thread(self.sync.start)

    async def stop(self, *, timeout_ms: float = 60_000, leave: bool = False) -> list[str]:
        """Stop the checks and the process services, in reverse order of dependency."""
        return await _in_thread(self.sync.stop, timeout_ms=timeout_ms, leave=leave)

    async def close(self, *, timeout_ms: float = 60_000) -> None:
        """Stop the services, then end every thread and process of the orchestrator, for good."""
        await _in_thread(self.sync.close, timeout_ms=timeout_ms)

    @property
    def closed(self) -> bool:
        """Whether `close()` was called."""
        return self.sync.closed

    @property
    def running(self) -> bool:
        """Whether it is started: True between `start()` and `stop()`."""
        return self.sync.running

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    @overload
    async def register(
        self,
        service: ServiceConfig | Mapping[str, Any],
        /,
        *,
        apply: Literal["next-start", "restart"] = "next-start",
    ) -> int: ...
    @overload
    async def register(
        self,
        *,
        apply: Literal["next-start", "restart"] = "next-start",
        **fields: Unpack[ServiceFields],
    ) -> int: ...
    async def register(  # type: ignore[misc]  # mypy does not see that **Any takes the keywords
        self,
        service: ServiceConfig | Mapping[str, Any] | None = None,
        /,
        *,
        apply: Literal["next-start", "restart"] = "next-start",
        **fields: Any,
    ) -> int:
        """Register a service, or replace the one with the same id."""
        return await _in_thread(self.sync.register, service, apply=apply, **fields)  # type: ignore[arg-type]

    async def register_many(
        self,
        services: Iterable[ServiceConfig | Mapping[str, Any]],
        *,
        apply: Literal["next-start", "restart"] = "next-start",
    ) -> int:
        """Register several services at once: all of them or, when one is wrong, none."""
        return await _in_thread(self.sync.register_many, services, apply=apply)

    async def reload(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        plan: bool = False,
        restart_changed: bool = False,
    ) -> ReloadPlan:
        """Read a configuration file again, and change what differs."""
        return await _in_thread(self.sync.reload, path, plan=plan, restart_changed=restart_changed)

    async def unregister(self, id: str) -> bool:
        """Forget a service, or all instances of an entry."""
        return await _in_thread(self.sync.unregister, id)

    async def service(self, id: str) -> Service:
        """Return one service as it is now, or an entry with replicas as one service."""
        return self.sync.service(id)

    async def services(self, *, type: str | None = None, group: str | None = None) -> list[Service]:
        """Return all services in order of registration, or those of a type or a group."""
        return self.sync.services(type=type, group=group)

    async def status(self, *, detailed: bool = False) -> FleetStatus:
        """Return the fleet in numbers, and its services."""
        return self.sync.status(detailed=detailed)

    async def why(self, id: str) -> Why:
        """Return why a service is as it is, and what would change it."""
        return await _in_thread(self.sync.why, id)

    async def dependencies(self, id: str) -> Dependencies:
        """Return what a service needs and which services need it."""
        return await _in_thread(self.sync.dependencies, id)

    async def graph(self) -> Graph:
        """Return the dependencies of all services, and the order in which they start."""
        return await _in_thread(self.sync.graph)

    async def logs(self, id: str, *, lines: int = 100, timestamps: bool = False) -> str:
        """Return the last lines that a service wrote; of an entry, those of each instance."""
        return await _in_thread(self.sync.logs, id, lines=lines, timestamps=timestamps)

    async def history(
        self,
        since: Moment | None = None,
        until: Moment | None = None,
        type: EventFilter | type[Event] | None = None,
        service: str | None = None,
    ) -> History:
        """Return past events, oldest first."""
        return await _in_thread(self.sync.history, since, until, type, service)

    async def metrics(self) -> str:
        """Return the figures of the orchestrator itself, in the text format of Prometheus."""
        return await _in_thread(self.sync.metrics)

    async def pick(
        self, pool: str, key: str | None = None, strategy: Strategy | None = None
    ) -> Pick:
        """Choose an instance of a pool; never waits."""
        return self.sync.pick(pool, key, strategy)

    def lease(
        self, pool: str, *, key: str | None = None, strategy: Strategy | None = None
    ) -> Lease:
        """Choose an instance of a pool and count it as load until the lease ends."""
        return self.sync.lease(pool, key=key, strategy=strategy)

    async def configure_pool(
        self,
        pool: str,
        *,
        strategy: Strategy | None = None,
        allow_degraded: bool | None = None,
        panic_threshold: float | None = None,
        lease_ttl_ms: int | None = None,
    ) -> None:
        """Change how instances of a pool are chosen. An option that is None stays as it is."""
        await _in_thread(
            self.sync.configure_pool,
            pool,
            strategy=strategy,
            allow_degraded=allow_degraded,
            panic_threshold=panic_threshold,
            lease_ttl_ms=lease_ttl_ms,
        )

    async def start_service(
        self, id: str, *, dependencies: bool = False, wait: bool = False, timeout_ms: float = 30_000
    ) -> VerbAnswer:
        """Start a service, or all instances of an entry. A running one goes on."""
        return await _in_thread(
            self.sync.start_service,
            id,
            dependencies=dependencies,
            wait=wait,
            timeout_ms=timeout_ms,
        )

    async def stop_service(
        self, id: str, *, dependents: bool = False, wait: bool = False, timeout_ms: float = 30_000
    ) -> VerbAnswer:
        """Stop a service, or all instances of an entry. It stays stopped until it is started."""
        return await _in_thread(
            self.sync.stop_service, id, dependents=dependents, wait=wait, timeout_ms=timeout_ms
        )

    async def restart(
        self, id: str, *, dependents: bool = False, wait: bool = False, timeout_ms: float = 30_000
    ) -> VerbAnswer:
        """Restart a service, or all instances of an entry. This costs no restart of its budget."""
        return await _in_thread(
            self.sync.restart, id, dependents=dependents, wait=wait, timeout_ms=timeout_ms
        )

    async def rolling_restart(
        self,
        name: str,
        *,
        max_unavailable: int = 1,
        min_ready_ms: float = 10_000,
        timeout_ms: float = 60_000,
    ) -> RollingRestart:
        """Restart the members of a pool one after the other, each ready before the next one."""
        return await _in_thread(
            self.sync.rolling_restart,
            name,
            max_unavailable=max_unavailable,
            min_ready_ms=min_ready_ms,
            timeout_ms=timeout_ms,
        )

    async def drain(
        self,
        id: str,
        *,
        timeout_ms: int = 30_000,
        then: DrainThen = "keep",
        wait: bool = False,
    ) -> VerbAnswer:
        """Take a service, or all instances of an entry, out of rotation and wait for its leases."""
        return await _in_thread(self.sync.drain, id, timeout_ms=timeout_ms, then=then, wait=wait)

    async def undrain(self, id: str) -> VerbAnswer:
        """End a drain: the service is back in rotation as far as its checks allow."""
        return await _in_thread(self.sync.undrain, id)

    async def maintenance(
        self, id: str, *, reason: str, until: datetime | str | None = None
    ) -> VerbAnswer:
        """Keep Azora's hands off a service: it is checked, but neither picked nor restarted."""
        return await _in_thread(self.sync.maintenance, id, reason=reason, until=until)

    async def end_maintenance(self, id: str) -> VerbAnswer:
        """End a maintenance: what is wanted up and does not run is started."""
        return await _in_thread(self.sync.end_maintenance, id)

    async def wait_ready(
        self, id: str | Sequence[str] | None = None, *, timeout_ms: float = 30_000
    ) -> None:
        """Wait until a service, several or all of them are ready."""
        await _in_thread(self.sync.wait_ready, id, timeout_ms=timeout_ms)

    async def wait_stopped(self, id: str | Sequence[str], *, timeout_ms: float = 30_000) -> None:
        """Wait until a service, or several, have no process."""
        await _in_thread(self.sync.wait_stopped, id, timeout_ms=timeout_ms)

    def events(
        self,
        *,
        since: int | None = None,
        type: EventFilter | type[Event] | None = None,
        service: str | None = None,
    ) -> EventStream:
        """Open a stream of events, for `for` and for `async for`."""
        return self.sync.events(since=since, type=type, service=service)

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
        """Call a handler, sync or async, for each event from now on."""
        if handler is None:
            return self.sync.on(type, service=service)
        return self.sync.on(type, handler, service=service)

    def off(self, handler: Handler | Subscription) -> bool:
        """Remove a handler from all its events."""
        return self.sync.off(handler)

    def get_event_emitter(self) -> Self:
        """Return the object that has `on()` and `off()`: this one."""
        return self

    def __repr__(self) -> str:
        return repr(self.sync).replace("MasterOrchestrator", "AsyncMasterOrchestrator", 1)


def _document() -> None:
    """Give the coroutines the whole documentation; above is only its first line."""
    for name, method in vars(AsyncMasterOrchestrator).items():
        original = getattr(MasterOrchestrator, name, None)
        function = method.__func__ if isinstance(method, classmethod) else method
        if not name.startswith("_") and inspect.isfunction(function) and original is not None:
            function.__doc__ = original.__doc__


_document()
