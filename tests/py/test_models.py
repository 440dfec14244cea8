"""models.py and its neighbours: what users get is immutable, documented and can be sent on."""

from __future__ import annotations

import asyncio
import json
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from azora_orchestrator import (
    FleetStatus,
    Graph,
    MasterOrchestrator,
    NoHealthyInstance,
    Process,
    Service,
    ServiceConfig,
    VerbAnswer,
    Why,
)
from azora_orchestrator.models import pick_from_dict
from conftest import WebService

pytestmark = pytest.mark.native

Web = Callable[[], WebService]

PROCESS: dict[str, Any] = {
    "pid": 7,
    "incarnation": 2,
    "startedAt": "2026-12-01T00:35:37.124Z",
    "cpuPercent": 1.5,
    "rssBytes": 4096,
    "lastExit": {
        "code": None,
        "signal": "SIGKILL",
        "oom": False,
        "at": "2026-12-01T00:35:37.100Z",
    },
    "logDropped": 3,
    "logLoss": {
        "lines": 3,
        "bytes": 30,
        "since": "2026-12-01T00:35:37.000Z",
        "reason": "No space left on device",
        "goesOn": True,
    },
}


def register(orch: MasterOrchestrator, id: str = "a", **fields: Any) -> None:
    fields.setdefault("endpoint", "http://127.0.0.1:9")
    orch.register(ServiceConfig(id=id, type="core", **fields))


def test_a_process_has_attributes_and_the_wires_keys() -> None:
    process = Process.from_dict(PROCESS)
    assert (process.pid, process.incarnation, process.cpu_percent, process.rss_bytes) == (
        7,
        2,
        1.5,
        4096,
    )
    assert process.started_at is not None
    assert process.started_at.isoformat() == "2026-12-01T00:35:37.124000+00:00"
    exit = process.last_exit
    assert exit is not None
    assert (exit.code, exit.signal, exit.oom, exit.reason) == (None, "SIGKILL", False, None)
    assert process.started_at > exit.at
    loss = process.log_loss
    assert loss is not None
    assert (loss.lines, loss.bytes, loss.goes_on, process.log_dropped) == (3, 30, True, 3)
    assert (loss.since < exit.at, loss.reason) == (True, "No space left on device")
    assert process["lastExit"]["signal"] == "SIGKILL"
    assert process.to_dict() == PROCESS
    assert pickle.loads(pickle.dumps(process)) == process
    assert "'SIGKILL'" in repr(process)


def test_a_change_of_a_copy_changes_nothing_else() -> None:
    process = Process(PROCESS)
    process["lastExit"]["signal"] = process.to_dict()["lastExit"]["signal"] = "SIGTERM"
    assert process.last_exit is not None
    assert process.last_exit.signal == "SIGKILL"
    with pytest.raises(AttributeError):
        process.pid = 8  # type: ignore[misc]


def test_what_a_service_hands_out_is_a_copy(orch: MasterOrchestrator) -> None:
    register(orch, metadata={"team": "a"})
    service = orch.service("a")
    service.data["config"]["id"] = service.config["metadata"]["team"] = "b"
    assert (service.data["config"]["id"], service.config["metadata"]) == ("a", {"team": "a"})
    orch.register(
        ServiceConfig(
            id="p", type="job", health_check={"type": "process"}, process={"argv": ["sleep", "60"]}
        )
    )
    service = orch.service("p")
    assert service.process is not None
    service.process.to_dict()["incarnation"] = service.data["process"]["incarnation"] = 99
    assert service.process["incarnation"] == service.process.incarnation != 99


def test_a_service_is_made_again_from_its_answer(orch: MasterOrchestrator, web: Web) -> None:
    register(orch, endpoint=web().endpoint, group="g")
    orch.wait_ready("a", timeout_ms=10_000)
    orch.stop()
    own = orch.service("a")
    other = Service.from_dict(own.to_dict(), seq=own.seq)
    left_out = {"config", "data", "from_dict", "generation", "origin", "to_dict"}
    names = [name for name in dir(Service) if not name.startswith("_") and name not in left_out]
    assert len(names) > 20
    assert {name: getattr(other, name) for name in names} == {
        name: getattr(own, name) for name in names
    }
    assert (other.config, other.data) == (own.config, own.data)
    assert pickle.loads(pickle.dumps(other)) == other
    assert (other.generation, other.origin, own.origin) == (0, None, "python")


