"""Hot reads that `server.run()` answers at once, without a task: as the app would answer them."""

from __future__ import annotations

import contextlib
import functools
import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from azora_orchestrator import MasterOrchestrator
from azora_orchestrator.server import create_app, http
from azora_orchestrator.server.app import AzoraApp
from azora_orchestrator.server.connections import Connections
from rest.conftest import serving

pytestmark = pytest.mark.native

SECONDS = 20


class Asked:
    """A hardened server, and the targets that reached its app."""

    def __init__(self, port: int, targets: list[str]) -> None:
        self.port = port
        self.targets = targets

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=SECONDS)


@pytest.fixture
def asked(
    orch: MasterOrchestrator, web: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Asked]:
    """A server with one healthy service and a Host that passed before; its time stands still."""
    service = web()
    orch.register(
        id="a", type="core", endpoint=service.endpoint, health_check_interval_ms=3_600_000
    )
    orch.wait_ready("a", timeout_ms=20_000)
    monkeypatch.setattr(http.time, "time", lambda: 1e9)
    targets: list[str] = []
    through_app = AzoraApp.__call__

    async def noting(self: Any, scope: Any, receive: Any, send: Any) -> None:
        query = scope["query_string"].decode()
        targets.append(scope["path"] + ("?" + query if query else ""))
        await through_app(self, scope, receive, send)

    monkeypatch.setattr(AzoraApp, "__call__", noting)
    app = create_app(orch)
    door = http.Door(app, Connections())
    protocol = functools.partial(http.Protocol, door)
    with serving(app, http=protocol, server_header=False) as running:
        server = Asked(running.port, targets)
        with server.connect() as connection:
            ask(connection, "/")
        targets.clear()
        yield server


def request(target: str, *lines: str, method: str = "GET", version: str = "1.1") -> bytes:
    head = [f"{method} {target} HTTP/{version}", "Host: localhost", *lines, "", ""]
    return "\r\n".join(head).encode()


def answers(connection: socket.socket, count: int, *, bodies: bool = True) -> list[bytes]:
    """Reads so many whole answers."""
    data, found = b"", []
    while len(found) < count:
        head, end, _ = data.partition(b"\r\n\r\n")
        if end:
            length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
            size = len(head) + 4 + (length if bodies else 0)
            if len(data) >= size:
                found.append(data[:size])
                data = data[size:]
                continue
        chunk = connection.recv(65_536)
        assert chunk, f"the server ended after {found}"
        data += chunk
    assert not data
    return found


def ask(connection: socket.socket, target: str, *lines: str) -> bytes:
    connection.sendall(request(target, *lines))
    return answers(connection, 1)[0]


def body_of(answer: bytes) -> Any:
    return json.loads(answer.partition(b"\r\n\r\n")[2])


@pytest.mark.parametrize(
    "target",
    [
        "/loadbalancer/core",
        "/loadbalancer/a?strategy=least-connections",
        "/loadbalancer/core?key=customer-7&strategy=ip-hash&lease=none",
        "/services/a",
        "/services",
        "/status",
    ],
)
def test_an_answer_at_once_is_byte_for_byte_the_apps(target: str, asked: Asked) -> None:
    with asked.connect() as connection:
        at_once = [ask(connection, target), ask(connection, target)]
        assert asked.targets == []
        # A page of our own asks the app: the header must be judged.
        by_app = ask(connection, target, "Sec-Fetch-Site: same-origin")
        assert asked.targets == [target]
        assert at_once == [by_app, by_app]
        assert at_once[0].startswith(b"HTTP/1.1 200 OK\r\ndate: Sun, 09 Sep 2001 01:46:40 GMT\r\n")


def test_health_is_answered_at_once(asked: Asked) -> None:
    with asked.connect() as connection:
        assert body_of(ask(connection, "/health"))["status"] == "ok"
        assert b"\r\nazora-seq: " in ask(connection, "/health", "Accept: */*", "Cookie: a=b")
    assert asked.targets == []


