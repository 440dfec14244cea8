"""The plain hot reads that the core answers in one call: as the layer in Python answers them."""

from __future__ import annotations

import asyncio
import gc
import json
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from azora_orchestrator import MasterOrchestrator
from azora_orchestrator.server import create_app
from rest.asking import Api

pytestmark = pytest.mark.native

HOST = (b"host", b"127.0.0.1:5000")
PROXY_HEADERS = [
    b"x-forwarded-for",
    b"x-forwarded",
    b"x-forwarded-proto",
    b"forwarded",
    b"forwarded-for",
    b"via",
    b"x-real-ip",
    b"x-client-ip",
    b"x-cluster-client-ip",
    b"x-original-for",
    b"x-envoy-external-address",
    b"true-client-ip",
    b"cf-connecting-ip",
]


def scope(path: str, **changes: Any) -> dict[str, Any]:
    """A request as uvicorn tells of it."""
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1:5000"), (b"accept", b"*/*")],
        "client": ("127.0.0.1", 40_000),
        "server": ("127.0.0.1", 5000),
    } | changes


async def ask(app: Any, request: dict[str, Any]) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(request, receive, send)
    return sent[0]["status"], sent[0]["headers"], b"".join(one.get("body", b"") for one in sent[1:])


@pytest.fixture
def fleet(orch: MasterOrchestrator, web: Callable[[], Any]) -> MasterOrchestrator:
    service = web()
    orch.register(id="a", type="core", endpoint=service.endpoint)
    orch.wait_ready("a", timeout_ms=20_000)
    return orch


@pytest.mark.parametrize("path", ["/loadbalancer/core", "/loadbalancer/a", "/services/a"])
def test_the_short_way_answers_as_the_long_one(fleet: MasterOrchestrator, path: str) -> None:
    app = create_app(fleet)

    async def both() -> Any:
        long_way = await ask(app, scope(path, query_string=b"unknown=1"))  # judges the Host, too
        assert app._hot_read(scope(path)) is not None
        return long_way, await ask(app, scope(path))

    long_way, short_way = asyncio.run(both())
    assert short_way == long_way
    assert json.loads(short_way[2])


def test_health_is_answered_with_the_time(fleet: MasterOrchestrator) -> None:
    app = create_app(fleet)

    async def both() -> Any:
        return await ask(app, scope("/health")), await ask(app, scope("/health"))

    for status, headers, body in asyncio.run(both()):
        answer = json.loads(body)
        assert (status, list(answer), answer["status"]) == (200, ["status", "timestamp"], "ok")
        assert len(answer["timestamp"]) == len("2025-01-31T12:00:00.000Z")
        assert dict(headers)[b"content-length"] == b"%d" % len(body)


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "websocket"},
        {"method": "HEAD"},
        {"method": "POST"},
        {"root_path": "/fleet"},
        {"query_string": b"explain=1"},
        {"client": ("10.0.0.1", 40_000)},
        {"client": None},
        {"headers": [(b"host", b"evil.example")]},
        {"headers": [(b"host", b"127.0.0.1:5000"), (b"host", b"127.0.0.1:5000")]},
        {"headers": []},
        {"azora.target_host": b"evil.example"},
        {"azora.target_host": b"localhost"},
        *({"headers": [HOST, (name, b"1")]} for name in PROXY_HEADERS),
        {"headers": [(b"via", b"1"), HOST]},
        {"headers": [HOST, (b"content-length", b"5")]},
        {"headers": [HOST, (b"transfer-encoding", b"chunked")]},
        {"path": "/loadbalancer/core/"},
        {"path": "/loadbalancer/"},
        {"path": "/loadbalancer/none"},
        {"path": "/services/none"},
        {"path": "/services/a/why"},
        {"path": "/services/ä"},
        {"path": "/"},
    ],
    ids=str,
)
def test_what_is_not_plain_goes_the_long_way(
    fleet: MasterOrchestrator, changes: dict[str, Any]
) -> None:
    app = create_app(fleet)
    asyncio.run(ask(app, scope("/health")))
    assert app._hot_read(scope("/loadbalancer/core")) is not None
    assert app._hot_read(scope("/loadbalancer/core") | changes) is None


def test_headers_of_their_kind_alone_are_a_proxys(fleet: MasterOrchestrator) -> None:
    app = create_app(fleet)
    asyncio.run(ask(app, scope("/health")))
    for name in (b"x-forward", b"x-requested-with", b"vi", b"viable", b"content-type", b"", b"v"):
        assert app._hot_read(scope("/health", headers=[HOST, (name, b"1")])) is not None, name


def test_an_answer_follows_the_state(fleet: MasterOrchestrator) -> None:
    app = create_app(fleet)

    async def twice() -> Any:
        first = await ask(app, scope("/loadbalancer/core"))
        assert (await ask(app, scope("/loadbalancer/core")))[2] == first[2]
        fleet.unregister("a")
        return await ask(app, scope("/loadbalancer/core")), await ask(app, scope("/services/a"))

    picked, service = asyncio.run(twice())
    assert (picked[0], service[0]) == (503, 404)


def test_a_closed_orchestrator_is_no_plain_case(fleet: MasterOrchestrator) -> None:
    app = create_app(fleet)
    asyncio.run(ask(app, scope("/health")))
    fleet.close()
    assert app._hot_read(scope("/loadbalancer/core")) is None


def test_registrations_at_once_are_each_answered(api: Api, orch: MasterOrchestrator) -> None:
    start = threading.Barrier(8)

    def register(turn: int) -> list[int]:
        start.wait(10)
        statuses = []
        for index in range(20):
            bad = index % 5 == 4
            service = {"id": f"s{turn}-{index}", "type": "core", "endpoint": "http://127.0.0.1:9"}
            answer = api.register(service | ({"endpoint": "nonsense"} if bad else {}))
            assert answer.json["success"] is not bad
            assert bad or int(answer.headers["Azora-Seq"]) <= orch.status().seq
            statuses.append(answer.status)
        return statuses

    with ThreadPoolExecutor(8) as pool:
        for statuses in pool.map(register, range(8)):
            assert statuses == [200, 200, 200, 200, 400] * 4
    assert orch.status().total_services == 8 * 16


def test_an_app_that_nobody_holds_is_gone() -> None:
    """FastAPI keeps the functions of routes for ever: none of them may hold an app."""
    gone = []
    for _ in range(2):
        orch = MasterOrchestrator()
        app = create_app(orch, auth=None)
        asyncio.run(ask(app, scope("/graph")))
        app.openapi()
        gone.append(weakref.ref(app))
        orch.close()
        del app, orch
    gc.collect()
    assert [one() for one in gone] == [None, None]
