"""What `azora serve` bears from clients before a request is there."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from azora_orchestrator import MasterOrchestrator
from azora_orchestrator.cli import protocol
from azora_orchestrator.server import create_app
from rest.conftest import serving

pytestmark = pytest.mark.native

GET = b"GET /health HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture
def api(orch: MasterOrchestrator) -> Iterator[Any]:
    with serving(create_app(orch), http=protocol.Protocol) as running:
        yield running


def said(connection: socket.socket) -> tuple[int, bytes]:
    """The whole answer of a server that ends the connection."""
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
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.1)
    status, answer = ask(api, GET)
    assert (status, problem_of(answer)["code"]) == (408, "head_timeout")
    status, answer = ask(api, GET + b"\r\n", GET)  # the second one on a connection
    assert status == 200
    assert b" 408 " in answer
    assert ask(api) == (0, b"")  # who says nothing is told nothing


def test_an_answer_may_take_longer_than_a_head(
    api: Any, orch: MasterOrchestrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.1)
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
