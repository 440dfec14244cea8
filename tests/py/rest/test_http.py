"""What `server.run()` takes from clients before a request is there, and after its response."""

from __future__ import annotations

import contextlib
import functools
import json
import re
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from azora_orchestrator import MasterOrchestrator
from azora_orchestrator.server import create_app, http
from azora_orchestrator.server.connections import Connections
from rest.conftest import serving

pytestmark = pytest.mark.native

GET = b"GET /health HTTP/1.1\r\nHost: localhost\r\n"


@contextlib.contextmanager
def hardened(orch: MasterOrchestrator, *limits: int) -> Iterator[Any]:
    app = create_app(orch)
    door = http.Door(app, Connections(*limits))
    with serving(app, http=functools.partial(http.Protocol, door)) as running:
        running.door = door
        yield running


@pytest.fixture
def api(orch: MasterOrchestrator) -> Iterator[Any]:
    with hardened(orch) as running:
        yield running


def said(connection: socket.socket) -> tuple[int, bytes]:
    """The whole response of a server that ends the connection."""
    answer = b""
    while chunk := connection.recv(65_536):
        answer += chunk
    return int(answer.split(b" ", 2)[1] or b"0") if answer else 0, answer


def ask(api: Any, *pieces: bytes) -> tuple[int, bytes]:
    with socket.create_connection(("127.0.0.1", api.port), timeout=20) as connection:
        for piece in pieces:
            connection.sendall(piece)
        return said(connection)


def problem_of(answer: bytes) -> Any:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head
    return json.loads(body)


@pytest.mark.parametrize(
    "lines",
    [
        b"X: " + b"y" * 17_000 + b"\r\n",
        b"".join(b"X-%d: y\r\n" % number for number in range(70)),
    ],
)
def test_a_head_too_large_is_431(lines: bytes, api: Any) -> None:
    status, answer = ask(api, GET, lines, b"\r\n")
    assert status == 431
    assert problem_of(answer)["code"] == "head_too_large"
    assert b"\r\nazora-seq: " in answer
    assert api.get("/health").status == 200


@pytest.mark.parametrize(
    "request_line",
    [b"hello\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\r\n\r\n"],
)
def test_what_is_no_http_is_400_in_our_form(
    request_line: bytes, api: Any, caplog: pytest.LogCaptureFixture
) -> None:
    status, answer = ask(api, request_line)
    assert (status, problem_of(answer)["code"]) == (400, "invalid_request")
    assert b"\r\ndate: " in answer
    assert caplog.text == ""  # anyone could fill the log


def test_an_upgrade_is_not_taken_and_no_warning(api: Any, caplog: pytest.LogCaptureFixture) -> None:
    upgrade = b"Connection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n"
    assert ask(api, GET + upgrade)[0] == 200
    assert caplog.text == ""


def test_a_head_without_end_is_cut(api: Any) -> None:
    with socket.create_connection(("127.0.0.1", api.port), timeout=20) as connection:
        connection.sendall(GET + b"X: ")
        endless = b"y" * 64 * 1024 * 1024
        with pytest.raises(ConnectionError):
            connection.sendall(endless)


def test_a_head_that_does_not_come_is_408(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "HEAD_SECONDS", 0.1)
    status, answer = ask(api, GET)
    assert (status, problem_of(answer)["code"]) == (408, "head_timeout")
    status, answer = ask(api, GET + b"\r\n", GET)  # the second one on a connection
    assert status == 200
    assert b" 408 " in answer
    assert ask(api) == (0, b"")  # who says nothing is told nothing


def test_an_answer_may_take_longer_than_a_head(
    api: Any, orch: MasterOrchestrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "HEAD_SECONDS", 0.1)
    with api.stream("/events?type=serviceRegistered") as frames:
        ask(api)  # as long as a head may take
        ask(api)
        orch.register({"id": "a", "type": "core", "endpoint": "http://127.0.0.1:1"})
        assert next(frames)["event"] == "serviceRegistered"


@pytest.mark.parametrize(
    ("target", "host", "status"),
    [
        (b"http://localhost/health", b"localhost", 200),
        (b"http://127.0.0.1:5000/health", b"localhost", 200),
        (b"http://[::1]:5000/health", b"localhost", 200),
        (b"http://evil.example/health", b"localhost", 421),
        (b"http://localhost/health", b"evil.example", 421),
    ],
)
def test_a_target_in_absolute_form_is_judged_like_the_host(
    target: bytes, host: bytes, status: int, api: Any
) -> None:
    request = b"GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % (target, host)
    assert ask(api, request)[0] == status
    # Nor does it help that this Host passed before.
    assert ask(api, GET + b"Connection: close\r\n\r\n")[0] == 200
    assert ask(api, request)[0] == status


def refused(api: Any) -> dict[str, int]:
    """The counts of `/metrics`."""
    text = api.get("/metrics").body.decode()
    found = re.findall(r'^azora_http_refused_total\{reason="(\w+)"\} (\d+)$', text, re.MULTILINE)
    assert "# TYPE azora_http_refused_total counter" in text
    return {reason: int(number) for reason, number in found}