def test_the_status_has_the_services_without_asking_for_details(orch: MasterOrchestrator) -> None:
    register(orch)
    status = orch.status()
    assert [service.id for service in status.services] == ["a"]
    assert [service.id for service in status] == ["a"]
    register(orch, "b")
    assert [service.id for service in status.services] == ["a"]  # read once
    assert [service.id for service in orch.status(detailed=True).services] == ["a", "b"]
    with pytest.raises(AttributeError, match="cannot be changed"):
        status.running = False
    assert status != orch.status()
    assert pickle.loads(pickle.dumps(status)) == status
    data = status.to_dict()
    again = FleetStatus.from_dict(data, seq=status.seq, services=status.services)
    assert (again, again.to_dict()) == (status, data)
    assert data["services"][0]["serviceId"] == "a"
    assert repr(status).startswith("<FleetStatus running, 0 of 1 healthy, seq ")


def test_reasons_and_answers_are_made_again_from_their_form_on_the_wire(
    orch: MasterOrchestrator,
) -> None:
    register(orch)
    why = orch.why("a")
    assert Why.from_dict(why.to_dict()) == why
    assert json.loads(orch._core.why_json("a")).keys() == why.to_dict().keys()
    timed = why.to_dict() | {"nextAttemptAt": "2026-12-01T00:35:37.124Z", "ready": 1}
    timed["instances"] = ["a@0"]
    assert Why.from_dict(timed).to_dict() == timed
    answer = VerbAnswer("a", 1, 5, ("b",))
    assert VerbAnswer.from_dict({"success": True, **answer.to_dict()}) == answer


def test_why_has_the_last_error(orch: MasterOrchestrator) -> None:
    register(orch)
    for event in orch.events(since=0, type="serviceUnhealthy"):
        assert event.reason
        break
    assert "connection refused" in (orch.why("a").last_error or "")


def test_a_pick_can_be_sent_on(orch: MasterOrchestrator, web: Web) -> None:
    register(orch, endpoint=web().endpoint)
    orch.wait_ready("a", timeout_ms=10_000)
    pick = orch.pick("core")
    copy = pickle.loads(pickle.dumps(pick))
    assert (copy, hash(copy), type(copy)) == (pick, hash(pick), type(pick))
    assert pick_from_dict(pick.to_dict()) == pick
    assert pick_from_dict({"serviceId": "b", "endpoint": pick.endpoint}) != pick
    assert pick != 5
    assert "_core" not in f"{type(pick)} {pickle.dumps(pick)!r}"


def test_a_lease_outlives_a_block_and_knows_where_it_came_from(
    orch: MasterOrchestrator, web: Web
) -> None:
    register(orch, endpoint=web().endpoint)
    orch.wait_ready("a", timeout_ms=10_000)
    lease = orch.lease("core", strategy="least-connections")
    assert (lease.pool, lease.strategy, lease.pick) == (
        "core",
        "least-connections",
        orch.pick("core"),
    )
    assert (lease.service_id, lease.endpoint) == ("a", orch.pick("core").endpoint)
    assert lease.to_dict()["lease"] == {"id": lease.id, "ttlMs": lease.ttl_ms}
    assert lease.release()
    assert not lease.release()

    async def use() -> Any:
        async with orch.lease("core") as inner:
            return inner

    inner = asyncio.run(use())
    assert not inner.release()
    with pytest.raises(NoHealthyInstance):
        orch.lease("nobody")


def test_notebooks_show_tables(orch: MasterOrchestrator) -> None:
    orch.register_many(
        [
            ServiceConfig(id="db", type="core", endpoint="http://127.0.0.1:9/a&b"),
            ServiceConfig(
                id="api", type="core", endpoint="http://127.0.0.1:9", dependencies=["db", "x"]
            ),
        ]
    )
    for shown in (
        orch.service("db"),
        orch.status(),
        orch.graph(),
        orch.dependencies("api"),
    ):
        text = shown._repr_html_()
        assert text.count("<table>") == text.count("</table>") == 1
        assert "db" in text
    assert "/a&amp;b" in orch.service("db")._repr_html_()
    assert "x (not satisfied)" in orch.graph()._repr_html_()


def test_a_graph_is_the_answer_of_the_wire(orch: MasterOrchestrator) -> None:
    register(orch)
    graph = orch.graph()
    assert graph["startOrder"] == ["a"]
    assert Graph.from_dict(graph.to_dict()) == graph
