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
