"""_callables.py: one rule for where handlers and restart callables run, and what ends them."""

from __future__ import annotations

import asyncio
import functools
import queue
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from azora_orchestrator import AsyncMasterOrchestrator, Event, MasterOrchestrator, ServiceConfig
from azora_orchestrator._callables import LoopEnded, UserCallable
from azora_orchestrator._loop_thread import LoopThread
from azora_orchestrator.errors import OrchestratorClosed
from conftest import WebService

pytestmark = pytest.mark.native

WAIT = 20.0
Work = Callable[[object], Awaitable[None]]
Web = Callable[[], WebService]


def service(id: str = "a", **fields: Any) -> dict[str, Any]:
    return {"id": id, "type": "core", "endpoint": "http://127.0.0.1:9"} | fields


def broken(web: WebService, **fields: Any) -> ServiceConfig:
    web.code = 500
    return ServiceConfig(
        id="a",
        type="core",
        endpoint=web.endpoint,
        health_check_interval_ms=200,
        restart_delay_ms=0,
        health_check={"unhealthyThreshold": 1, "restartThreshold": 1, "healthyThreshold": 1},
        **fields,
    )


class WithAsyncCall:
    def __init__(self, work: Work) -> None:
        self.work = work

    async def __call__(self, given: object) -> None:
        await self.work(given)

    async def method(self, given: object) -> None:
        await self.work(given)


class Awaited:
    def __init__(self, work: Awaitable[None]) -> None:
        self.work = work

    def __await__(self) -> Any:
        return self.work.__await__()


def wrapped(work: Work) -> Callable[[object], object]:
    @functools.wraps(work)
    def wrapper(given: object) -> object:
        return work(given)

    return wrapper


async def of_two(work: Work, given: object) -> None:
    await work(given)


KINDS: dict[str, Callable[[Work], Any]] = {
    "coroutine function": lambda work: work,
    "lambda": lambda work: lambda given: work(given),
    "partial": lambda work: functools.partial(of_two, work),
    "object": WithAsyncCall,
    "partial of an object": lambda work: functools.partial(WithAsyncCall(work)),
    "method": lambda work: WithAsyncCall(work).method,
    "wrapper": wrapped,
    "lambda that returns an awaitable object": lambda work: lambda given: Awaited(work(given)),
}


@pytest.fixture(params=[MasterOrchestrator, AsyncMasterOrchestrator])
def make(request: pytest.FixtureRequest) -> Any:
    return request.param


async def result(value: Any) -> Any:
    return await value if asyncio.iscoroutine(value) else value


@pytest.mark.parametrize("kind", KINDS)
def test_a_handler_runs_on_the_loop_of_on(make: Any, kind: str) -> None:
    async def main() -> None:
        orch = make()
        seen: asyncio.Queue[asyncio.AbstractEventLoop] = asyncio.Queue()

        async def work(event: object) -> None:
            await asyncio.sleep(0)
            seen.put_nowait(asyncio.get_running_loop())

        orch.on("serviceRegistered", KINDS[kind](work))
        await result(orch.start())
        await result(orch.register(service()))
        assert await asyncio.wait_for(seen.get(), WAIT) is asyncio.get_running_loop()
        await asyncio.to_thread(orch.close) if make is MasterOrchestrator else await orch.close()

    asyncio.run(main())


@pytest.mark.parametrize("kind", KINDS)
def test_a_restart_callable_runs_on_the_loop_of_register(make: Any, kind: str, web: Web) -> None:
    async def main() -> None:
        orch = make()
        seen: asyncio.Queue[asyncio.AbstractEventLoop] = asyncio.Queue()

        async def work(request: object) -> None:
            await asyncio.sleep(0)
            seen.put_nowait(asyncio.get_running_loop())

        await result(orch.start())
        await result(orch.register(broken(web(), restart=KINDS[kind](work))))
        assert await asyncio.wait_for(seen.get(), WAIT) is asyncio.get_running_loop()
        await asyncio.to_thread(orch.close) if make is MasterOrchestrator else await orch.close()

    asyncio.run(main())


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_loop_coroutines_share_one_of_ours(
    orch: MasterOrchestrator, kind: str, web: Web
) -> None:
    seen: queue.Queue[tuple[str, asyncio.AbstractEventLoop]] = queue.Queue()

    async def handle(event: object) -> None:
        seen.put((threading.current_thread().name, asyncio.get_running_loop()))

    orch.on("serviceRegistered", KINDS[kind](handle))
    orch.register(broken(web(), restart=KINDS[kind](handle)))
    first, second = seen.get(timeout=WAIT), seen.get(timeout=WAIT)
    assert first == second
    assert first[0] == "azora-loop"


