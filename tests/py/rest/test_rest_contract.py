"""The seed's contract, row by row, and what we answer where the seed did not care."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from azora_orchestrator import MasterOrchestrator
from azora_orchestrator.server import app as application

pytestmark = pytest.mark.native

ROWS = json.loads(Path(__file__).with_name("seed_contract.json").read_text())
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
HEALTH = ["serviceId", "status", "lastCheck", "uptime", "restartCount", "errorCount"]
HEALTH.append("responseTime")
CONFIG = ["id", "name", "type", "endpoint", "healthCheckPath", "healthCheckInterval"]
CONFIG += ["maxRestarts", "priority", "dependencies"]
FOREIGN = "http://evil.example"


def matches(pattern: Any, value: Any) -> bool:
    """Whether `value` has the pattern's keys first and in its order, and its values."""
    if isinstance(pattern, dict):
        keys = list(pattern)
        return (
            isinstance(value, dict)
            and list(value)[: len(keys)] == keys
            and all(matches(pattern[key], value[key]) for key in keys)
        )
    if isinstance(pattern, list):
        return (
            isinstance(value, list)
            and len(value) == len(pattern)
            and all(map(matches, pattern, value))
        )
    if pattern == "<any>":
        return True
    if pattern == "<str>":
        return isinstance(value, str) and bool(value)
    if pattern == "<iso>":
        return isinstance(value, str) and bool(ISO.fullmatch(value))
    if isinstance(pattern, str) and pattern.startswith("<health:"):
        return is_health(value, pattern[8:-1])
    if isinstance(pattern, str) and pattern.startswith("<config:"):
        wanted = [key for key in value if key in CONFIG]
        return wanted == [key for key in CONFIG if key in value] and value["id"] == pattern[8:-1]
    return bool(pattern == value and type(pattern) is type(value))


def is_health(value: Any, service_id: str) -> bool:
    return (
        list(value)[:7] == HEALTH
        and value["serviceId"] == service_id
        and value["status"] in ("healthy", "unhealthy", "degraded", "unknown")
        and bool(ISO.fullmatch(value["lastCheck"]))
        and all(type(value[key]) is int for key in HEALTH[3:])
    )


@pytest.fixture
def fleet(orch: MasterOrchestrator, web: Callable[[], Any]) -> MasterOrchestrator:
    for service_id, name, kind in (("orders", "Orders Desk", "core"), ("retail", "Retail", "ui")):
        orch.register(
            {
                "id": service_id,
                "name": name,
                "type": kind,
                "endpoint": web().endpoint,
                "healthCheckInterval": 30_000,
                "metadata": {"team": "läden"},
            }
        )
        orch.wait_ready(service_id, timeout_ms=10_000)
    return orch


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_row_of_the_seed(row: list[Any], fleet: Any, api: Any) -> None:
    _, method, path, body, status, pattern = row
    headers = {} if body is None else {"Content-Type": "application/json"}
    before = api.get("/services").body
    answer = api.ask(method, path, None if body is None else json.dumps(body), headers)
    assert answer.status == status, answer.body
    assert matches(pattern, answer.json), answer.body
    assert int(answer.headers["Azora-Seq"]) >= 0
    compact = json.dumps(answer.json, ensure_ascii=False, separators=(",", ":"))
    assert len(compact.encode()) == len(answer.body)
    if status == 200:
        assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
        return
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json["detail"] == answer.json["error"]
    assert answer.json["status"] == status
    assert {"type", "title", "code"} <= set(answer.json)
    assert api.get("/services").body == before


def test_unknown_fields_and_metadata_are_echoed(api: Any) -> None:
    extra = {"team": "läden", "limits": {"rps": [1, 2.5, None, True]}, "0": ""}
    spec = {"id": "a", "type": "core", "endpoint": "http://127.0.0.1:1"} | extra
    assert api.register(spec).status == 200
    config = api.get("/services/a").json["config"]
    assert {key: config[key] for key in extra} == extra


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"id":"a","id":"b"}',
        b'{"id":"\\ud800"}',
        b'{"id":1e999}',
        b"[" * 40 + b"]" * 40,
        b'{"id":"\xff"}',
        b"{'id':'a'}",
        b'{"id":"a",}',
        b"null",
    ],
)
def test_malformed_json_is_400_in_json(body: bytes, api: Any) -> None:
    answer = api.register(body)
    assert answer.status == 400
    assert list(answer.json)[:2] == ["success", "error"]


