"""Requests that no client of good will sends: one clean response each, and the server goes on."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from azora_orchestrator import AsyncMasterOrchestrator, MasterOrchestrator
from azora_orchestrator.server import bodies, create_app

pytestmark = pytest.mark.native

JSON = "Host: localhost\r\nContent-Type: application/json\r\n"


def raw(api: Any, head: str, body: bytes = b"") -> bytes:
    """What comes back until the server has said all."""
    with socket.create_connection(("127.0.0.1", api.port), timeout=20) as connection:
        connection.sendall(head.encode("latin-1") + b"\r\n" + body)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := connection.recv(65_536):
            answer += chunk
        return answer


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/services/%ff", 404),
        ("/services/%00", 404),
        ("/services/a%2Fb", 404),
        ("/services/..%2f..", 404),
        ("/services//", 404),
        ("//", 404),
        ("//health", 404),
        ("/health/x", 404),
        ("/services/a/none", 404),
        ("/loadbalancer", 404),
        ("/loadbalancer/", 404),
        ("/loadbalancer/a/b", 404),
        ("/loadbalancer/%f0%9f%92%a9", 503),
        ("/loadbalancer/core?lease=always", 400),
        ("/loadbalancer/core?explain=perhaps", 400),
        ("/loadbalancer/core?" + "&".join(f"x{index}=1" for index in range(65)), 400),
        ("/services?type=%ff", 200),
        ("/status?a=1&a=2&;=%", 200),
        ("/services/" + "a" * 20_000, 404),
    ],
)
def test_odd_paths_and_queries(path: str, expected: int, api: Any) -> None:
    answer = api.get(path)
    assert answer.status == expected, answer.body
    assert "json" in answer.headers["Content-Type"]
    if expected != 200:
        assert answer.json["error"] == answer.json["detail"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"])
@pytest.mark.parametrize("path", ["/health", "/loadbalancer/core", "/events", "/docs"])
def test_a_method_that_is_not_there_is_405(method: str, path: str, api: Any) -> None:
    answer = api.ask(method, path)
    if answer.headers["Content-Type"] == "text/plain; charset=utf-8":
        assert (method, answer.status) == ("BREW", 400)  # the parser of HTTP knows it not
        return
    assert answer.status == 405
    assert "GET" in answer.headers["Allow"]
    assert list(answer.json)[:2] == ["success", "error"]


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/services/a", "DELETE, GET, HEAD"),
        ("/status/", "GET, HEAD"),
        ("/orchestrator/stop", "POST"),
        ("/services/register", "POST"),
    ],
)
def test_allow_names_every_method_of_a_path(path: str, allowed: str, api: Any) -> None:
    answer = api.ask("PATCH", path)
    assert (answer.status, answer.headers["Allow"]) == (405, allowed)


def test_a_host_that_is_missing_or_given_twice_is_400(api: Any) -> None:
    assert status(raw(api, "GET /health HTTP/1.1\r\nConnection: close\r\n")) == 400
    twice = "GET /health HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\nConnection: close\r\n"
    assert status(raw(api, twice)) == 400


def test_who_asks_before_a_large_body_is_told_at_once(api: Any) -> None:
    head = f"POST /services/register HTTP/1.1\r\n{JSON}"
    answer = raw(api, f"{head}Content-Length: 1000000\r\nExpect: 100-continue\r\n")
    assert status(answer) == 413
    assert b"100 Continue" not in answer


@pytest.mark.parametrize("method", ["POST", "DELETE", "PATCH"])
def test_a_body_announced_too_large_is_refused_unread(method: str, api: Any) -> None:
    path = "/services/register" if method == "POST" else "/services/a"
    head = f"{method} {path} HTTP/1.1\r\n{JSON}"
    with socket.create_connection(("127.0.0.1", api.port), timeout=20) as connection:
        connection.sendall(f"{head}Content-Length: 999999999\r\n\r\n".encode())
        response = http.client.HTTPResponse(connection)
        response.begin()
        said = json.loads(response.read())  # before one byte of the body was sent
        assert (response.status, said["code"]) == (413, "body_too_large")
        assert response.headers["Connection"] == "close"
        assert connection.recv(1) == b""  # and soon it is over
    assert api.get("/health").status == 200


def test_a_client_that_sends_all_of_it_first_reads_the_answer(api: Any) -> None:
    body = b"x" * 8 * 1024 * 1024
    for _ in range(5):
        answer = api.ask("POST", "/services/register", body, {"Content-Type": "application/json"})
        assert (answer.status, answer.json["code"]) == (413, "body_too_large")


def test_pieces_that_grow_too_large_are_refused_before_their_end(api: Any) -> None:
    head = f"POST /services/register HTTP/1.1\r\n{JSON}"
    with socket.create_connection(("127.0.0.1", api.port), timeout=20) as connection:
        connection.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        connection.sendall(b"50000\r\n" + b"x" * 0x50000)  # and no end
        response = http.client.HTTPResponse(connection)
        response.begin()
        assert (response.status, response.headers["Connection"]) == (413, "close")
        assert json.loads(response.read())["code"] == "body_too_large"


@pytest.mark.parametrize("path", ["/health", "/services", "/metrics", "/no/path"])
def test_a_body_that_nobody_reads_ends_with_the_answer(path: str, api: Any) -> None:
    """One byte now and then would keep the connection for ever."""
    assert api.get("/health").status == 200  # its Host is known from here on
    head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{api.port}\r\nContent-Length: 100000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", api.port), timeout=20) as connection:
        connection.sendall(head.encode())
        response = http.client.HTTPResponse(connection)
        response.begin()
        assert response.headers["Connection"] == "close"
        response.read()
        assert connection.recv(1) == b""


def test_a_small_body_of_a_refused_change_keeps_the_connection(
    serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AZORA_TOKEN_FILE", str(tmp_path / "token"))
    connection = http.client.HTTPConnection("127.0.0.1", serve(auth="token").port, timeout=20)
    with contextlib.closing(connection):
        for _ in range(3):
            connection.request("POST", "/services/register", b"{}")
            response = connection.getresponse()
            assert (response.status, response.headers["Connection"]) == (401, None)
            response.read()
            assert connection.sock is not None


def test_a_body_of_a_refused_change_is_not_waited_for_long(serve: Callable[..., Any]) -> None:
    head = "POST /orchestrator/stop HTTP/1.1\r\nHost: localhost\r\nVia: 1.1 x\r\n"
    with socket.create_connection(("127.0.0.1", serve().port), timeout=20) as connection:
        connection.sendall(f"{head}Content-Length: 100\r\n\r\n".encode())
        response = http.client.HTTPResponse(connection)
        response.begin()
        assert (response.status, response.headers["Connection"]) == (401, "close")
        response.read()
        assert connection.recv(1) == b""


def test_a_body_that_ends_early_changes_nothing(api: Any) -> None:
    head = f"POST /services/register HTTP/1.1\r\n{JSON}Content-Length: 500\r\n"
    raw(api, head, b'{"id":"a","type":"core","endpoint":"http://127.0.0.1:1"}')
    assert api.get("/services/a").status == 404


def test_a_body_that_does_not_come_is_408(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.1)
    with socket.create_connection(("127.0.0.1", api.port), timeout=20) as connection:
        head = f"POST /services/register HTTP/1.1\r\n{JSON}Content-Length: 500\r\n\r\n"
        connection.sendall(head.encode() + b'{"id":')
        answer = b""
        while chunk := connection.recv(65_536):
            answer += chunk
    assert status(answer) == 408
    assert b'"code":"body_timeout"' in answer
    assert api.get("/health").status == 200


def test_what_is_dropped_of_a_body_is_bounded(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "_LINGER_BYTES", 300_000)
    head = f"POST /services/register HTTP/1.1\r\n{JSON}"
    with socket.create_connection(("127.0.0.1", api.port), timeout=20) as connection:
        connection.sendall(f"{head}Content-Length: {1 << 40}\r\n\r\n".encode())
        with pytest.raises(ConnectionError):
            connection.sendall(b"x" * 64 * 1024 * 1024)
    assert api.get("/health").status == 200


def test_our_own_failure_is_a_500_that_tells_nothing(
    api: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: Any) -> Any:
        raise ZeroDivisionError("a secret of ours")

    monkeypatch.setattr(api.app, "in_thread", fails)
    answer = api.get("/graph")
    assert (answer.status, answer.json["code"]) == (500, "internal")
    assert b"secret" not in answer.body
    assert "a secret of ours" in caplog.text
    ours = [record.name for record in caplog.records if "secret" in (record.exc_text or "")]
    assert "azora_orchestrator.server.app" in ours  # one tree: the package's level is the server's


def test_after_close_reads_answer_and_changes_are_503(
    orch: MasterOrchestrator, api: Any, web: Callable[[], Any]
) -> None:
    orch.register({"id": "a", "type": "core", "endpoint": web().endpoint})
    orch.close()
    assert api.get("/status").json["running"] is False
    assert api.get("/loadbalancer/core").status == 503
    refused = api.register({"id": "b", "type": "core", "endpoint": "http://127.0.0.1:1"})
    assert (refused.status, refused.json["code"]) == (503, "closed")
    assert api.get("/readyz").status == 503
    assert api.get("/health").json["status"] == "ok"


def test_each_request_may_come_on_a_loop_of_its_own(orch: MasterOrchestrator) -> None:
    """As test clients do it."""
    app = create_app(orch, auth=None)
    body = b'{"id":"a","type":"core","endpoint":"http://127.0.0.1:1"}'

    async def register() -> int:
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/services/register",
            "query_string": b"",
            "headers": [(b"host", b"localhost"), (b"content-type", b"application/json")],
        }
        pieces = [{"type": "http.request", "body": body[:9], "more_body": True}]
        pieces.append({"type": "http.request", "body": body[9:], "more_body": False})
        sent: list[Any] = []

        async def receive() -> Any:
            await asyncio.sleep(0)  # as a server does: the rest is not there yet
            return pieces.pop(0)

        async def send(message: Any) -> None:
            sent.append(message)

        await app(scope, receive, send)
        return int(sent[0]["status"])

    assert [asyncio.run(register()) for _ in range(3)] == [200] * 3


def test_an_async_orchestrator_is_served_as_well(serve_app: Callable[[Any], Any]) -> None:
    async def main() -> None:
        async with AsyncMasterOrchestrator() as orch:
            api = serve_app(create_app(orch, auth=None))
            answer = await asyncio.to_thread(api.get, "/status")
            assert answer.json["running"] is True

    asyncio.run(main())