def test_stacked_decorators_are_handlers_of_the_same_loop(orch: MasterOrchestrator) -> None:
    async def main() -> None:
        seen: asyncio.Queue[tuple[str, bool]] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        @orch.on("serviceUnregistered")
        @orch.on("serviceRegistered")
        async def handler(event: Event) -> None:
            seen.put_nowait((event.type, asyncio.get_running_loop() is loop))

        orch.register(service())
        assert await asyncio.wait_for(seen.get(), WAIT) == ("serviceRegistered", True)
        orch.unregister("a")
        assert await asyncio.wait_for(seen.get(), WAIT) == ("serviceUnregistered", True)
        inner = handler._inner
        assert inner is not None
        handler.unsubscribe()
        assert (handler.active, inner.active) == (False, False)

    asyncio.run(main())


def test_off_takes_a_stacked_handler_by_its_name(orch: MasterOrchestrator) -> None:
    @orch.on("serviceUnregistered")
    @orch.on("serviceRegistered")
    def handler(event: Event) -> None: ...

    other = orch.on("gap", handler)
    assert orch.off(handler)
    assert not handler.active
    assert other.active
    assert orch.off(handler.__wrapped__)  # type: ignore[attr-defined]
    assert not other.active


def cancelled_inside() -> Work:
    async def handler(given: object) -> None:
        task = asyncio.create_task(asyncio.sleep(60))
        task.cancel()
        await task

    return handler


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("with_loop", [True, False])
def test_a_handler_that_awaits_something_cancelled_fails_and_stays(
    orch: MasterOrchestrator, kind: str, with_loop: bool
) -> None:
    handler = KINDS[kind](cancelled_inside())

    async def reasons_of(subscription: Any) -> list[str]:
        async with orch.events(type="callbackFailed") as failures:
            orch.register_many([service("a"), service("b")])
            events = [await asyncio.wait_for(anext(failures), WAIT) for _ in range(2)]
        assert subscription.active
        return [str(event.reason) for event in events]

    async def main() -> list[str]:
        return await reasons_of(orch.on("serviceRegistered", handler))

    if with_loop:
        reasons = asyncio.run(main())
    else:
        reasons = asyncio.run(reasons_of(orch.on("serviceRegistered", handler)))
    assert [reason.rpartition(": ")[2] for reason in reasons] == ["CancelledError"] * 2


def test_a_restart_callable_that_awaits_something_cancelled_fails_its_attempt(
    orch: MasterOrchestrator, web: Web
) -> None:
    with orch.events(type="serviceFailed") as stream:
        orch.register(broken(web(), restart=cancelled_inside(), max_restarts=1))
        event = stream.next(timeout_ms=20_000)
    assert event is not None
    assert "CancelledError" in str(event.reason)


def test_a_handler_that_a_timeout_cancelled_stays(orch: MasterOrchestrator) -> None:
    async def main() -> None:
        seen: asyncio.Queue[str | None] = asyncio.Queue()

        async def handler(event: Event) -> None:
            async with asyncio.timeout(None) as limit:
                limit.reschedule(asyncio.get_running_loop().time())
                try:
                    await asyncio.sleep(60)
                finally:
                    seen.put_nowait(event.service_id)

        subscription = orch.on("serviceRegistered", handler)
        async with orch.events(type="callbackFailed") as failures:
            orch.register_many([service("a"), service("b")])
            assert [await asyncio.wait_for(seen.get(), WAIT) for _ in range(2)] == ["a", "b"]
            assert "TimeoutError" in str((await asyncio.wait_for(anext(failures), WAIT)).reason)
        assert subscription.active

    asyncio.run(main())


