"""Drain and maintenance over REST: bodies, answers, what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from azora_orchestrator import MasterOrchestrator
from rest.asking import Answer, Api

pytestmark = [pytest.mark.native, pytest.mark.process]

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def fleet(orch: MasterOrchestrator, process: Any) -> MasterOrchestrator:
    orch.register(process("a"))
    orch.wait_ready("a", timeout_ms=20_000)
    return orch


def post(api: Api, path: str, body: Any) -> Answer:
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    return api.ask("POST", path, text, JSON)


def service(api: Api, id: str = "a") -> dict[str, Any]:
    found: dict[str, Any] = api.get(f"/services/{id}").json
    return found


def test_a_drain_of_a_leased_service_and_its_end(fleet: MasterOrchestrator, api: Api) -> None:
    lease = api.get("/loadbalancer/core?lease=auto").json["lease"]["id"]
    begun = post(api, "/services/a/drain", {"timeoutMs": 600_000})
    assert begun.status == 202
    assert begun.json == {
        "success": True,
        "serviceId": "a",
        "incarnation": 1,
        "seq": begun.json["seq"],
        "affected": ["a"],
    }
    assert int(begun.headers["Azora-Seq"]) >= begun.json["seq"]
    assert api.get("/loadbalancer/core").status == 503
    (candidate,) = api.get("/loadbalancer/core?explain=1").json["candidates"]
    assert (candidate["excluded"], candidate["load"]) == ("draining", 1)
    found = service(api)
    assert found["health"]["status"] == "healthy"
    assert (found["drain"]["state"], found["drain"]["then"]) == ("draining", "keep")
    (detailed,) = api.get("/status/detailed").json["services"]
    assert detailed["drain"] == found["drain"]
    late = post(api, "/services/a/drain?wait=drained&timeoutMs=0", {"timeoutMs": 600_000})
    assert (late.status, late.json["code"]) == (504, "timed_out")
    assert api.ask("POST", f"/leases/{lease}/release").json == {"released": True}
    done = post(api, "/services/a/drain?wait=drained&timeoutMs=30000", {"timeoutMs": 600_000})
    assert done.status == 200
    assert service(api)["drain"]["state"] == "drained"
    ended = api.ask("DELETE", "/services/a/drain")
    assert (ended.status, ended.json["affected"]) == (200, ["a"])
    assert "drain" not in service(api)
    assert api.get("/loadbalancer/core").json["serviceId"] == "a"
    again = api.ask("DELETE", "/services/a/drain")
    assert (again.status, again.json["affected"]) == (200, [])
    told = [event["type"] for event in api.events("service=a&type=serviceDraining,serviceDrained")]
    assert (told[0], told[-1]) == ("serviceDraining", "serviceDrained")
    assert told.count("serviceDraining") == 3


def test_a_drain_without_a_body_has_the_defaults(fleet: MasterOrchestrator, api: Api) -> None:
    assert api.ask("POST", "/services/a/drain?wait=drained&timeoutMs=30000").status == 200
    assert fleet["a"].drain is not None
    assert (fleet["a"].drain.until - fleet["a"].drain.since).total_seconds() == 30


@pytest.mark.parametrize(("then", "lifecycle"), [("stop", "IDLE"), ("restart", "READY")])
def test_what_follows_a_drain(
    fleet: MasterOrchestrator, api: Api, then: str, lifecycle: str
) -> None:
    path = "/services/a/drain?wait=drained&timeoutMs=60000"
    assert post(api, path, {"timeoutMs": 1_000, "then": then}).status == 200
    assert fleet["a"].lifecycle == lifecycle
    assert fleet["a"].drain is None
    assert fleet["a"].incarnation == (2 if then == "restart" else 1)


def test_maintenance(fleet: MasterOrchestrator, api: Api) -> None:
    begun = post(
        api,
        "/services/a/maintenance",
        {"reason": "a new disk", "until": "2100-01-01T01:00:00+01:00"},
    )
    assert (begun.status, begun.json["affected"]) == (200, ["a"])
    found = service(api)
    assert found["desired"] == "hold"
    assert found["maintenance"] == {
        "reason": "a new disk",
        "since": found["maintenance"]["since"],
        "until": "2100-01-01T00:00:00.000Z",
    }
    (candidate,) = api.get("/loadbalancer/core?explain=1").json["candidates"]
    assert candidate["excluded"] == "maintenance"
    assert "(a new disk)" in api.get("/services/a/why").json["summary"]
    assert api.ask("DELETE", "/services/a/maintenance").json["affected"] == ["a"]
    assert api.ask("DELETE", "/services/a/maintenance").json["affected"] == []
    assert "maintenance" not in service(api)
    post(api, "/services/a/maintenance", {"reason": "without an end"})
    assert service(api)["maintenance"]["until"] is None
    assert api.ask("POST", "/services/a/restart?wait=ready&timeoutMs=30000").status == 200
    assert "maintenance" not in service(api), "a restart by its owner ends it"


REFUSED = [
    ("/services/nobody/drain", {}, 404, "unknown_service"),
    ("/services/nobody/maintenance", {"reason": "x"}, 404, "unknown_service"),
    ("/services/url/drain", {"then": "stop"}, 409, "healing_unavailable"),
    ("/services/a/drain", {"timeoutMs": -1}, 400, "timeoutMs"),
    ("/services/a/drain", {"timeoutMs": 2**31}, 400, "timeoutMs"),
    ("/services/a/drain", {"timeoutMs": "30s"}, 400, "timeoutMs"),
    ("/services/a/drain", {"timeoutMs": True}, 400, "timeoutMs"),
    ("/services/a/drain", {"timeoutMs": None}, 400, "timeoutMs"),
    ("/services/a/drain", {"then": "later"}, 400, "then"),
    ("/services/a/drain", {"timeout": 5}, 400, "timeoutMs"),
    ("/services/a/drain", '{"then":"keep","then":"stop"}', 400, "then"),
    ("/services/a/drain", "[1]", 400, "object"),
    ("/services/a/drain", b"\xff", 400, "UTF-8"),
    ("/services/a/drain", "[" * 100_000, 400, "not valid JSON"),
    ("/services/a/drain", '{"timeoutMs":NaN}', 400, "NaN"),
    ("/services/a/drain?wait=ready", {}, 400, "wait"),
    ("/services/a/maintenance", {}, 400, "reason"),
    ("/services/a/maintenance", "", 400, "reason"),
    ("/services/a/maintenance", {"reason": ""}, 400, "reason"),
    ("/services/a/maintenance", {"reason": "\ud800"}, 400, "reason"),
    ("/services/a/maintenance", {"reason": "x" * 1001}, 400, "reason"),
    ("/services/a/maintenance", {"reason": "x", "until": "soon"}, 400, "until"),
    ("/services/a/maintenance", {"reason": "x", "until": "2100-01-01T00:00:00"}, 400, "until"),
    ("/services/a/maintenance", {"reason": "x", "until": "2001-01-01T00:00:00Z"}, 400, "past"),
    ("/services/a/maintenance", {"reason": "x", "until": 5}, 400, "until"),
]


@pytest.mark.parametrize(("path", "body", "status", "word"), REFUSED, ids=str)
def test_what_is_refused_changes_nothing(
    orch: MasterOrchestrator, api: Api, path: str, body: Any, status: int, word: str
) -> None:
    for id in ("a", "url"):
        orch.register(id=id, type="core", endpoint="http://127.0.0.1:9")
    answer = post(api, path, body)
    assert answer.status == status, answer.body
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert word in answer.json["code"] or word in answer.json["error"]
    assert all(one.drain is None and one.maintenance is None for one in orch)


def test_a_body_is_declared(orch: MasterOrchestrator, api: Api) -> None:
    orch.register(id="a", type="core", endpoint="http://127.0.0.1:9")
    answer = api.ask("POST", "/services/a/drain", "{}", {"Content-Type": "text/plain"})
    assert answer.status == 415
    assert orch["a"].drain is None
