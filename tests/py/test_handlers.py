"""Handlers of events: order, failures, the end; where they run is in test_callables.py."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any

import pytest

from azora_orchestrator import Event, InvalidArgument, MasterOrchestrator

pytestmark = pytest.mark.native

WAIT = 10.0


def url_service(id: str, endpoint: str = "http://127.0.0.1:9", **fields: Any) -> dict[str, Any]:
    return {"id": id, "type": "core", "endpoint": endpoint, "healthCheckInterval": 60_000} | fields


def registered(orch: MasterOrchestrator, *ids: str) -> None:
    orch.register_many([url_service(id) for id in ids])


def test_a_sync_handler_runs_off_the_callers_thread_in_order(orch: MasterOrchestrator) -> None:
    seen: queue.Queue[tuple[str | None, int]] = queue.Queue()
    orch.on("serviceRegistered", lambda event: seen.put((event.service_id, threading.get_ident())))
    registered(orch, "a", "b", "c")
    got = [seen.get(timeout=WAIT) for _ in range(3)]
    assert [id for id, _ in got] == ["a", "b", "c"]
    assert {thread for _, thread in got}.isdisjoint({threading.get_ident()})


def test_on_is_a_decorator_and_the_function_stays_callable(orch: MasterOrchestrator) -> None:
    seen: queue.Queue[str | None] = queue.Queue()

    @orch.on(["serviceRegistered", "serviceUnregistered"])
    def told(event: Event) -> str:
        """Say it."""
        seen.put(event.type)
        return "called"

    registered(orch, "a")
    orch.unregister("a")
    assert [seen.get(timeout=WAIT) for _ in range(2)] == [
        "serviceRegistered",
        "serviceUnregistered",
    ]
    assert told.__doc__ == "Say it."
    with orch.events(since=0) as stream:
        assert told(next(stream)) == "called"
    told.unsubscribe()
    assert not told.active


def test_a_handler_that_unsubscribes_in_a_burst_hears_nothing_more(
    orch: MasterOrchestrator,
) -> None:
    seen: list[str | None] = []
    done = threading.Event()

    def once(event: Event) -> None:
        seen.append(event.service_id)
        subscription.unsubscribe()

    subscription = orch.on("serviceRegistered", once)
    orch.on("serviceUnregistered", lambda _event: done.set())
    registered(orch, *[f"s{index}" for index in range(300)])
    assert subscription._join(WAIT)
    orch.unregister("s0")
    assert done.wait(WAIT)
    assert seen == ["s0"]


def test_an_unsubscribed_handler_hears_nothing_more(orch: MasterOrchestrator) -> None:
    seen: queue.Queue[str | None] = queue.Queue()

    def handler(event: Event) -> None:
        seen.put(event.service_id)

    orch.on("serviceRegistered", handler)
    registered(orch, "a")
    assert seen.get(timeout=WAIT) == "a"
    assert orch.off(handler)
    assert not orch.off(handler)
    last: queue.Queue[str | None] = queue.Queue()
    orch.on("serviceRegistered", lambda event: last.put(event.service_id))
    registered(orch, "b")
    assert last.get(timeout=WAIT) == "b"
    assert seen.empty()


def test_a_handler_that_raises_or_blocks_disturbs_nobody(orch: MasterOrchestrator) -> None:
    release = threading.Event()
    seen: queue.Queue[str | None] = queue.Queue()
    failures: queue.Queue[str | None] = queue.Queue()

    def broken(event: Event) -> None:
        raise RuntimeError("on purpose")

    orch.on("serviceRegistered", broken)
    orch.on("serviceRegistered", lambda event: release.wait(WAIT))
    orch.on("serviceRegistered", lambda event: seen.put(event.service_id))
    orch.on("callbackFailed", lambda event: failures.put(event.reason))
    registered(orch, "a", "b")
    assert [seen.get(timeout=WAIT) for _ in range(2)] == ["a", "b"]
    reasons = [failures.get(timeout=WAIT) for _ in range(2)]
    assert all(reason and "on purpose" in reason and "broken" in reason for reason in reasons)
    release.set()


def test_a_handler_may_use_the_orchestrator(orch: MasterOrchestrator) -> None:
    done: queue.Queue[int] = queue.Queue()

    def handler(event: Event) -> None:
        if event.service_id == "a":
            registered(orch, "b")
        done.put(len(orch.services()))

    orch.on("serviceRegistered", handler)
    registered(orch, "a")
    assert done.get(timeout=WAIT) == 2
    assert done.get(timeout=WAIT) == 2


def test_an_async_handler_runs_on_the_loop_of_on_one_at_a_time(orch: MasterOrchestrator) -> None:
    async def main() -> tuple[list[str | None], set[asyncio.AbstractEventLoop], int]:
        seen: list[str | None] = []
        loops: set[asyncio.AbstractEventLoop] = set()
        inside = most = 0
        complete = asyncio.Event()

        async def handler(event: Event) -> None:
            nonlocal inside, most
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            loops.add(asyncio.get_running_loop())
            seen.append(event.service_id)
            inside -= 1
            if len(seen) == 3:
                complete.set()

        subscription = orch.on("serviceRegistered", handler)
        registered(orch, "a", "b", "c")
        await asyncio.wait_for(complete.wait(), WAIT)
        subscription.unsubscribe()
        assert loops == {asyncio.get_running_loop()}
        return seen, loops, most

    seen, _, most = asyncio.run(main())
    assert (seen, most) == (["a", "b", "c"], 1)


def test_an_async_handler_without_a_loop_gets_one(orch: MasterOrchestrator) -> None:
    seen: queue.Queue[str | None] = queue.Queue()

    async def handler(event: Event) -> None:
        await asyncio.sleep(0)
        seen.put(event.service_id)

    orch.on("serviceRegistered", handler)
    registered(orch, "a")
    assert seen.get(timeout=WAIT) == "a"


def test_a_handler_whose_loop_has_ended_is_removed_and_told(orch: MasterOrchestrator) -> None:
    async def handler(event: Event) -> None:
        await asyncio.sleep(0)

    async def subscribe() -> Any:
        subscription = orch.on("serviceRegistered", handler)
        await asyncio.sleep(0)
        return subscription

    with orch.events(type="callbackFailed") as failures:
        subscription = asyncio.run(subscribe())
        event = failures.next(timeout_ms=10_000)
    assert event is not None
    assert "loop" in str(event.reason)
    assert not subscription.active


def test_a_handler_whose_loop_was_closed_hard_is_removed_and_told(
    orch: MasterOrchestrator,
) -> None:
    """The loop is stopped and closed without ending what runs on it: nothing there can tell."""

    async def handler(event: Event) -> None:
        await asyncio.sleep(0)

    async def subscribe() -> Any:
        return orch.on("serviceRegistered", handler)

    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)  # of the task that is left
    subscription = loop.run_until_complete(subscribe())
    registered(orch, "a")  # the loop stands still, but might go on
    assert subscription.active
    loop.close()
    with orch.events(type="callbackFailed", since=0) as failures:
        registered(orch, "b")
        event = failures.next(timeout_ms=10_000)
    assert event is not None
    assert "handler: removed, because its event loop was closed" in str(event.reason)
    assert not subscription.active
    assert not orch.off(handler)


def test_a_handler_that_exits_fails_like_any_other_and_goes_on(orch: MasterOrchestrator) -> None:
    def leave(event: Event) -> None:
        raise SystemExit(3)

    async def leave_too(event: Event) -> None:
        raise SystemExit(4)

    with orch.events(type="callbackFailed") as failures:
        kept = [orch.on("serviceRegistered", handler) for handler in (leave, leave_too)]
        registered(orch, "a", "b")
        reasons = [str(failures.next(timeout_ms=10_000).reason) for _ in range(4)]  # type: ignore[union-attr]
    assert sum("SystemExit: 3" in reason for reason in reasons) == 2
    assert sum("SystemExit: 4" in reason for reason in reasons) == 2
    assert all(subscription.active for subscription in kept)


def test_a_handler_of_failures_that_fails_causes_no_further_one(orch: MasterOrchestrator) -> None:
    told: queue.Queue[str | None] = queue.Queue()

    def broken(event: Event) -> None:
        told.put(event.type)
        raise RuntimeError("on purpose")

    orch.on(["serviceRegistered", "serviceUnregistered", "callbackFailed"], broken)
    registered(orch, "a")
    orch.unregister("a")
    seen = [told.get(timeout=WAIT) for _ in range(4)]
    assert seen.count("callbackFailed") == 2  # one for each of ours, none for its own
    registered(orch, "last")
    with orch.events(since=0, type=["callbackFailed", "serviceRegistered"]) as stream:
        types = []
        for event in stream:
            types.append(event.type)
            if event.service_id == "last":
                break
    assert types.count("callbackFailed") == 2


def test_what_is_no_handler_is_refused(orch: MasterOrchestrator) -> None:
    with pytest.raises(InvalidArgument, match="5 is not a handler"):
        orch.on("gap", 5)  # type: ignore[call-overload]
    with pytest.raises(InvalidArgument, match="5 is not a handler"):
        orch.on("gap")(5)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgument, match="7 is not an event"):
        orch.on(["gap", 7], print)  # type: ignore[list-item]


def test_close_from_an_async_handler_ends_its_loop() -> None:
    orch = MasterOrchestrator()
    orch.start()
    done = threading.Event()

    async def handler(event: Event) -> None:
        orch.close()
        await asyncio.sleep(0)  # what it has still to do, it does
        done.set()

    orch.on("serviceRegistered", handler)
    registered(orch, "a")
    assert done.wait(WAIT)
    for thread in threading.enumerate():
        if thread.name == "azora-loop":
            thread.join(WAIT)
            assert not thread.is_alive()


def test_stop_and_close_from_a_handler_do_not_wait_for_it() -> None:
    done: queue.Queue[str] = queue.Queue()
    orch = MasterOrchestrator()
    orch.start()

    def handler(event: Event) -> None:
        orch.stop()
        orch.close()
        done.put("closed")

    orch.on("serviceRegistered", handler)
    registered(orch, "a")
    assert done.get(timeout=WAIT) == "closed"
    assert orch.closed


def test_events_of_the_end_are_still_delivered(
    process: Callable[..., dict[str, Any]],
) -> None:
    seen: list[str] = []
    with MasterOrchestrator() as orch:
        orch.register(process("a"))
        orch.wait_ready("a", timeout_ms=20_000)
        orch.on("*", lambda event: seen.append(event.type))
    assert "serviceExited" in seen
