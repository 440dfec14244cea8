"""An entry with replicas goes by its name in Python, its instances by `name@n`."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from typing import Any

import pytest

from azora_orchestrator import Dependency, InvalidSpec, MasterOrchestrator
from conftest import free_port

pytestmark = [pytest.mark.native, pytest.mark.process]

Process = Callable[..., dict[str, Any]]
WAIT_MS = 20_000


def several(process: Process, id: str, count: int, **fields: Any) -> dict[str, Any]:
    """An entry of that many processes."""
    entry = process(id, **fields)
    entry["process"] |= {"replicas": count, "ports": [free_port() for _ in range(count)]}
    return entry


def pids(orch: MasterOrchestrator, *ids: str) -> list[int | None]:
    return [orch.service(id).pid for id in ids]


def test_an_entry_is_read_as_one_service_that_names_its_instances(
    orch: MasterOrchestrator, process: Process
) -> None:
    orch.register(several(process, "web", 2, type="web"))
    orch.wait_ready("web", timeout_ms=WAIT_MS)
    web = orch.service("web")
    assert (web.id, web.status, web.lifecycle, web.desired) == ("web", "healthy", "READY", "up")
    assert web.data["instances"] == ["web@0", "web@1"]
    assert web.data["ready"] == 2
    assert web.config["process"]["replicas"] == 2
    assert (web.pid, web.process) == (None, None)
    assert [service.id for service in orch.services()] == ["web@0", "web@1"]
    assert orch.status().total_services == 2
    assert {orch.pick("web").service_id for _ in range(2)} == {"web@0", "web@1"}


def test_a_verb_acts_on_all_instances(orch: MasterOrchestrator, process: Process) -> None:
    orch.register(several(process, "web", 2))
    orch.wait_ready("web", timeout_ms=WAIT_MS)
    before = pids(orch, "web@0", "web@1")
    answer = orch.restart("web", wait=True, timeout_ms=WAIT_MS)
    assert (answer.service_id, answer.incarnation) == ("web", 2)
    after = pids(orch, "web@0", "web@1")
    assert not set(before) & set(after)
    orch.stop_service("web", wait=True, timeout_ms=WAIT_MS)
    assert pids(orch, "web@0", "web@1") == [None, None]
    assert orch.service("web").desired == "down"
    orch.start_service("web@1", wait=True, timeout_ms=WAIT_MS)
    assert orch.service("web@0").lifecycle == "IDLE"
    web = orch.service("web")
    assert (web.status, web.data["ready"], web.desired) == ("degraded", 1, "up")
    orch.start_service("web", wait=True, timeout_ms=WAIT_MS)
    assert orch.service("web").status == "healthy"


def test_why_names_the_instances_and_counts_them(
    orch: MasterOrchestrator, process: Process
) -> None:
    orch.register(several(process, "web", 3))
    orch.wait_ready("web", timeout_ms=WAIT_MS)
    assert str(orch.why("web")) == "web is healthy: 3 of 3 instances are ready"
    orch.stop_service("web@1", wait=True, timeout_ms=WAIT_MS)
    why = orch.why("web")
    assert why.service_id == "web"
    assert why.summary == (
        "web is degraded: 2 of 3 instances are ready; web@1 is stopped, as requested"
    )
    assert why.unblocked_by == ("a start by you",)
    assert (why.instances, why.ready) == (("web@0", "web@1", "web@2"), 2)


def test_events_of_an_entry_are_those_of_its_instances(
    orch: MasterOrchestrator, process: Process
) -> None:
    told: list[str | None] = []
    seen = threading.Event()

    def tell(event: Any) -> None:
        told.append(event.service_id)
        if len(told) == 2:
            seen.set()

    orch.on("serviceStarted", tell, service="web")
    with orch.events(type="serviceStarted", service="web") as stream:
        orch.register_many([process("webs"), several(process, "web", 2)])
        started = {next(stream).service_id for _ in range(2)}
    assert started == {"web@0", "web@1"}
    assert seen.wait(WAIT_MS / 1000)
    assert set(told) == {"web@0", "web@1"}


def test_a_dependency_on_an_entry_waits_for_as_many_instances_as_it_asks_for(
    orch: MasterOrchestrator, process: Process
) -> None:
    needs = [Dependency(id="db", min=2).to_dict()]
    with orch.events(type=["serviceHealthy", "serviceStarted"]) as stream:
        orch.register_many(
            [process("api", dependencies=needs), several(process, "db", 2)],
        )
        orch.wait_ready(timeout_ms=WAIT_MS)
        story = [(event.type, event.service_id) for event in (next(stream) for _ in range(6))]
    assert story.index(("serviceStarted", "api")) > story.index(("serviceHealthy", "db@0"))
    assert story.index(("serviceStarted", "api")) > story.index(("serviceHealthy", "db@1"))
    orch.stop_service("db@0", wait=True, timeout_ms=WAIT_MS)
    api = orch.service("api")
    assert api.pid is not None
    with orch.events(type="serviceBlocked", service="api") as blocked:
        os.kill(api.pid, signal.SIGKILL)
        event = blocked.next(timeout_ms=WAIT_MS)
    assert event is not None
    assert event.blocked_by == ("db",)
    assert "db (1 of 2 instances ready, 2 needed)" in orch.why("api").summary
    [needed] = orch.dependencies("api")["dependencies"]
    assert (needed["id"], needed["min"], needed["satisfied"], needed["missing"]) == (
        "db",
        2,
        False,
        False,
    )
    orch.start_service("db", wait=True, timeout_ms=WAIT_MS)
    orch.wait_ready("api", timeout_ms=WAIT_MS)


def test_the_graph_is_one_of_entries(orch: MasterOrchestrator, process: Process) -> None:
    orch.register_many(
        [
            process("api", dependencies=["db", "cache@1"]),
            several(process, "db", 2),
            several(process, "cache", 2),
        ]
    )
    graph = orch.graph()
    assert graph["startOrder"] == ["db", "cache", "api"]
    nodes = {node["id"]: node for node in graph["nodes"]}
    assert list(nodes) == ["api", "db", "cache"]
    assert nodes["db"]["instances"] == ["db@0", "db@1"]
    assert "instances" not in nodes["api"]
    assert (nodes["db"]["rank"], nodes["api"]["rank"]) == (0, 1)
    edges = [(edge["from"], edge["to"], edge.get("instance")) for edge in graph["edges"]]
    assert edges == [("api", "db", None), ("api", "cache", "cache@1")]
    assert orch.dependencies("db")["dependents"] == ["api"]
    assert orch.dependencies("cache@0")["dependents"] == []
    tree = [(line["id"], line["missing"]) for line in orch.dependencies("api")["tree"]]
    assert tree == [("api", False), ("db", False), ("cache@1", False)]


def test_a_stop_takes_dependents_first(orch: MasterOrchestrator, process: Process) -> None:
    orch.register_many([several(process, "api", 2, dependencies=["db"]), several(process, "db", 2)])
    orch.wait_ready(timeout_ms=WAIT_MS)
    with orch.events(type="serviceExited") as stream:
        assert orch.stop() == []
        ended = [next(stream).service_id for _ in range(4)]
    assert set(ended[:2]) == {"api@0", "api@1"}
    assert set(ended[2:]) == {"db@0", "db@1"}


def test_more_instances_than_there_are_cannot_be_needed(
    orch: MasterOrchestrator, process: Process
) -> None:
    orch.register(several(process, "db", 2))
    with pytest.raises(InvalidSpec) as refused:
        orch.register(process("api", dependencies=[{"id": "db", "min": 3}]))
    assert [field for field, _ in refused.value.faults] == ["dependencies[0].min"]
    orch.register(process("api", dependencies=[{"id": "db", "min": 2}]))
    with pytest.raises(InvalidSpec) as refused:
        orch.register(process("db"))
    assert [field for field, _ in refused.value.faults] == ["process.replicas"]


def test_what_all_instances_write_is_read_by_the_name_of_the_entry(
    orch: MasterOrchestrator, process: Process
) -> None:
    orch.register(several(process, "web", 2))
    orch.wait_ready("web", timeout_ms=WAIT_MS)
    assert orch.logs("web") == "web@0 | listening\nweb@1 | listening\n"
    assert orch.logs("web@1") == "listening\n"


def test_an_entry_is_removed_by_its_name_and_one_instance_by_its_own(
    orch: MasterOrchestrator, process: Process
) -> None:
    entry = several(process, "web", 3)
    orch.register(entry)
    orch.wait_ready("web", timeout_ms=WAIT_MS)
    assert orch.unregister("web@1")
    assert orch.service("web").data["instances"] == ["web@0", "web@2"]
    orch.register(entry)
    orch.wait_ready("web", timeout_ms=WAIT_MS)
    assert len(orch.services()) == 3
    assert orch.unregister("web")
    assert orch.services() == []
    assert not orch.unregister("web")
