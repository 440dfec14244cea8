"""GET /events: order, resume, filters, and the end."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import pytest

from azora_orchestrator import MasterOrchestrator
from azora_orchestrator.server import create_app, event_stream

pytestmark = pytest.mark.native


def spec(service_id: str) -> dict[str, Any]:
    return {"id": service_id, "type": "core", "endpoint": "http://127.0.0.1:1"}


def registered(count: int, orch: MasterOrchestrator) -> None:
    for index in range(count):
        orch.register(spec(f"s{index}"))


def test_events_come_in_order_with_number_and_name(orch: MasterOrchestrator, api: Any) -> None:
    with api.stream("/events?type=serviceRegistered") as frames:
        registered(3, orch)
        got = [next(frames) for _ in range(3)]
    assert [frame["event"] for frame in got] == ["serviceRegistered"] * 3
    data = [json.loads(frame["data"]) for frame in got]
    assert [str(item["seq"]) for item in data] == [frame["id"] for frame in got]
    assert [item["serviceId"] for item in data] == ["s0", "s1", "s2"]
    assert list(data[0])[:6] == ["seq", "time", "type", "serviceId", "incarnation", "cause"]


def test_a_client_resumes_where_it_left(orch: MasterOrchestrator, api: Any) -> None:
    registered(3, orch)
    with api.stream("/events?since=0&type=serviceRegistered") as frames:
        first = next(frames)
    resume = {"Last-Event-ID": first["id"]}
    with api.stream("/events?since=0&type=serviceRegistered", **resume) as frames:
        assert json.loads(next(frames)["data"])["serviceId"] == "s1"


def test_since_is_exclusive(orch: MasterOrchestrator, api: Any) -> None:
    registered(3, orch)
    everything = api.events("type=serviceRegistered")
    numbers = [event["seq"] for event in everything]
    assert [event["serviceId"] for event in everything] == ["s0", "s1", "s2"]
    for place, number in enumerate(numbers):
        query = f"/events?since={number}&type=serviceRegistered&follow=0"
        with api.stream(query) as frames:
            assert [json.loads(frame["data"])["seq"] for frame in frames] == numbers[place + 1 :]


def test_numbers_of_all_types_have_no_gaps(orch: MasterOrchestrator, api: Any) -> None:
    registered(3, orch)
    orch.unregister("s1")
    with api.stream("/events?since=0&follow=0") as frames:
        everything = [json.loads(frame["data"]) for frame in frames]
    numbers = [event["seq"] for event in everything]
    assert numbers == list(range(1, len(numbers) + 1))
    assert {"serviceRegistered", "serviceUnregistered"} <= {event["type"] for event in everything}


def test_the_future_is_a_gap(orch: MasterOrchestrator, api: Any) -> None:
    registered(1, orch)
    with api.stream("/events?since=999999") as frames:
        frame = next(frames)
    assert frame["event"] == "gap"
    assert json.loads(frame["data"])["reason"] == "reset"
    assert "id" not in frame  # a client that reconnects resumes where it was


def test_filters_by_service_and_type(orch: MasterOrchestrator, api: Any) -> None:
    registered(3, orch)
    with api.stream("/events?since=0&service=s2&follow=0") as frames:
        assert {json.loads(frame["data"])["serviceId"] for frame in frames} == {"s2"}
    query = "/events?since=0&type=serviceRegistered,serviceUnregistered&follow=0"
    with api.stream(query) as frames:
        assert {frame["event"] for frame in frames} == {"serviceRegistered"}


@pytest.mark.parametrize(
    "query", ["since=x", "since=-1", "since=1&since=2", "type=none", "follow=maybe"]
)
def test_wrong_questions_are_400(query: str, api: Any) -> None:
    answer = api.get(f"/events?{query}")
    assert (answer.status, answer.json["code"]) == (400, "invalid_argument")


def test_silence_is_filled_with_comments(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import http.client

    monkeypatch.setattr(event_stream, "HEARTBEAT_SECONDS", 0.05)
    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=10)
    connection.request("GET", "/events?type=serviceFailed")
    response = connection.getresponse()
    assert any(line.startswith(b":") for line in response)
    connection.close()


def test_a_stream_ends_when_the_server_does(orch: MasterOrchestrator, api: Any) -> None:
    ended = threading.Event()

    def read() -> None:
        with api.stream("/events") as frames:
            registered(1, orch)
            next(frames)
            opened.set()
            for _ in frames:
                pass
        ended.set()

    opened = threading.Event()
    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    assert opened.wait(10)
    assert api.app.streams.open == 1
    api.loop.call_soon_threadsafe(api.app.begin_shutdown)
    assert ended.wait(10)
    thread.join(10)
    assert api.ask("POST", "/orchestrator/start").json["code"] == "shutting_down"
    assert api.get("/events").status == 503
    assert api.get("/readyz").status == 503
    assert api.get("/status").status == 200


@pytest.mark.parametrize("path", ["/events", "/services/a/logs"])
def test_a_client_that_stops_reading_does_not_hold_up_the_end(
    path: str, orch: MasterOrchestrator, process: Any
) -> None:
    """What it would have been sent next waits for it; the shutdown does not."""
    orch.register(process("a"))
    orch.wait_ready("a", timeout_ms=30_000)
    app = create_app(orch, auth=None)
    query = b"since=0" if path == "/events" else b"follow=1"

    async def main() -> None:
        stuck = asyncio.Event()

        async def receive() -> Any:
            await asyncio.Event().wait()

        async def send(message: Any) -> None:
            if message["type"] == "http.response.body":
                stuck.set()
                await asyncio.Event().wait()

        scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "query_string": query,
            "headers": [(b"host", b"localhost")],
        }
        answer = asyncio.create_task(app(scope, receive, send))
        await stuck.wait()
        assert not answer.done()
        app.begin_shutdown()
        await asyncio.wait_for(answer, 10)

    asyncio.run(main())
