"""Event streams of a client: they resume by themselves, and say so when something was lost."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from azora_orchestrator import (
    AsyncClient,
    Client,
    Event,
    InvalidArgument,
    MasterOrchestrator,
    ServerUnreachable,
)
from azora_orchestrator.server import create_app
from client.relay import Relay
from conftest import free_port
from rest.conftest import serving

pytestmark = pytest.mark.native


def add(orch: MasterOrchestrator, id: str) -> None:
    orch.register({"id": id, "type": "t", "endpoint": f"http://127.0.0.1:{free_port()}"})


def named(events: list[Event]) -> list[str | None]:
    return [event.service_id for event in events]


def test_it_begins_now_or_where_it_was_told(orch: MasterOrchestrator, client: Client) -> None:
    add(orch, "before")
    with client.events(type="serviceRegistered") as stream:
        add(orch, "after")
        event = stream.next(timeout_ms=10_000)
        assert event is not None
        assert isinstance(event, Event)
        assert (event.service_id, event.type, event.actor) == ("after", event.type, "python")
        assert stream.next(timeout_ms=0) is None
    with client.events(since=0, type="serviceRegistered", service="before") as stream:
        event = stream.next(timeout_ms=10_000)
        assert event is not None
        assert event.service_id == "before"
    past = list(client.past_events(type=["serviceRegistered"]))
    assert named(past) == ["before", "after"]
    assert [event.data for event in past] == [
        event.data for event in _all(orch, "serviceRegistered", 2)
    ]


def _all(orch: MasterOrchestrator, type: Any, count: int) -> list[Event]:
    with orch.events(since=0, type=type) as stream:
        return [event for _, event in zip(range(count), stream, strict=False)]


def test_it_goes_on_when_the_connection_breaks(orch: MasterOrchestrator, relay: Relay) -> None:
    news: list[bool] = []
    stood = threading.Event()

    def tell(connected: bool) -> None:
        news.append(connected)
        stood.set()

    with Client(relay.url) as client:
        stream = client.events(type="serviceRegistered", on_connection=tell)
        with stream:
            for number in range(5):
                add(orch, f"s{number}")
                assert named([_next(stream)]) == [f"s{number}"]
                relay.cut()
            target, relay.target = relay.target, None
            relay.cut()
            assert stood.wait(10)
            assert news == [False]
            add(orch, "meanwhile")  # while nobody listens
            assert not stream.connected
            relay.target = target
            assert named([_next(stream)]) == ["meanwhile"]
            assert news == [False, True]
            assert stream.connected
            assert stream.next(timeout_ms=0) is None  # nothing twice


def _next(stream: Any) -> Event:
    event = stream.next(timeout_ms=20_000)
    assert event is not None
    return event  # type: ignore[no-any-return]


def test_a_server_that_was_started_anew_is_read_from_its_beginning(
    orch: MasterOrchestrator, relay: Relay
) -> None:
    with Client(relay.url) as client, client.events(since=0, type="serviceRegistered") as stream:
        add(orch, "a")
        assert named([_next(stream)]) == ["a"]
        with MasterOrchestrator() as other, serving(create_app(other, auth=None)) as api:
            for id in ("x", "y", "z"):  # more than were read: the numbers alone would not tell
                add(other, id)
            relay.target = api.port
            relay.cut()
            gap = _next(stream)
            assert (gap.type, gap.reason) == ("gap", "reset")
            assert [_next(stream).service_id for _ in range(3)] == ["x", "y", "z"]
            relay.target = None
            relay.cut()


def test_events_that_were_lost_are_counted(orch: MasterOrchestrator, relay: Relay) -> None:
    """The server's memory holds so many of one kind that a reader who is away loses some."""
    with Client(relay.url) as client, client.events(since=0) as stream:
        add(orch, "a")
        last = _next(stream)
        assert last.service_id == "a"
        target, relay.target = relay.target, None
        relay.cut()
        kept = 65_536
        batch = [
            {"id": f"n{number}", "type": "t", "endpoint": "http://127.0.0.1:1"}
            for number in range(2_000)
        ]
        orch.stop()
        while orch.status().seq < kept + 10_000:
            orch.register_many(batch)
        relay.target = target
        gap = next(event for event in stream if event.type == "gap")
        assert gap.from_seq is not None
        assert gap.count is not None
        assert gap.from_seq > last.seq
        assert gap.count > 1_000


def test_what_the_callers_function_raises_reaches_the_reader(relay: Relay) -> None:
    def fail(connected: bool) -> None:
        raise KeyError("mine")

    with Client(relay.url) as client, client.events(on_connection=fail) as stream:
        relay.target = None
        relay.cut()
        with pytest.raises(KeyError, match="mine"):
            stream.next(timeout_ms=20_000)
        assert stream.closed