def test_a_byte_order_mark_is_ignored(api: Any) -> None:
    body = b'\xef\xbb\xbf{"id":"a","type":"core","endpoint":"http://127.0.0.1:1"}'
    assert api.register(body).status == 200


def test_a_body_not_declared_as_json_is_415(api: Any) -> None:
    body = '{"id":"a","type":"core","endpoint":"http://127.0.0.1:1"}'
    for kind in ("text/plain", "application/x-www-form-urlencoded", "", "application/jsonp"):
        answer = api.ask("POST", "/services/register", body, {"Content-Type": kind})
        assert answer.status == 415, kind
    fine = {"Content-Type": "application/merge-patch+json; charset=utf-8"}
    assert api.ask("POST", "/services/register", body, fine).status == 200


def test_a_body_over_256_kib_is_413_with_and_without_length(api: Any) -> None:
    body = b'{"id":"' + b"a" * (1 << 20) + b'"}'
    assert api.register(body).status == 413
    headers = {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}
    chunk = b"40000\r\n" + b"a" * 0x40000 + b"\r\n" + b"10\r\n" + b"a" * 16 + b"\r\n0\r\n\r\n"
    assert api.ask("POST", "/services/register", chunk, headers).status == 413


def test_refused_services_name_every_fault(api: Any) -> None:
    spec = {"id": "-", "type": "core", "endpoint": "ftp://x", "healthCheckInterval": 1}
    answer = api.register(spec)
    assert answer.status == 400
    assert {item["field"] for item in answer.json["faults"]} >= {"id", "endpoint"}
    for item in answer.json["faults"]:
        assert item["message"] in answer.json["error"]


def test_head_is_get_without_a_body(fleet: Any, api: Any) -> None:
    for path in ("/health", "/status", "/services/orders", "/graph", "/docs", "/services/none"):
        head, get = api.ask("HEAD", path), api.get(path)
        assert (head.status, head.body) == (get.status, b""), path
        assert head.headers["Content-Type"] == get.headers["Content-Type"]


def test_head_takes_no_turn(orch: MasterOrchestrator, web: Callable[[], Any], api: Any) -> None:
    for service_id in ("a", "b"):
        orch.register({"id": service_id, "type": "core", "endpoint": web().endpoint})
        orch.wait_ready(service_id, timeout_ms=10_000)
    picks = []
    for _ in range(6):
        assert api.ask("HEAD", "/loadbalancer/core").status == 200
        picks.append(api.get("/loadbalancer/core").json["serviceId"])
    assert picks in (["a", "b"] * 3, ["b", "a"] * 3)


def test_picks_are_not_stored_and_name_their_strategy(fleet: Any, api: Any) -> None:
    answer = api.get("/loadbalancer/core?strategy=ip-hash&key=me")
    assert answer.json["strategy"] == "ip-hash"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "ETag" not in answer.headers
    refused = api.get("/loadbalancer/core?strategy=best")
    assert (refused.status, refused.json["code"]) == (400, "invalid_argument")
    assert api.get("/loadbalancer/core?strategy=weighted&strategy=ip-hash").status == 400


def test_a_lease_is_given_and_released_once(fleet: Any, api: Any) -> None:
    lease = api.get("/loadbalancer/core?lease=auto").json["lease"]
    assert list(lease) == ["id", "ttlMs"]
    assert api.ask("POST", f"/leases/{lease['id']}/release").json == {"released": True}
    assert api.ask("POST", f"/leases/{lease['id']}/release").json == {"released": False}
    assert api.ask("POST", "/leases/none/release").json == {"released": False}
    assert "lease" not in api.get("/loadbalancer/core").json


def test_a_pick_can_be_explained(fleet: Any, api: Any) -> None:
    candidates = api.get("/loadbalancer/core?explain=1").json["candidates"]
    assert [item["serviceId"] for item in candidates] == ["orders"]
    assert list(candidates[0]) == ["serviceId", "tier", "load", "loadSource", "weight"]


