"""Documented limits: 429 or a fault with the limit in it, counted, and nothing else is touched."""

from __future__ import annotations

import contextlib
import http.client
import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from azora_orchestrator import InvalidSpec, LimitReached, MasterOrchestrator
from azora_orchestrator.server import streaming
from rest.on_loop import until

pytestmark = [pytest.mark.native, pytest.mark.process]


@contextlib.contextmanager
def opened(api: Any, *paths: str) -> Iterator[list[http.client.HTTPResponse]]:
    """Open responses, closed at the end."""
    with contextlib.ExitStack() as stack:
        responses = []
        for path in paths:
            connection = stack.enter_context(
                contextlib.closing(http.client.HTTPConnection("127.0.0.1", api.port, timeout=20))
            )
            connection.request("GET", path)
            responses.append(connection.getresponse())
        yield responses


def metric(api: Any, name: str) -> int:
    found = re.search(rf"^{re.escape(name)} (\d+)$", api.get("/metrics").body.decode(), re.M)
    assert found, name
    return int(found[1])


def test_streams_of_events_and_logs_share_one_limit(
    orch: MasterOrchestrator, process: Any, api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "MAX_STREAMS", 3)
    orch.register(process("a"))
    orch.wait_ready("a", timeout_ms=30_000)
    follow = "/services/a/logs?follow=1"
    with opened(api, follow, "/events", follow) as responses:
        assert [one.status for one in responses] == [200] * 3
        assert metric(api, "azora_http_streams") == 3
        for path in (follow, "/events"):
            refused = api.get(path)
            assert (refused.status, refused.json["code"]) == (429, "limit_reached")
            assert "3 streams" in refused.json["error"]
            assert refused.headers["Retry-After"]
        assert metric(api, 'azora_http_refused_total{reason="limit_reached"}') == 2
        assert api.get("/services/a/logs").status == 200  # it does not stay open
        with api.stream("/events?since=0&follow=0") as frames:
            assert next(frames)
    until(api, lambda: api.app.streams.open == 0)
    with opened(api, follow) as responses:
        assert responses[0].status == 200


def test_followers_of_a_silent_log_cost_no_thread_and_no_read(
    orch: MasterOrchestrator, process: Any, api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    orch.register(process("a"))
    orch.wait_ready("a", timeout_ms=30_000)
    reads: list[Any] = []
    read = api.app.in_log_thread

    async def noting(call: Any, *args: Any) -> Any:
        reads.append(call)
        return await read(call, *args)

    monkeypatch.setattr(api.app, "in_log_thread", noting)
    before = threading.active_count()
    with opened(api, *["/services/a/logs?follow=1"] * 30) as responses:
        assert [one.status for one in responses] == [200] * 30
        assert threading.active_count() <= before + 8
        looked(api, 2)  # by then the last output has been read
        count = len(reads)
        looked(api, 3)
        assert len(reads) == count


def looked(api: Any, times: int) -> None:
    """Waits until the followers have looked so often, once a second, for what files do not show."""
    left = iter(range(times))
    waited = threading.Event()

    def look() -> None:
        if next(left, None) is None:
            waited.set()
        else:
            api.loop.call_later(1.1, look)

    api.loop.call_soon_threadsafe(look)
    assert waited.wait(20)


def test_more_dependencies_than_the_limit_are_a_fault(orch: MasterOrchestrator, api: Any) -> None:
    service = {"id": "a", "type": "core", "endpoint": "http://127.0.0.1:1"}
    refused = api.register(service | {"dependencies": [f"d{index}" for index in range(65)]})
    assert refused.status == 400
    (fault,) = refused.json["faults"]
    assert fault == {
        "field": "dependencies",
        "message": "has 65 entries; it must be a list of at most 64 service ids",
    }
    assert api.register(service | {"dependencies": [f"d{i}" for i in range(64)]}).status == 200


def test_an_endpoint_longer_than_the_limit_is_a_fault(api: Any) -> None:
    service = {"id": "a", "type": "core"}
    longest = "http://127.0.0.1:1/" + "x" * (2048 - 19)
    refused = api.register(service | {"endpoint": longest + "x"})
    assert refused.json["faults"] == [
        {"field": "endpoint", "message": "has 2049 characters; it must have at most 2048"}
    ]
    assert api.register(service | {"endpoint": longest}).status == 200


def test_no_service_may_be_checked_at_the_servers_own_address(
    orch: MasterOrchestrator, api: Any
) -> None:
    orch._core.set_own_address("127.0.0.1", api.port)
    service = {"id": "us", "type": "core", "endpoint": f"http://localhost:{api.port}"}
    refused = api.register(service)
    assert refused.status == 400
    assert [fault["field"] for fault in refused.json["faults"]] == ["endpoint"]
    assert "the orchestrator's own address" in refused.json["error"]
    with pytest.raises(InvalidSpec, match="own address"):
        orch.register(service)


def test_leases_beyond_the_limit_are_429_until_one_ends(
    orch: MasterOrchestrator, web: Any, api: Any
) -> None:
    orch.register({"id": "a", "type": "core", "endpoint": web().endpoint})
    orch.wait_ready("a", timeout_ms=10_000)
    lease = api.get("/loadbalancer/core?lease=auto").json["lease"]
    for _ in range(99_999):
        orch._core.lease("core", None, None)
    refused = api.get("/loadbalancer/core?lease=auto")
    assert (refused.status, refused.json["code"]) == (429, "limit_reached")
    assert "100000 leases" in refused.json["error"]
    with pytest.raises(LimitReached, match="100000 leases"), orch.lease("core"):
        pass
    assert metric(api, 'azora_http_refused_total{reason="limit_reached"}') == 1
    assert api.get("/loadbalancer/core").status == 200  # without a lease
    assert api.ask("POST", f"/leases/{lease['id']}/release").json == {"released": True}
    assert api.get("/loadbalancer/core?lease=auto").status == 200
