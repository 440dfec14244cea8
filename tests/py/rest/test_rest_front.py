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
from azora_orchestrator.vocabulary import STRATEGIES
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


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/loadbalancer/core", b""),
        ("/loadbalancer/a", b""),
        ("/services/a", b""),
        *(("/loadbalancer/core", b"strategy=" + name.encode()) for name in STRATEGIES),
        ("/loadbalancer/core", b"key=customer-7"),
        ("/loadbalancer/core", b"strategy=ip-hash&key=customer-7&lease=none"),
        ("/loadbalancer/core", b"key=a.b_c~d:e/f@g&strategy=ip-hash"),
    ],
)
def test_the_short_way_answers_as_the_long_one(
    fleet: MasterOrchestrator, path: str, query: bytes
) -> None:
    app = create_app(fleet)
    short = scope(path, query_string=query)
    long = scope(path, query_string=query + b"&unknown=1")

    async def both() -> Any:
        long_way = await ask(app, long)  # judges the Host, too
        assert app._hot_read(long) is None
        assert app._hot_read(short) is not None
        return long_way, await ask(app, short)

    long_way, short_way = asyncio.run(both())
    assert short_way == long_way
    assert json.loads(short_way[2])


def test_a_key_finds_the_same_instance_on_both_ways(
    fleet: MasterOrchestrator, web: Callable[[], Any]
) -> None:
    service = web()
    for id in "bcdefgh":
        fleet.register(id=id, type="core", endpoint=service.endpoint)
        fleet.wait_ready(id, timeout_ms=20_000)
    app = create_app(fleet)

    async def picked(query: bytes) -> Any:
        return json.loads((await ask(app, scope("/loadbalancer/core", query_string=query)))[2])

    async def both() -> None:
        chosen = set()
        for number in range(20):
            query = b"strategy=ip-hash&key=k%d" % number
            short, long = await picked(query), await picked(query + b"&unknown=1")
            assert short["serviceId"] == long["serviceId"]
            chosen.add(short["serviceId"])
        assert len(chosen) > 1

    asyncio.run(both())


def test_a_lease_of_the_short_way_is_held_until_it_is_released(fleet: MasterOrchestrator) -> None:
    app = create_app(fleet)
    asyncio.run(ask(app, scope("/health")))
    request = scope("/loadbalancer/core", query_string=b"lease=auto")
    messages = app._hot_read(request)
    assert messages is not None
    body = json.loads(messages[1]["body"])
    long_way = json.loads(asyncio.run(ask(app, request | {"query_string": b"lease=auto&x=1"}))[2])
    assert list(body) == list(long_way) == ["serviceId", "endpoint", "health", "strategy", "lease"]
    assert body["lease"]["ttlMs"] == long_way["lease"]["ttlMs"]
    assert body["lease"]["id"] != long_way["lease"]["id"]
    for answer in (body, long_way):
        assert fleet._core.release(answer["lease"]["id"])
        assert not fleet._core.release(answer["lease"]["id"])
    for query in (b"", b"lease=none"):
        plain = app._hot_read(request | {"query_string": query})
        assert "lease" not in json.loads(plain[1]["body"])


@pytest.mark.parametrize(
    "header", [(b"origin", b"http://evil.example"), (b"sec-fetch-site", b"cross-site")]
)
def test_a_page_of_another_site_takes_no_lease(
    fleet: MasterOrchestrator, header: tuple[bytes, bytes]
) -> None:
    app = create_app(fleet)
    asyncio.run(ask(app, scope("/health")))
    asked = {"query_string": b"lease=auto", "headers": [HOST, header]}
    status, _, body = asyncio.run(ask(app, scope("/loadbalancer/core", **asked)))
    assert (status, json.loads(body)["code"]) == (403, "foreign_origin")
    assert "azora_leases_taken_total 0" in fleet.metrics()


@pytest.mark.parametrize(
    "query",
    [
        b"strategy=fastest",
        b"strategy=",
        b"strategy",
        b"strategy=weighted&strategy=weighted",
        b"key=",
        b"key=a&key=b",
        b"key=a%20b",
        b"key=a+b",
        b"key=a;strategy=weighted",
        b"key=a=b",
        b"key=\xc3\xa4",
        b"lease=sometimes",
        b"lease=auto&lease=auto",
        b"lease=none&lease=none",
        b"explain=1",
        b"unknown=1",
        b"Key=a",
        b"&",
        b"&key=a",
        b"key=a&",
        b"key=a&&lease=none",
        b"=a",
    ],
)
def test_a_query_that_must_be_judged_goes_the_long_way(
    fleet: MasterOrchestrator, query: bytes
) -> None:
    app = create_app(fleet)
    asyncio.run(ask(app, scope("/health")))
    asked = scope("/loadbalancer/core", query_string=query)
    assert app._hot_read(asked) is None
    assert app._hot_read_passed(asked) is None
    assert app._hot_read(scope("/services/a", query_string=b"key=a")) is None


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
        {"headers": [HOST, (b"origin", b"http://127.0.0.1:5000")]},
        {"headers": [HOST, (b"sec-fetch-site", b"same-origin")]},
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
