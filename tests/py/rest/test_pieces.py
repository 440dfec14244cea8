"""Large bodies go out in pieces, so that other requests are served between them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from azora_orchestrator.server import responses
from azora_orchestrator.server.responses import PIECE, InPieces


def test_a_large_body_lets_the_loop_run_between_its_pieces() -> None:
    body = bytes(range(256)) * (5 * PIECE // 512)  # two and a half pieces
    sent: list[Any] = []
    turns_before: list[int] = []
    turns = 0

    async def send(message: Any) -> None:
        sent.append(message)
        turns_before.append(turns)

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def run() -> None:
        beside = asyncio.ensure_future(others())
        await InPieces(body)({}, None, send)
        beside.cancel()

    asyncio.run(run())
    head, *parts = sent
    assert head["type"] == "http.response.start"
    assert (b"content-length", b"%d" % len(body)) in head["headers"]
    assert b"".join(part["body"] for part in parts) == body
    assert [part["more_body"] for part in parts] == [True, True, False]
    assert len(set(turns_before[1:])) == len(parts)  # others ran before each next piece


def test_what_is_sent_in_pieces_is_the_same(
    orch: Any, api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(9):
        spec = {"id": f"s{number}", "type": "core", "endpoint": "http://127.0.0.1:1"}
        orch.register(spec | {"healthCheckInterval": 3_600_000})
    orch.stop()  # nothing changes any more
    paths = ("/graph", "/status/detailed")
    whole = [api.get(path).body for path in paths]
    monkeypatch.setattr(responses, "PIECE", 100)
    again = [api.get(path) for path in paths]
    assert [one.body for one in again] == whole
    assert all(int(one.headers["Content-Length"]) == len(one.body) for one in again)
    assert api.ask("HEAD", "/graph").body == b""