def test_it_ends_from_any_thread(client: Client) -> None:
    stream = client.events()
    seen: list[object] = []
    reader = threading.Thread(target=lambda: seen.append(list(stream)))
    reader.start()
    stream.close()
    reader.join(10)
    assert seen == [[]]
    assert stream.closed
    assert stream.next(timeout_ms=0) is None
    stream.close()


def test_closing_the_client_ends_its_streams(client: Client) -> None:
    stream = client.events()
    client.close()
    assert stream.next(timeout_ms=10_000) is None


def test_a_stream_that_nobody_holds_ends_its_thread(client: Client) -> None:
    def count() -> int:
        return sum(thread.name == "azora-events" for thread in threading.enumerate())

    before = count()
    stream = client.events()
    assert count() == before + 1
    del stream
    gc.collect()
    deadline = time.monotonic() + 10
    while count() > before and time.monotonic() < deadline:
        threading.Event().wait(0.01)
    assert count() == before


def test_what_is_wrong_is_said_at_once(client: Client) -> None:
    with pytest.raises(InvalidArgument, match="none"):
        client.events(type="none")
    with pytest.raises(InvalidArgument):
        client.events(type=[5])  # type: ignore[list-item]
    stream = client.events()
    for timeout_ms in ("1s", float("nan"), -1):
        with pytest.raises(InvalidArgument):
            stream.next(timeout_ms=timeout_ms)  # type: ignore[arg-type]
    stream.close()
    with Client(f"http://127.0.0.1:{free_port()}") as nobody, pytest.raises(ServerUnreachable):
        nobody.events()


def test_async_streams_resume_too(orch: MasterOrchestrator, relay: Relay) -> None:
    async def main() -> None:
        async with AsyncClient(relay.url) as client:
            async with client.events(type="serviceRegistered") as stream:
                for number in range(3):
                    add(orch, f"s{number}")
                    event = await stream.next(timeout_ms=20_000)
                    assert event is not None
                    assert event.service_id == f"s{number}"
                    relay.cut()
                target, relay.target = relay.target, None
                add(orch, "meanwhile")
                relay.target = target
                assert named(await stream.batch(timeout_ms=20_000)) == ["meanwhile"]
                assert await stream.next(timeout_ms=0) is None
            assert stream.closed
            past = [event async for event in client.past_events(type="serviceRegistered")]
            assert named(past) == ["s0", "s1", "s2", "meanwhile"]
            stream = client.events(since=0)
            async for event in stream:
                assert event.service_id == "s0"
                break
            reader = asyncio.create_task(_rest(stream))
            await asyncio.sleep(0)
            await stream.aclose()
            await reader
            with pytest.raises(InvalidArgument):
                await client.events(type="none").next()

    asyncio.run(main())


def test_two_readers_of_an_async_stream_share_one_connection(
    orch: MasterOrchestrator, relay: Relay
) -> None:
    async def main() -> None:
        add(orch, "a")
        add(orch, "b")
        async with AsyncClient(relay.url) as client:
            stream = client.events(since=0, type="serviceRegistered")
            found = await asyncio.gather(stream.next(), stream.next(), stream.next(timeout_ms=200))
            assert sorted(event.service_id or "" for event in found if event) == ["a", "b"]
            assert relay.accepted == 1
            await stream.aclose()

    asyncio.run(main())


async def _rest(stream: Any) -> None:
    with contextlib.suppress(asyncio.CancelledError):
        async for _ in stream:
            pass


def test_async_calls(fleet: MasterOrchestrator, api: Any, web: Callable[[], Any]) -> None:
    async def main() -> None:
        async with AsyncClient(f"http://127.0.0.1:{api.port}") as client:
            status, services = await asyncio.gather(client.status(detailed=True), client.services())
            assert status.total_services == len(status.services) == 2
            assert len((await client.status()).services) == 2
            assert [one.id for one in services] == ["db", "shop"]
            assert (await client.service("db")).status == "healthy"
            assert (await client.why("db")).status == "healthy"
            assert (await client.graph()).to_dict() == fleet.graph().to_dict()
            found = await client.dependencies("shop")
            assert found.to_dict() == fleet.dependencies("shop").to_dict()
            assert (await client.pick("core")).service_id == "db"
            async with client.lease("core") as lease:
                assert lease.service_id == "db"
            assert await lease.release() is False
            kept = await client.lease("core")
            assert await client.release(kept.id) is True
            await client.register(id="new", type="t", endpoint=web().endpoint)
            await client.wait_ready(["new", "db"], timeout_ms=20_000)
            await client.wait_ready(timeout_ms=20_000)
            assert await client.unregister("new") is True
            await client.wait_stopped("new")
            assert "azora_services" in await client.metrics()
            assert await client.stop() == []
            assert (await client.status()).running is False
            await client.start()

    asyncio.run(main())
