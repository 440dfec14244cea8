"""AsyncMasterOrchestrator: the same names as coroutines.

A call that can wait runs on its own thread, so the loop goes on; other calls answer at once.
`on()`, `off()` and `events()` only open something, so they are plain methods.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, ParamSpec, Self, TypeVar, Unpack, overload

from azora_orchestrator._handlers import Handler, Subscription
from azora_orchestrator.answers import VerbAnswer, Why
from azora_orchestrator.events import EventStream
from azora_orchestrator.fleet_status import FleetStatus
from azora_orchestrator.graph import Dependencies, Graph
from azora_orchestrator.lease import Lease
from azora_orchestrator.models import Pick, Service
from azora_orchestrator.orchestrator import MasterOrchestrator
from azora_orchestrator.service_config import ServiceConfig, ServiceFields
from azora_orchestrator.vocabulary import EventFilter, Strategy

__all__ = ["AsyncMasterOrchestrator"]

P = ParamSpec("P")
T = TypeVar("T")


async def _in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a call that can wait on a daemon thread: the interpreter's exit never waits for it."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def finish(result: T | None, error: BaseException | None) -> None:
        if future.done():
            return  # cancelled meanwhile
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    context = contextvars.copy_context()  # close() learns from it which handler waits

    def work() -> None:
        result: T | None = None
        failure: BaseException | None = None
        try:
            result = context.run(function, *args, **kwargs)
        except BaseException as error:
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop was closed: no task waits
            loop.call_soon_threadsafe(finish, result, failure)

    threading.Thread(target=work, name="azora-wait", daemon=True).start()
    return await future


class AsyncMasterOrchestrator:
    """A MasterOrchestrator for asyncio. `sync` is the one behind it."""

    def __init__(
        self,
        *,
        state_dir: str | os.PathLike[str] | None = None,
        runtime_dir: str | os.PathLike[str] | None = None,
        max_concurrent_starts: int | None = None,
        starts_per_second: int | None = None,
    ) -> None:
        self.sync = MasterOrchestrator(
            state_dir=state_dir,
            runtime_dir=runtime_dir,
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
        max_concurrent_starts: int | None = None,
        starts_per_second: int | None = None,
    ) -> Self:
        """See MasterOrchestrator.from_file."""
        made = cls.__new__(cls)
        made.sync = MasterOrchestrator.from_file(
            path,
            state_dir=state_dir,
            runtime_dir=runtime_dir,
            max_concurrent_starts=max_concurrent_starts,
            starts_per_second=starts_per_second,
        )
        return made

    async def start(self) -> None:
        """See MasterOrchestrator.start."""
        await _in_thread(self.sync.start)

    async def stop(self, *, timeout_ms: int = 60_000, leave: bool = False) -> list[str]:
        """See MasterOrchestrator.stop."""
        return await _in_thread(self.sync.stop, timeout_ms=timeout_ms, leave=leave)

    async def close(self, *, timeout_ms: int = 60_000) -> None:
        """See MasterOrchestrator.close."""
        await _in_thread(self.sync.close, timeout_ms=timeout_ms)

    @property
    def closed(self) -> bool:
        """True once it was closed."""
        return self.sync.closed

    @property
    def running(self) -> bool:
        """True between start() and stop()."""
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
        """See MasterOrchestrator.register."""
        return await _in_thread(self.sync.register, service, apply=apply, **fields)  # type: ignore[arg-type]

    async def register_many(
        self,
        services: Iterable[ServiceConfig | Mapping[str, Any]],
        *,
        apply: Literal["next-start", "restart"] = "next-start",
    ) -> int:
        """See MasterOrchestrator.register_many."""
        return await _in_thread(self.sync.register_many, services, apply=apply)

    async def unregister(self, id: str) -> bool:
        """See MasterOrchestrator.unregister."""
        return await _in_thread(self.sync.unregister, id)

    async def service(self, id: str) -> Service:
        """See MasterOrchestrator.service."""
        return self.sync.service(id)

    async def services(self, *, type: str | None = None, group: str | None = None) -> list[Service]:
        """See MasterOrchestrator.services."""
        return self.sync.services(type=type, group=group)

    async def status(self, *, detailed: bool = False) -> FleetStatus:
        """See MasterOrchestrator.status."""
        return self.sync.status(detailed=detailed)

    async def why(self, id: str) -> Why:
        """See MasterOrchestrator.why."""
        return await _in_thread(self.sync.why, id)

    async def dependencies(self, id: str) -> Dependencies:
        """See MasterOrchestrator.dependencies."""
        return await _in_thread(self.sync.dependencies, id)

    async def graph(self) -> Graph:
        """See MasterOrchestrator.graph."""
        return await _in_thread(self.sync.graph)

    async def logs(self, id: str, *, lines: int = 100, timestamps: bool = False) -> str:
        """See MasterOrchestrator.logs."""
        return await _in_thread(self.sync.logs, id, lines=lines, timestamps=timestamps)

    async def metrics(self) -> str:
        """See MasterOrchestrator.metrics."""
        return await _in_thread(self.sync.metrics)

    async def pick(
        self, pool: str, key: str | None = None, strategy: Strategy | None = None
    ) -> Pick:
        """See MasterOrchestrator.pick."""
        return self.sync.pick(pool, key, strategy)

    def lease(
        self, pool: str, *, key: str | None = None, strategy: Strategy | None = None
    ) -> Lease:
        """See MasterOrchestrator.lease."""
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
        """See MasterOrchestrator.configure_pool."""
        await _in_thread(
            self.sync.configure_pool,
            pool,
            strategy=strategy,
            allow_degraded=allow_degraded,
            panic_threshold=panic_threshold,
            lease_ttl_ms=lease_ttl_ms,
        )

    async def start_service(
        self, id: str, *, dependencies: bool = False, wait: bool = False, timeout_ms: int = 30_000
    ) -> VerbAnswer:
        """See MasterOrchestrator.start_service."""
        return await _in_thread(
            self.sync.start_service,
            id,
            dependencies=dependencies,
            wait=wait,
            timeout_ms=timeout_ms,
        )

    async def stop_service(
        self, id: str, *, dependents: bool = False, wait: bool = False, timeout_ms: int = 30_000
    ) -> VerbAnswer:
        """See MasterOrchestrator.stop_service."""
        return await _in_thread(
            self.sync.stop_service, id, dependents=dependents, wait=wait, timeout_ms=timeout_ms
        )

    async def restart(
        self, id: str, *, dependents: bool = False, wait: bool = False, timeout_ms: int = 30_000
    ) -> VerbAnswer:
        """See MasterOrchestrator.restart."""
        return await _in_thread(
            self.sync.restart, id, dependents=dependents, wait=wait, timeout_ms=timeout_ms
        )

    async def wait_ready(
        self, id: str | Sequence[str] | None = None, *, timeout_ms: int = 30_000
    ) -> None:
        """See MasterOrchestrator.wait_ready."""
        await _in_thread(self.sync.wait_ready, id, timeout_ms=timeout_ms)

    async def wait_stopped(self, id: str | Sequence[str], *, timeout_ms: int = 30_000) -> None:
        """See MasterOrchestrator.wait_stopped."""
        await _in_thread(self.sync.wait_stopped, id, timeout_ms=timeout_ms)

    def events(
        self,
        *,
        since: int | None = None,
        type: EventFilter | None = None,
        service: str | None = None,
    ) -> EventStream:
        """See MasterOrchestrator.events."""
        return self.sync.events(since=since, type=type, service=service)

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
        """See MasterOrchestrator.on."""
        if handler is None:
            return self.sync.on(type, service=service)
        return self.sync.on(type, handler, service=service)

    def off(self, handler: Handler | Subscription) -> bool:
        """See MasterOrchestrator.off."""
        return self.sync.off(handler)

    def get_event_emitter(self) -> Self:
        """See MasterOrchestrator.get_event_emitter."""
        return self

    def __repr__(self) -> str:
        return repr(self.sync).replace("MasterOrchestrator", "AsyncMasterOrchestrator", 1)