@pytest.mark.parametrize("kind", ["coroutine function", "lambda", "wrapper"])
def test_a_handler_whose_loop_is_closed_is_removed_and_reported_once(
    orch: MasterOrchestrator, kind: str
) -> None:
    async def work(given: object) -> None:
        await asyncio.sleep(0)

    async def subscribe() -> Any:
        return orch.on("serviceRegistered", KINDS[kind](work))

    with orch.events(type="callbackFailed") as failures:
        subscription = asyncio.run(subscribe())
        orch.register(service("a"))
        event = failures.next(timeout_ms=20_000)
        assert event is not None
        assert "removed, because its event loop" in str(event.reason)
        assert not subscription.active
        orch.register(service("b"))
        with orch.events(type="serviceRegistered", since=0) as both:
            assert [next(both).service_id for _ in range(2)] == ["a", "b"]
        assert failures.next(timeout_ms=0) is None


def test_a_restart_callable_whose_loop_is_closed_fails_its_attempt(
    orch: MasterOrchestrator, web: Web
) -> None:
    async def restart() -> None:
        raise AssertionError("this loop has ended")

    async def register() -> None:
        orch.register(broken(web(), restart=restart, max_restarts=1))

    with orch.events(type="serviceFailed") as stream:
        loop = asyncio.new_event_loop()
        loop.run_until_complete(register())
        loop.close()
        event = stream.next(timeout_ms=20_000)
    assert event is not None
    assert "its event loop is closed" in str(event.reason)


def test_a_wait_for_a_loop_ends_when_the_loop_is_closed_meanwhile() -> None:
    loop = asyncio.new_event_loop()
    made: list[UserCallable] = []

    async def work() -> None:
        raise AssertionError("the loop never runs it")

    async def give() -> None:
        made.append(UserCallable(work, LoopThread()))

    loop.run_until_complete(give())
    failed: queue.Queue[BaseException] = queue.Queue()

    def wait() -> None:
        try:
            made[0].wait_for(work())
        except BaseException as error:
            failed.put(error)

    thread = threading.Thread(target=wait)
    thread.start()
    loop.close()
    assert isinstance(failed.get(timeout=WAIT), LoopEnded)
    thread.join(WAIT)


def test_our_loop_is_not_made_again_after_its_end() -> None:
    loops = LoopThread()

    async def work() -> None: ...

    function = UserCallable(work, loops)
    function.wait_for(work())
    loops.close(WAIT)
    left = set(threading.enumerate())
    with pytest.raises(OrchestratorClosed):
        function.wait_for(work())
    assert set(threading.enumerate()) <= left
    assert "azora-loop" not in {thread.name for thread in left}


def test_close_on_the_loop_does_not_wait_for_a_handler_that_needs_the_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of a plain function, too, that returned something to be awaited there."""
    monkeypatch.setattr("azora_orchestrator._runtime._JOIN_SECONDS", 3600.0)

    async def main() -> None:
        orch = MasterOrchestrator()
        orch.start()
        began = asyncio.Event()

        async def work(event: Event) -> None:
            began.set()
            await asyncio.Event().wait()

        orch.on("serviceRegistered", lambda event: work(event))
        orch.register(service())
        await asyncio.wait_for(began.wait(), WAIT)
        orch.close()
        assert orch.closed

    asyncio.run(main())


def test_close_from_a_lambdas_coroutine_does_not_wait_for_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("azora_orchestrator._runtime._JOIN_SECONDS", 3600.0)

    async def main() -> None:
        orch = AsyncMasterOrchestrator()
        await orch.start()
        done = asyncio.Event()

        async def work(event: Event) -> None:
            await orch.close()
            done.set()

        orch.on("serviceRegistered", lambda event: work(event))
        await orch.register(service())
        await asyncio.wait_for(done.wait(), WAIT)

    asyncio.run(main())
