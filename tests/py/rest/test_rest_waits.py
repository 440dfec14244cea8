"""Requests that wait: no thread is held for them, and they end with their client."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from typing import Any

import pytest

from azora_orchestrator import MasterOrchestrator
from rest.on_loop import on_loop, until

pytestmark = [pytest.mark.native, pytest.mark.process]

WAITERS = 200


@pytest.fixture
def blocked(orch: MasterOrchestrator, process: Any) -> str:
    """A service that waits for one that does not exist."""
    orch.register(process("blocked", dependencies=["nobody"]))
    return "blocked"


def begin_wait(api: Any, service: str) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", api.port), timeout=20)
    path = f"/services/{service}/start?wait=ready&timeoutMs=600000"
    connection.sendall(f"POST {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return connection


def test_waits_hold_no_thread_and_end_with_their_clients(blocked: str, api: Any) -> None:
    calls = on_loop(api, lambda: api.app.core_calls)
    before = threading.active_count()
    connections = [begin_wait(api, blocked) for _ in range(WAITERS)]
    until(api, lambda: len(calls._waiting) == WAITERS)
    assert threading.active_count() <= before + 8  # those that carry out verbs
    stop = api.ask("POST", "/orchestrator/stop")  # it waits for none of them
    assert (stop.status, stop.json["success"]) == (200, True)
    assert api.ask("POST", "/orchestrator/start").status == 200
    connections += [begin_wait(api, blocked) for _ in range(10)]
    for connection in connections:
        connection.close()
    until(api, lambda: not calls._waiting)


def test_a_wait_is_answered_when_it_comes_true(
    orch: MasterOrchestrator, process: Any, api: Any
) -> None:
    orch.register(process("a"))
    answer = api.ask("POST", "/services/a/restart?wait=ready&timeoutMs=30000")
    assert answer.status == 200
    assert answer.json["incarnation"] == orch.service("a").incarnation
    stopped = api.ask("POST", "/services/a/stop?wait=stopped&timeoutMs=30000")
    assert stopped.status == 200
    late = api.ask("POST", "/services/a/start?wait=ready&timeoutMs=0")
    assert (late.status, late.json["code"]) == (504, "timed_out")


def test_what_cannot_come_true_is_409_at_once(
    orch: MasterOrchestrator, process: Any, api: Any
) -> None:
    orch.register(process("db"))
    orch.register(process("web", dependencies=["db"]))
    orch.stop_service("db")
    orch.wait_stopped("db", timeout_ms=30_000)
    answer = api.ask("POST", "/services/web/start?wait=ready&timeoutMs=600000")
    assert (answer.status, answer.json["code"]) == (409, "not_coming")


def test_the_end_of_the_orchestrator_answers_those_that_wait(
    blocked: str, orch: MasterOrchestrator, api: Any
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=20)
    connection.request("POST", f"/services/{blocked}/start?wait=ready&timeoutMs=600000")
    calls = on_loop(api, lambda: api.app.core_calls)
    until(api, lambda: len(calls._waiting) == 1)
    orch.close()
    response = connection.getresponse()
    assert (response.status, json.loads(response.read())["code"]) == (503, "closed")
    connection.close()


def test_the_shutdown_of_the_server_answers_those_that_wait(blocked: str, api: Any) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=20)
    connection.request("POST", f"/services/{blocked}/start?wait=ready&timeoutMs=600000")
    calls = on_loop(api, lambda: api.app.core_calls)
    until(api, lambda: len(calls._waiting) == 1)
    api.loop.call_soon_threadsafe(api.app.begin_shutdown)
    response = connection.getresponse()
    assert (response.status, json.loads(response.read())["code"]) == (503, "shutting_down")
    connection.close()


def wait(api: Any, query: str = "") -> Any:
    return api.ask("GET", f"/wait{query}")


def test_a_read_waits_until_services_are_ready_or_stopped(
    orch: MasterOrchestrator, process: Any, api: Any
) -> None:
    for name in ("a", "b", "c"):
        orch.register(process(name, group="g"))
    answer = wait(api, "?timeoutMs=30000")
    assert (answer.status, answer.json) == (200, {"success": True, "services": ["a", "b", "c"]})
    assert wait(api, "?service=g&service=b").json["services"] == ["a", "b", "c"]
    orch.stop_service("c")
    stopped = wait(api, "?for=stopped&service=c&timeoutMs=30000")
    assert (stopped.status, stopped.json["services"]) == (200, ["c"])
    assert wait(api).json["services"] == ["a", "b"]  # those that are wanted up
    late = wait(api, "?for=stopped&service=a&timeoutMs=0")
    assert (late.status, late.json["code"]) == (504, "timed_out")
    vain = wait(api, "?service=a&service=c&timeoutMs=600000")
    assert (vain.status, vain.json["code"]) == (409, "not_coming")
    assert "c is stopped" in vain.json["error"]
    unknown = wait(api, "?service=a&service=nobody")
    assert (unknown.status, unknown.json["code"]) == (404, "unknown_service")
    assert unknown.json["error"] == "nobody: there is no such service"
    assert wait(api, "?for=stopped&service=nobody").status == 200
    for wrong in ("?for=up", "?timeoutMs=600001", "?horizonMs=-1", "?for=ready&for=ready"):
        assert (wait(api, wrong).status, wait(api, wrong).json["code"]) == (400, "invalid_argument")


def test_one_that_is_in_vain_ends_the_wait_for_all(
    blocked: str, orch: MasterOrchestrator, api: Any
) -> None:
    """The first is waited for in earnest; of the second it becomes known that it will not come."""
    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=20)
    failing = {"argv": ["false"]}
    orch.register({"id": "slow", "type": "t", "endpoint": "http://127.0.0.1:9"})
    orch.register(
        {"id": "bad", "type": "t", "maxRestarts": 0, "dependencies": ["slow"], "process": failing}
        | {"healthCheck": {"type": "process"}}
    )
    connection.request("GET", f"/wait?service={blocked}&service=bad&timeoutMs=600000")
    calls = on_loop(api, lambda: api.app.core_calls)
    until(api, lambda: len(calls._waiting) == 2)
    orch.stop_service("bad")
    answer = connection.getresponse()
    assert answer.status == 409
    assert "bad is stopped" in json.loads(answer.read())["error"]
    until(api, lambda: not calls._waiting)
    connection.close()


def test_how_long_the_caller_waits_in_all_decides_what_is_in_vain(
    orch: MasterOrchestrator, api: Any
) -> None:
    failing = {"argv": ["false"]}
    orch.register(
        {"id": "a", "type": "t", "restartDelay": 30_000, "process": failing}
        | {"healthCheck": {"type": "process"}}
    )
    with orch.events(since=0, type="serviceExited") as stream:
        assert stream.next(timeout_ms=20_000) is not None
    vain = wait(api, "?service=a&timeoutMs=1000&horizonMs=0")
    assert (vain.status, vain.json["code"]) == (409, "not_coming")
    late = wait(api, "?service=a&timeoutMs=0&horizonMs=600000")
    assert (late.status, late.json["code"]) == (504, "timed_out")


def test_many_services_are_waited_for_by_one_request(
    orch: MasterOrchestrator, web: Any, api: Any
) -> None:
    many = 600  # more than the core looks at for one request at the same time
    fields = {"type": "t", "endpoint": web().endpoint, "healthCheckInterval": 600_000}
    orch.register_many([{"id": f"s{number}"} | fields for number in range(many)])
    ready = wait(api)
    assert (ready.status, len(ready.json["services"])) == (200, many)
    assert wait(api, "?for=stopped").json["services"] == []  # there is nothing that could stop


def test_waits_of_reads_end_with_their_clients(blocked: str, api: Any) -> None:
    calls = on_loop(api, lambda: api.app.core_calls)
    connections = []
    for _ in range(20):
        connection = socket.create_connection(("127.0.0.1", api.port), timeout=20)
        path = f"/wait?service={blocked}&timeoutMs=600000"
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        connections.append(connection)
    until(api, lambda: len(calls._waiting) == 20)
    for connection in connections:
        connection.close()
    until(api, lambda: not calls._waiting)
