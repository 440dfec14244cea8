"""An entry with replicas goes by its name over REST and on the command line."""

from __future__ import annotations

import contextlib
import http.client
import json
from collections.abc import Callable
from typing import Any

import pytest

from azora_orchestrator import MasterOrchestrator
from cli.conftest import Azora
from conftest import free_port

pytestmark = [pytest.mark.native, pytest.mark.process]

Process = Callable[..., dict[str, Any]]
WAIT_MS = 20_000


@pytest.fixture
def web(orch: MasterOrchestrator, process: Process) -> MasterOrchestrator:
    """An entry of two processes, and one that needs both."""
    entry = process("web")
    entry["process"] |= {"replicas": 2, "ports": [free_port(), free_port()]}
    shop = process("shop", dependencies=[{"id": "web", "min": 2}])
    orch.register_many([entry, shop])
    orch.wait_ready(timeout_ms=WAIT_MS)
    return orch


def test_one_answer_with_the_keys_of_the_seed_and_its_instances(
    web: MasterOrchestrator, api: Any
) -> None:
    found = api.get("/services/web").json
    assert list(found) == [
        "config",
        "health",
        "startTime",
        "lifecycle",
        "desired",
        "instances",
        "ready",
    ]
    assert found["config"]["id"] == "web"
    assert list(found["health"]) == [
        "serviceId",
        "status",
        "lastCheck",
        "uptime",
        "restartCount",
        "errorCount",
        "responseTime",
    ]
    assert (found["health"]["serviceId"], found["health"]["status"]) == ("web", "healthy")
    assert (found["instances"], found["ready"]) == (["web@0", "web@1"], 2)
    assert "instances" not in api.get("/services/web@0").json
    listed = [item["serviceId"] for item in api.get("/services").json["services"]]
    assert listed == ["web@0", "web@1", "shop"]
    assert api.get("/services/web@2").status == 404
    assert api.ask("HEAD", "/services/web").status == 200


def test_verbs_answer_with_the_name_that_was_asked_for(web: MasterOrchestrator, api: Any) -> None:
    answer = api.ask("POST", "/services/web/restart")
    assert answer.status == 202
    assert answer.json["serviceId"] == "web"
    assert answer.json["affected"] == ["shop"]
    answer = api.ask("POST", "/services/web/restart?wait=ready&timeoutMs=20000")
    assert (answer.status, answer.json["serviceId"]) == (200, "web")
    # The second restart meets each instance at another point of the first: the newest counts.
    newest = max(web.service(id).incarnation for id in ("web@0", "web@1"))
    assert answer.json["incarnation"] == newest
    answer = api.ask("POST", "/services/web/stop?wait=stopped&timeoutMs=20000&dependents=1")
    assert answer.status == 200
    assert [service.lifecycle for service in web.services()] == ["IDLE"] * 3
    assert api.ask("POST", "/services/shop/start?wait=ready&dependencies=1").status == 200
    assert web.status().healthy_services == 3


def test_events_of_an_entry(web: MasterOrchestrator, api: Any) -> None:
    told = api.events("service=web&type=serviceStarted")
    assert {event["serviceId"] for event in told} == {"web@0", "web@1"}
    assert {event["serviceId"] for event in api.events("service=web@1")} == {"web@1"}


def test_what_all_instances_write_is_followed(
    web: MasterOrchestrator, process: Process, api: Any
) -> None:
    assert api.get("/services/web/logs").body == b"web@0 | listening\nweb@1 | listening\n"
    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=20)
    with contextlib.closing(connection):
        connection.request("GET", "/services/web/logs?follow=1&lines=0")
        response = connection.getresponse()
        web.restart("web@1", wait=True, timeout_ms=WAIT_MS)
        assert response.readline() == b"web@1 | listening\n"


def test_why_dependencies_and_graph(web: MasterOrchestrator, api: Any) -> None:
    why = api.get("/services/web/why").json
    assert why["serviceId"] == "web"
    assert why["summary"] == "web is healthy: 2 of 2 instances are ready"
    assert why["instances"] == ["web@0", "web@1"]
    needs = api.get("/services/shop/dependencies").json["dependencies"]
    assert [(need["id"], need["min"], need["satisfied"]) for need in needs] == [("web", 2, True)]
    graph = api.get("/graph").json
    assert [node["id"] for node in graph["nodes"]] == ["web", "shop"]
    assert graph["startOrder"] == ["web", "shop"]


def test_a_request_over_an_entry_changes_its_replicas_and_not_what_runs(
    web: MasterOrchestrator, api: Any
) -> None:
    config = web.service("web").config
    request = {"id": "web", "name": "Web", "type": "core", "endpoint": config["endpoint"]}
    pids = [web.service(id).pid for id in ("web@0", "web@1")]
    assert api.register(request | {"healthCheckInterval": 2000}).status == 200
    assert [web.service(id).name for id in ("web@0", "web@1", "web")] == ["Web"] * 3
    assert [web.service(id).pid for id in ("web@0", "web@1")] == pids
    assert web.service("web").config["process"]["replicas"] == 2


def test_delete_removes_all_of_it(web: MasterOrchestrator, api: Any) -> None:
    assert api.ask("DELETE", "/services/web").status == 200
    for id in ("web", "web@0", "web@1"):
        assert api.get(f"/services/{id}").status == 404
    assert [service.id for service in web.services()] == ["shop"]


def test_the_verbs_of_the_command_line(web: MasterOrchestrator, at: str, azora: Azora) -> None:
    said = azora("restart", "web")
    assert (said.code, said.lines) == (0, ["web is ready", "affected: shop"])
    assert azora("restart", "web", "--json").json["serviceId"] == "web"
    why = azora("why", "web")
    assert why.code == 0
    assert why.lines == ["web is healthy (READY): 2 of 2 instances are ready"]
    logs = azora("logs", "web", "-n", "1")
    assert logs.lines == ["web@0 | listening", "web@1 | listening"]
    told = [json.loads(line) for line in azora("events", "--service", "web", "--json").lines]
    assert {event["serviceId"] for event in told} == {"web@0", "web@1"}
    assert azora("graph").lines == ["web [healthy, 2 of 2 ready]", "└─ shop [healthy]"]
    said = azora("stop", "web", "--dependents")
    assert (said.code, said.lines[0]) == (0, "web is stopped")
    assert azora("start", "shop", "--dependencies").code == 0
