"""GET /services/{id}/logs: what was written last, and what follows."""

from __future__ import annotations

import contextlib
import http.client
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from azora_orchestrator import MasterOrchestrator

pytestmark = [pytest.mark.native, pytest.mark.process]

TALKER = """
import signal, sys

def told(*_):
    print("goodbye", flush=True)
    sys.exit(0)

signal.signal(signal.SIGTERM, told)
for number in range(5):
    print("line", number, flush=True)
while True:
    signal.pause()
"""


@pytest.fixture
def talker(orch: MasterOrchestrator, tmp_path: Path) -> str:
    """A service that says goodbye."""
    file = tmp_path / "talker.py"
    file.write_text(TALKER)
    orch.register(
        {
            "id": "talker",
            "type": "core",
            "healthCheck": {"type": "process"},
            "process": {"argv": [sys.executable, "-S", str(file)]},
        }
    )
    orch.wait_ready("talker", timeout_ms=30_000)
    return "talker"


@contextlib.contextmanager
def following(api: Any, path: str) -> Iterator[http.client.HTTPResponse]:
    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=20)
    with contextlib.closing(connection):
        connection.request("GET", path)
        yield connection.getresponse()


def test_the_last_lines_as_plain_text(talker: str, api: Any) -> None:
    answer = api.get(f"/services/{talker}/logs?lines=2")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.body == b"line 3\nline 4\n"
    assert api.get(f"/services/{talker}/logs?lines=0").body == b""
    for wrong in ("lines=x", "lines=-1", "lines=10001", "lines=1&lines=2", "follow=perhaps"):
        assert api.get(f"/services/{talker}/logs?{wrong}").status == 400


def test_who_follows_hears_the_last_word_of_what_is_unregistered(talker: str, api: Any) -> None:
    with following(api, f"/services/{talker}/logs?follow=1&lines=1") as response:
        assert response.readline() == b"line 4\n"
        assert api.ask("DELETE", f"/services/{talker}").status == 200
        assert api.get(f"/services/{talker}/logs").status == 404
        assert response.read() == b"goodbye\n"


def test_who_follows_goes_on_over_restarts(talker: str, api: Any) -> None:
    with following(api, f"/services/{talker}/logs?follow=1&lines=0") as response:
        assert api.ask("POST", f"/services/{talker}/restart?wait=ready").status == 200
        assert response.readline() == b"goodbye\n"
        assert response.readline() == b"line 0\n"
