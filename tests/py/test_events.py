"""events.py: streams for `for` and `async for`, handlers of both kinds."""

from __future__ import annotations

import asyncio
import math
import pickle
import threading
from collections.abc import Callable
from itertools import islice as take
from typing import Any

import pytest

from azora_orchestrator import EVENT_TYPES, Event, InvalidArgument, MasterOrchestrator
from conftest import WebService

pytestmark = pytest.mark.native

WAIT = 10.0
NAMES = (
    "healthCheck",
    "serviceRegistered",
    "serviceUnregistered",
    "serviceHealthy",
    "serviceDegraded",
    "serviceUnhealthy",
    "serviceStarted",
    "serviceStopped",
    "serviceExited",
    "serviceBlocked",
    "serviceRestarted",
    "serviceFailed",
    "serviceFlapping",
    "serviceStuck",
    "healingUnavailable",
    "massUnhealthy",
    "callbackFailed",
    "orchestratorDegraded",
    "orchestratorRecovered",
    "serviceDraining",
    "serviceDrained",
    "serviceUndrained",
    "maintenanceBegan",
    "maintenanceEnded",
    "gap",
)


def url_service(id: str, endpoint: str = "http://127.0.0.1:9", **fields: Any) -> dict[str, Any]:
    return {"id": id, "type": "core", "endpoint": endpoint, "healthCheckInterval": 60_000} | fields


def registered(orch: MasterOrchestrator, *ids: str) -> None:
    orch.register_many([url_service(id) for id in ids])


def test_the_names_of_events_are_what_users_rely_on() -> None:
    """In the order of the C++ table. A new one is added here, none is renamed."""
    assert EVENT_TYPES == NAMES


def test_a_stream_gives_events_in_order_without_gaps(
    orch: MasterOrchestrator, web: Callable[[], WebService]
) -> None:
    service = web()
    with orch.events(since=0) as stream:
        orch.register(url_service("a", service.endpoint, healthCheckInterval=100))
        registered(orch, "b", "c")
        orch.wait_ready("a", timeout_ms=10_000)
        orch.unregister("b")
        seen = [next(stream)]
        while seen[-1].type != "serviceUnregistered":
            seen.append(next(stream))
    assert {"serviceRegistered", "healthCheck", "serviceHealthy"} <= {one.type for one in seen}
    assert [one.seq for one in seen] == list(range(1, len(seen) + 1))


def test_properties_read_details_that_nobody_can_change(orch: MasterOrchestrator) -> None:
    def fail(event: Event) -> None:
        raise RuntimeError("on purpose")

    with orch.events(type="callbackFailed") as failures:
        orch.on("serviceRegistered", fail)
        registered(orch, "a")
        event = next(failures)
    event.data["reason"] = "changed"
    assert "on purpose" in str(event.reason)


@pytest.mark.parametrize("timeout", ["1s", math.nan, True])
def test_a_timeout_that_is_not_one_is_refused(orch: MasterOrchestrator, timeout: Any) -> None:
    with orch.events() as stream:
        for wait in (stream.next, stream.batch):
            with pytest.raises(InvalidArgument, match="timeout_ms"):
                wait(timeout_ms=timeout)
        assert stream.next(timeout_ms=0.5) is None


def test_since_replays_what_is_kept(orch: MasterOrchestrator) -> None:
    registered(orch, "a", "b")
    with orch.events(since=0, type="serviceRegistered") as stream:
        first = next(stream)
        assert first.service_id == "a"
        with orch.events(since=first.seq, type="serviceRegistered") as later:
            assert next(later).service_id == "b"


def test_a_stream_of_one_service_has_no_other(orch: MasterOrchestrator) -> None:
    with orch.events(service="b", type=["serviceRegistered", "serviceUnregistered"]) as stream:
        registered(orch, "a", "b")
        orch.unregister("a")
        orch.unregister("b")
        assert [next(stream).type, next(stream).type] == [
            "serviceRegistered",
            "serviceUnregistered",
        ]


def test_next_with_a_deadline_answers_none(orch: MasterOrchestrator) -> None:
    with orch.events() as stream:
        assert stream.next(timeout_ms=0) is None
        assert not stream.closed