def test_a_pick_that_finds_nobody_is_explained_too(fleet: Any, api: Any) -> None:
    fleet.register({"id": "sick", "type": "b2b", "endpoint": "http://127.0.0.1:1"})
    answer = api.get("/loadbalancer/b2b?explain=1")
    assert answer.status == 503
    assert answer.json["error"] == "No healthy instances available for service type: b2b"
    (candidate,) = answer.json["candidates"]
    assert candidate["serviceId"] == "sick"
    assert candidate["excluded"] in ("unknown", "unhealthy")
    assert api.get("/loadbalancer/none?explain=1").json["candidates"] == []
    assert "candidates" not in api.get("/loadbalancer/b2b").json


def timeless(value: Any) -> Any:
    """What a response says apart from figures that move on by themselves."""
    if isinstance(value, dict):
        moving = {"lastCheck", "responseTime", "uptime", "timestamp"}
        return [(key, None if key in moving else timeless(item)) for key, item in value.items()]
    return [timeless(item) for item in value] if isinstance(value, list) else value


def test_a_large_fleet_answers_the_same_from_a_thread(
    fleet: Any, api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The core answers lists of a small fleet itself, unless something is asked of them.
    paths = ("/status?x", "/services?x", "/services?type=core", "/loadbalancer/core?explain=1")
    paths += ("/loadbalancer/none?explain=1", "/loadbalancer/core?explain=2")
    before = [api.get(path) for path in paths]
    threads: list[Any] = []
    in_thread = api.app.in_thread

    async def noting(call: Any, *args: Any) -> Any:
        threads.append(call)
        return await in_thread(call, *args)

    monkeypatch.setattr(api.app, "in_thread", noting)
    monkeypatch.setattr(application, "LARGE_FLEET", 0)
    after = [api.get(path) for path in paths]
    assert len(threads) == len(paths) - 1  # the last one is refused before
    for one, other in zip(before, after, strict=True):
        assert (one.status, timeless(one.json)) == (other.status, timeless(other.json))
        for name in ("Content-Type", "Cache-Control"):
            assert one.headers[name] == other.headers[name]
    head = api.ask("HEAD", "/loadbalancer/core?explain=1&lease=auto")
    assert (head.status, head.body) == (200, b"")
    assert b"\nazora_leases_taken_total 0\n" in api.get("/metrics").body


def test_bytes_are_serialised_once_per_change(fleet: Any, api: Any) -> None:
    def serialised() -> int:
        lines = api.get("/metrics").body.decode().splitlines()
        (line,) = (line for line in lines if line.startswith("azora_bytes_serialised_total "))
        return int(line.split()[1])

    before = serialised()
    body = api.get("/services/orders").body
    made = serialised() - before
    assert 0 < made < len(body)  # what stands around its figures
    for _ in range(3):
        assert api.get("/services/orders").body == body
    assert serialised() - before == made


def test_metrics_tell_what_the_last_turn_touched(fleet: Any, api: Any) -> None:
    for number in range(200):
        spec = {"id": f"s{number}", "type": "core", "endpoint": "http://127.0.0.1:1"}
        fleet.register(spec | {"healthCheckInterval": 3_600_000})
    assert api.ask("DELETE", "/services/s7").status == 200
    text = api.get("/metrics").body.decode()
    figures = dict(re.findall(r"^(azora_turn_\w+) (\d+)$", text, re.MULTILINE))
    assert set(figures) == {"azora_turn_views_built", "azora_turn_pool_members_touched"}
    assert all(1 <= int(figure) <= 8 for figure in figures.values()), figures


def test_head_never_takes_a_lease(fleet: Any, api: Any) -> None:
    assert api.ask("HEAD", "/loadbalancer/core?lease=auto").status == 200
    assert b"\nazora_leases_taken_total 0\n" in api.get("/metrics").body
    assert api.get("/loadbalancer/core?lease=auto").status == 200
    assert b"\nazora_leases_taken_total 1\n" in api.get("/metrics").body


def test_picks_are_503_while_stopped(fleet: Any, api: Any) -> None:
    assert api.ask("POST", "/orchestrator/stop").status == 200
    assert api.ask("POST", "/orchestrator/stop").status == 200
    assert api.get("/status").json["running"] is False
    assert api.get("/loadbalancer/core").status == 503
    assert api.get("/health").json["status"] == "ok"
    assert api.get("/readyz").status == 503
    assert api.ask("POST", "/orchestrator/start").status == 200
    fleet.wait_ready("orders", timeout_ms=10_000)
    assert api.get("/loadbalancer/core").status == 200
    assert api.get("/readyz").json == {"ready": True}


def test_verbs_on_a_service_with_only_a_url_are_409(fleet: Any, api: Any) -> None:
    for verb in ("start", "stop", "restart"):
        answer = api.ask("POST", f"/services/orders/{verb}")
        assert (answer.status, answer.json["code"]) == (409, "healing_unavailable"), verb
        assert api.ask("POST", f"/services/none/{verb}").status == 404
    assert api.ask("POST", "/services/orders/restart?wait=stopped").status == 400
    assert api.ask("POST", "/services/orders/restart?wait=ready&timeoutMs=x").status == 400


def test_the_rest_answers(fleet: Any, api: Any) -> None:
    why = api.get("/services/orders/why").json
    assert why["serviceId"] == "orders"
    assert {"summary", "lifecycle", "status", "blockedBy", "unblockedBy"} <= set(why)
    for path in ("why", "dependencies", "logs"):
        assert api.get(f"/services/none/{path}").json["error"] == "Service not found"
    assert api.get("/healthz").json == {"status": "ok"}
    metrics = api.get("/metrics")
    assert metrics.headers["Content-Type"].startswith("text/plain; version=0.0.4")


NEEDS = ["orders", {"id": "retail", "condition": "started", "strength": "soft"}, "gone"]


def edge(id: str, satisfied: bool, condition: str = "healthy", strength: str = "hard") -> Any:
    needed = {"condition": condition, "strength": strength, "min": 1, "satisfied": satisfied}
    return {"id": id, **needed}


def test_the_graph_has_every_service_every_dependency_and_the_start_order(
    fleet: Any, api: Any
) -> None:
    shop = {"id": "shop", "type": "b2b", "endpoint": "http://127.0.0.1:1", "dependencies": NEEDS}
    fleet.register(shop | {"healthCheckInterval": 3_600_000})
    graph = api.get("/graph").json
    assert list(graph) == ["nodes", "edges", "startOrder"]
    assert [list(node) for node in graph["nodes"]] == [
        ["id", "type", "status", "lifecycle", "rank"]
    ] * 3
    places = [(node["id"], node["type"], node["rank"]) for node in graph["nodes"]]
    assert places == [("orders", "core", 0), ("retail", "ui", 0), ("shop", "b2b", 1)]
    orders = graph["nodes"][0]
    assert (orders["status"], orders["lifecycle"]) == ("healthy", "WATCHING")
    drawn = [{"id": one.pop("to"), **one} for one in graph["edges"]]
    assert drawn == [
        {**edge("orders", True), "from": "shop"},
        {**edge("retail", True, "started", "soft"), "from": "shop"},
        {**edge("gone", False), "from": "shop"},
    ]
    assert graph["startOrder"] == ["orders", "retail", "shop"]


def test_dependencies_go_both_ways_and_name_what_is_missing(fleet: Any, api: Any) -> None:
    shop = {"id": "shop", "type": "b2b", "endpoint": "http://127.0.0.1:1", "dependencies": NEEDS}
    fleet.register(shop | {"healthCheckInterval": 3_600_000})
    assert api.get("/services/shop/dependencies").json == {
        "serviceId": "shop",
        "dependencies": [
            {**edge("orders", True), "missing": False, "status": "healthy"},
            {**edge("retail", True, "started", "soft"), "missing": False, "status": "healthy"},
            {**edge("gone", False), "missing": True, "status": "unknown"},
        ],
        "dependents": [],
        "tree": [
            {"id": "shop", "depth": 0, "missing": False},
            {"id": "orders", "depth": 1, "missing": False},
            {"id": "retail", "depth": 1, "missing": False},
            {"id": "gone", "depth": 1, "missing": True},
        ],
    }
    assert api.get("/services/orders/dependencies").json == {
        "serviceId": "orders",
        "dependencies": [],
        "dependents": ["shop"],
        "tree": [{"id": "orders", "depth": 0, "missing": False}],
    }