def test_what_was_refused_is_counted(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(refused(api).values()) == {0}
    monkeypatch.setattr(http, "HEAD_SECONDS", 0.1)
    assert ask(api, GET)[0] == 408
    monkeypatch.setattr(http, "HEAD_SECONDS", 10)
    assert ask(api, GET, b"X: " + b"y" * 17_000 + b"\r\n\r\n")[0] == 431
    body = b"x" * 300_000
    assert api.ask("POST", "/services/register", body).status == 413
    assert {name: number for name, number in refused(api).items() if number} == {
        "head_timeout": 1,
        "head_too_large": 1,
        "body_too_large": 1,
    }


def connected(api: Any, count: int, stack: contextlib.ExitStack) -> list[socket.socket]:
    """Open connections that have had a response each: the server has taken them in."""
    made = []
    for _ in range(count):
        one = socket.create_connection(("127.0.0.1", api.port), timeout=20)
        made.append(stack.enter_context(one))
        one.sendall(GET + b"\r\n")
        assert one.recv(65_536).startswith(b"HTTP/1.1 200")
    return made


def test_a_connection_too_many_is_answered_503_and_counted(orch: MasterOrchestrator) -> None:
    with hardened(orch, 3) as api, contextlib.ExitStack() as stack:
        first, *_ = connected(api, 3, stack)
        for request in (b"", GET + b"\r\n"):
            status, answer = ask(api, request)
            assert (status, problem_of(answer)["code"]) == (503, "connection_limit")
            assert b"retry-after: 1" in answer
        first.close()
        # There is room again as soon as the server has seen it.
        deadline = time.monotonic() + 20
        while ask(api, GET + b"Connection: close\r\n\r\n")[0] != 200:
            assert time.monotonic() < deadline
        assert refused_by(api)["connection_limit"] >= 2


def refused_by(api: Any) -> dict[str, int]:
    return dict(api.app.refusals._counts)


def test_a_client_that_is_turned_away_may_be_slow_but_not_for_long(
    orch: MasterOrchestrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hardened(orch, 1) as api, contextlib.ExitStack() as stack:
        connected(api, 1, stack)
        waiting = [socket.create_connection(("127.0.0.1", api.port), timeout=20) for _ in range(70)]
        for one in waiting:
            with one:
                status, _ = said(one)  # all of them, though few are held
                assert status == 503
        flood = stack.enter_context(socket.create_connection(("127.0.0.1", api.port), timeout=20))
        with pytest.raises(ConnectionError):
            flood.sendall(b"x" * 64 * 1024 * 1024)
    assert api.door.turned_away == 0


def test_one_address_of_the_network_has_a_limit_of_its_own() -> None:
    connections = Connections(5, 2)
    far, near = "203.0.113.9", "127.0.0.1"
    assert [connections.enter(far) for _ in range(2)] == [None, None]
    refusal = connections.enter(far)
    assert refusal is not None
    assert (refusal.status, refusal.code) == (429, "peer_connection_limit")
    assert connections.enter("2001:db8::1") is None
    assert connections.enter("2001:db8::ffff:1") is None
    refusal = connections.enter("2001:db8::2")  # the same network, of one machine
    assert refusal is not None
    assert refusal.code == "peer_connection_limit"
    connections.leave("2001:db8::ffff:1")
    assert [connections.enter(one) for one in (near, near)] == [None, None]  # it is no network
    refusal = connections.enter(near)
    assert refusal is not None
    assert (refusal.status, refusal.code) == (503, "connection_limit")
    connections.leave(far)
    assert connections.enter(far) is None
    for one in (far, far, near, near, "2001:db8::1"):
        connections.leave(one)
    assert not connections._of_peer
    assert connections._open == 0


def test_a_client_that_does_not_take_its_answer_is_cut_off(
    orch: MasterOrchestrator, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(http, "TAKE_SECONDS", 0.2)
    for number in range(1500):
        orch.register({"id": f"s{number}", "type": "core", "endpoint": "http://127.0.0.1:1"})
    with hardened(orch, 1) as api:
        stuck = socket.socket()
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stuck.connect(("127.0.0.1", api.port))
        with stuck:
            stuck.sendall(b"GET /status/detailed HTTP/1.1\r\nHost: localhost\r\n\r\n" * 12)
            deadline = time.monotonic() + 20
            while ask(api, GET + b"Connection: close\r\n\r\n")[0] != 200:
                assert time.monotonic() < deadline  # the only place was given back
    assert caplog.text == ""


def test_an_answer_has_the_date_of_its_second(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """No timer keeps it."""
    for now, text in (
        (1e9, "Sun, 09 Sep 2001 01:46:40 GMT"),
        (2e9, "Wed, 18 May 2033 03:33:20 GMT"),
    ):
        monkeypatch.setattr(http.time, "time", lambda now=now: now)
        assert api.get("/health").headers["Date"] == text