def test_an_event_carries_what_goes_over_the_wire(orch: MasterOrchestrator) -> None:
    with orch.events() as stream:
        registered(orch, "a")
        event = next(stream)
    assert event.data["type"] == event.type == "serviceRegistered"
    assert event.data["serviceId"] == event.service_id == "a"
    assert event.data["seq"] == event.seq
    assert event.time.tzinfo is not None
    assert event.actor == "python"
    assert event.attempt is None
    assert "serviceRegistered" in repr(event)


def test_a_stream_ends_when_the_orchestrator_is_closed() -> None:
    with MasterOrchestrator() as orch:
        stream = orch.events(type="serviceRegistered")
        registered(orch, "a", "b")
    assert [event.service_id for event in stream] == ["a", "b"]
    assert stream.closed


def test_a_waiting_reader_is_released_by_close() -> None:
    with MasterOrchestrator() as orch:
        stream = orch.events()
        reader = threading.Thread(target=lambda: list(stream))
        reader.start()
    reader.join(WAIT)
    assert not reader.is_alive()


def test_an_unknown_event_name_is_refused(orch: MasterOrchestrator) -> None:
    with pytest.raises(InvalidArgument, match="serviceExploded"):
        orch.on("serviceExploded", print)
    with pytest.raises(InvalidArgument, match="serviceExploded"):
        orch.events(type="serviceExploded")


def test_async_for_reads_without_a_thread(orch: MasterOrchestrator) -> None:
    async def read() -> list[str | None]:
        before = set(threading.enumerate())
        seen: list[str | None] = []
        async with orch.events(type="serviceRegistered") as stream:
            asyncio.get_running_loop().call_soon(registered, orch, "a", "b")
            async for event in stream:
                seen.append(event.service_id)
                if len(seen) == 2:
                    break
        # Threads of tests that came before may end meanwhile.
        assert set(threading.enumerate()) <= before
        return seen

    assert asyncio.run(asyncio.wait_for(read(), WAIT)) == ["a", "b"]


def test_an_async_reader_can_be_cancelled_and_goes_on(orch: MasterOrchestrator) -> None:
    async def read() -> str | None:
        stream = orch.events(type="serviceRegistered")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(stream), 0.01)
        registered(orch, "a")
        return (await asyncio.wait_for(anext(stream), WAIT)).service_id

    assert asyncio.run(read()) == "a"


def test_a_closed_stream_gives_nothing_more(orch: MasterOrchestrator) -> None:
    with orch.events(type="serviceRegistered") as stream:
        registered(orch, "a", "b")
        assert next(stream).service_id == "a"
    assert stream.closed
    assert list(stream) == []
    assert stream.batch() == []


def test_a_batch_is_what_is_there(orch: MasterOrchestrator) -> None:
    with orch.events(type="serviceRegistered") as stream:
        assert stream.batch(timeout_ms=0) == []
        registered(orch, "a", "b", "c")
        assert [event.service_id for event in stream.batch(timeout_ms=10_000)] == ["a", "b", "c"]


def test_an_event_is_read_only_and_made_by_nobody_else(orch: MasterOrchestrator) -> None:
    with orch.events(type="serviceRegistered") as stream:
        registered(orch, "a")
        event = next(stream)
    assert event.data["serviceId"] == "a"
    event.data["serviceId"] = "changed"  # it is a copy
    event.data.clear()
    assert event.data["serviceId"] == event.service_id == "a"
    assert (event.actor, pickle.loads(pickle.dumps(event)).actor) == ("python", "python")
    assert (event.cause, event.actor) == (event.data["cause"], "python")
    for name in ("seq", "type", "anything"):
        with pytest.raises(AttributeError):
            setattr(event, name, 1)
    with pytest.raises(TypeError):
        Event()


def test_events_are_equal_when_they_say_the_same_and_can_be_sent_on(
    orch: MasterOrchestrator,
) -> None:
    registered(orch, "a", "b")
    first, second = (list(take(orch.events(since=0), 2)) for _ in range(2))
    assert first == second
    assert first[0] != first[1]
    assert len({*first, *second}) == 2
    sent = pickle.loads(pickle.dumps(first[0]))
    assert sent == first[0]
    assert (sent.seq, sent.time, sent.actor) == (first[0].seq, first[0].time, "python")
