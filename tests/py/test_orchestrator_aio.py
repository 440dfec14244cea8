"""aio.py: the same names as coroutines; and sync calls inside a running loop."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable
from typing import Any

import pytest

from azora_orchestrator import (
    AsyncMasterOrchestrator,
    Event,
    MasterOrchestrator,
    ServiceConfig,
    TimedOut,
    UnknownService,
    _runtime,
)
from conftest import WebService

pytestmark = pytest.mark.native

Web = Callable[[], WebService]
PLAIN = {"on", "off", "events", "get_event_emitter", "lease"}


def public(cls: type) -> dict[str, Any]:
    return {
        name: value
        for name, value in inspect.getmembers(cls, inspect.isfunction)
        if not name.startswith("_")
    }


def test_every_method_has_its_coroutine_with_the_same_parameters() -> None:
    sync, other = public(MasterOrchestrator), public(AsyncMasterOrchestrator)
    assert set(sync) == set(other)
    for name, method in sync.items():
        ours, theirs = inspect.signature(method), inspect.signature(other[name])
        assert list(ours.parameters) == list(theirs.parameters), name
        defaults = [parameter.default for parameter in ours.parameters.values()]
        assert defaults == [parameter.default for parameter in theirs.parameters.values()], name
        assert inspect.iscoroutinefunction(other[name]) == (name not in PLAIN), name


def test_a_fleet_from_a_coroutine(web: Web) -> None:
    service = web()

    async def main() -> None:
        seen: asyncio.Queue[Event] = asyncio.Queue()
        async with AsyncMasterOrchestrator() as orch:
            orch.on("serviceHealthy", seen.put)
            await orch.register(ServiceConfig(id="a", type="core", endpoint=service.endpoint))
            await orch.wait_ready("a", timeout_ms=10_000)
            assert (await seen.get()).service_id == "a"
            assert (await orch.pick("core")).endpoint == service.endpoint
            assert (await orch.status()).healthy_services == 1
            assert [one.id for one in await orch.services()] == ["a"]
            assert (await orch.why("a")).service_id == "a"
            async with orch.lease("core") as lease:
                assert lease.service_id == "a"
            with pytest.raises(UnknownService):
                await orch.service("nobody")
            assert await orch.unregister("a")
            assert await orch.stop() == []
        assert orch.closed

    asyncio.run(asyncio.wait_for(main(), 30))


def test_waiting_does_not_hold_up_the_loop() -> None:
    async def main() -> int:
        turns = 0
        async with AsyncMasterOrchestrator() as orch:
            await orch.register(id="a", type="core", endpoint="http://127.0.0.1:9")
            waiting = asyncio.ensure_future(orch.wait_ready("a", timeout_ms=300))
            while not waiting.done():
                turns += 1
                await asyncio.sleep(0)
            with pytest.raises(TimedOut):
                await waiting
        return turns

    assert asyncio.run(asyncio.wait_for(main(), 30)) > 10


def test_a_cancelled_wait_ends_and_so_does_its_thread() -> None:
    async def main() -> None:
        async with AsyncMasterOrchestrator() as orch:
            await orch.register(id="a", type="core", endpoint="http://127.0.0.1:9")
            waiting = asyncio.create_task(orch.wait_ready("a", timeout_ms=3_600_000))
            await asyncio.sleep(0)  # its first step begins the thread
            threads = [one for one in threading.enumerate() if one.name == "azora-wait"]
            assert threads
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            for thread in threads:
                await asyncio.to_thread(thread.join, 20)
                assert not thread.is_alive()

    asyncio.run(asyncio.wait_for(main(), 60))


def test_sync_calls_work_inside_a_running_loop(web: Web) -> None:
    service = web()

    async def main() -> None:
        with MasterOrchestrator() as orch:
            orch.register(id="a", type="core", endpoint=service.endpoint)
            orch.wait_ready("a", timeout_ms=10_000)
            assert orch.pick("core").service_id == "a"

    asyncio.run(main())


def test_close_from_an_async_handler_does_not_wait_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_runtime, "_JOIN_SECONDS", 3600.0)  # who waits for it waits for ever

    async def main() -> None:
        orch = AsyncMasterOrchestrator()
        await orch.start()
        done = asyncio.Event()

        async def handler(event: Event) -> None:
            await orch.close()
            done.set()

        orch.on("serviceRegistered", handler)
        await orch.register(ServiceConfig(id="a", type="core", endpoint="http://127.0.0.1:9"))
        await asyncio.wait_for(done.wait(), 30)
        assert orch.closed

    asyncio.run(main())