def test_leases_taken_at_once_differ(asked: Asked, orch: MasterOrchestrator) -> None:
    with asked.connect() as connection:
        taken = [ask(connection, "/loadbalancer/core?lease=auto") for _ in range(3)]
    ids = {body_of(answer)["lease"]["id"] for answer in taken}
    assert len(ids) == 3
    assert all(orch._core.release(id) for id in ids)
    assert asked.targets == []


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (request("/health", "Connection: close"), 200),
        (request("/health", version="1.0"), 200),
        (request("/health", "Connection: keep-alive", version="1.0"), 200),
        (request("/health", "Upgrade: h2c", "Connection: Upgrade"), 200),
        (request("/%68ealth"), 200),
        (request("http://localhost/health"), 200),
        (request("http://evil.example/health"), 421),
        (request("/health", "Host: localhost"), 400),
        (request("/health").replace(b"localhost", b"evil.example"), 421),
        (request("/health").replace(b"localhost", b"127.0.0.1"), 200),
        (request("/health", "X-Forwarded-For: 10.0.0.1"), 401),
        (request("/health?x=1"), 200),
        (request("/health/"), 200),
        (request("/services/none"), 404),
        (request("/loadbalancer/none"), 503),
        (request("/loadbalancer/core?strategy=fastest"), 400),
        (request("/loadbalancer/core?lease=auto", "Origin: http://evil.example"), 403),
        (request("/health", "Content-Length: 2") + b"{}", 200),
    ],
)
def test_what_is_not_hot_is_answered_by_the_app(data: bytes, status: int, asked: Asked) -> None:
    with asked.connect() as connection:
        connection.sendall(data)
        answer = answers(connection, 1)[0]
        assert int(answer.split(b" ", 2)[1]) == status
    assert len(asked.targets) == 1


def test_a_head_has_no_body(asked: Asked) -> None:
    with asked.connect() as connection:
        connection.sendall(request("/loadbalancer/core", method="HEAD"))
        assert answers(connection, 1, bodies=False)[0].startswith(b"HTTP/1.1 200 OK\r\n")
        assert body_of(ask(connection, "/loadbalancer/core"))["serviceId"] == "a"
    assert asked.targets == ["/loadbalancer/core"]


def test_requests_that_come_together_are_answered_in_order(asked: Asked) -> None:
    targets = ["/loadbalancer/core", "/services/a", "/graph", "/health", "/services/none"]
    with asked.connect() as connection:
        for _ in range(3):
            connection.sendall(b"".join(map(request, targets)))
            found = [body_of(answer) for answer in answers(connection, len(targets))]
            assert [next(iter(one)) for one in found] == [
                "serviceId",
                "config",
                "nodes",
                "status",
                "error",
            ]
    assert asked.targets == targets[1:] * 3  # one at once is enough for one client


def test_a_change_may_follow_on_the_same_connection(asked: Asked) -> None:
    body = b'{"id":"b","type":"core","endpoint":"http://127.0.0.1:9"}'
    kind = "Content-Type: application/json"
    register = request("/services/register", kind, f"Content-Length: {len(body)}", method="POST")
    with asked.connect() as connection:
        ask(connection, "/health")
        for together in (False, True):
            before = request("/health")
            if not together:
                connection.sendall(before)
                answers(connection, 1)
                before = b""
            connection.sendall(before + register + body)
            assert body_of(answers(connection, 1 + together)[-1])["success"] is True
            assert body_of(ask(connection, "/services/b"))["config"]["id"] == "b"
    assert asked.targets == ["/services/register"] * 2


def test_a_head_in_pieces_is_answered_at_once(asked: Asked) -> None:
    data = request("/services/a")
    with asked.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(len(data)):
            connection.sendall(data[at : at + 1])
        assert body_of(answers(connection, 1)[0])["config"]["id"] == "a"
    assert asked.targets == []


def test_an_idle_connection_ends_after_an_answer_at_once(orch: MasterOrchestrator) -> None:
    app = create_app(orch)
    protocol = functools.partial(http.Protocol, http.Door(app, Connections()))
    with serving(app, http=protocol, timeout_keep_alive=0.05) as running:
        connection = socket.create_connection(("127.0.0.1", running.port), timeout=SECONDS)
        with contextlib.closing(connection):
            connection.sendall(request("/health"))  # judges the Host
            answers(connection, 1)
            connection.sendall(request("/health"))
            answers(connection, 1)
            assert connection.recv(1) == b""
