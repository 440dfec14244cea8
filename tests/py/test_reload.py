"""Reload of a configuration file: plan, change, refusal; by Python, REST, signal and on change."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from azora_orchestrator import MasterOrchestrator, ReloadPlan
from azora_orchestrator.errors import InvalidArgument, InvalidSpec
from conftest import free_port
from durable_rig import Server, alive, until

SLEEP = {"argv": ["sleep", "1000"]}


def job(id: str, **more: Any) -> dict[str, Any]:
    return {"id": id, "type": "core", "healthCheck": {"type": "process"}, "process": SLEEP} | more


class File:
    """A configuration file, written whole each time."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "fleet.json"

    def write(self, *services: dict[str, Any], **more: Any) -> None:
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps({"services": list(services), **more}))
        new.rename(self.path)


@pytest.fixture
def file(tmp_path: Path) -> File:
    return File(tmp_path)


@pytest.fixture
def fleet(file: File) -> Iterator[MasterOrchestrator]:
    file.write(job("a"), job("b", dependencies=["a"]))
    with MasterOrchestrator.from_file(file.path) as orch:
        orch.wait_ready(timeout_ms=20_000)
        yield orch


def actions(plan: ReloadPlan) -> list[tuple[str, str]]:
    return [(change.service_id, change.action) for change in plan.changes]


def pid(orch: MasterOrchestrator, id: str) -> int:
    found = orch[id].process.pid
    assert found is not None
    return found


def test_a_plan_says_what_would_happen_and_changes_nothing(
    fleet: MasterOrchestrator, file: File
) -> None:
    file.write(job("a", maxRestarts=9), job("new"))
    seq = fleet.status().seq
    plan = fleet.reload(plan=True)
    assert actions(plan) == [("b", "remove"), ("a", "change"), ("new", "add")]
    assert plan.changes[1].fields == ("maxRestarts",)
    assert not plan.changes[1].restart
    assert not plan.applied
    assert fleet.status().seq == seq
    assert {one.id for one in fleet.services()} == {"a", "b"}
    assert ReloadPlan.from_dict(plan.to_dict()) == plan


def test_live_changes_restart_nothing(fleet: MasterOrchestrator, file: File) -> None:
    before = pid(fleet, "a")
    file.write(job("a", maxRestarts=9, priority=8), job("b", dependencies=["a"]), job("c"))
    plan = fleet.reload()
    assert plan.applied
    assert plan.unchanged == 1
    assert actions(plan) == [("a", "change"), ("c", "add")]
    fleet.wait_ready("c", timeout_ms=20_000)
    assert pid(fleet, "a") == before
    assert fleet["a"].config["maxRestarts"] == 9
    assert actions(fleet.reload()) == []


def test_another_program_runs_when_it_is_asked_for(fleet: MasterOrchestrator, file: File) -> None:
    before = pid(fleet, "a")
    other = job("a", process={"argv": ["sleep", "2000"]})
    file.write(other, job("b", dependencies=["a"]))
    plan = fleet.reload()
    assert plan.changes[0].restart
    assert plan.changes[0].fields == ("process.argv",)
    assert pid(fleet, "a") == before
    assert fleet["a"].restart_required
    file.write(other | {"process": {"argv": ["sleep", "3000"]}}, job("b", dependencies=["a"]))
    assert "is restarted" in str(fleet.reload(restart_changed=True))
    until(lambda: not alive(before))
    fleet.wait_ready("a", timeout_ms=20_000)
    assert not fleet["a"].restart_required


def test_a_faulty_file_changes_nothing(fleet: MasterOrchestrator, file: File) -> None:
    file.write(job("a", maxRestarts=-7), job("c"))
    with pytest.raises(InvalidSpec, match="maxRestarts"):
        fleet.reload()
    file.path.write_text("{")
    with pytest.raises(InvalidSpec):
        fleet.reload()
    assert {one.id for one in fleet.services()} == {"a", "b"}


def test_what_does_not_fit_beside_others_changes_nothing(
    fleet: MasterOrchestrator, file: File
) -> None:
    fleet.register(job("mine", group="special"))
    file.write(job("c", type="special"))
    with pytest.raises(InvalidSpec, match="special"):
        fleet.reload()
    assert {one.id for one in fleet.services()} == {"a", "b", "mine"}


def test_a_name_may_take_over_the_port_of_one_that_goes(tmp_path: Path, file: File) -> None:
    port = free_port()
    served = {
        "type": "core",
        "endpoint": f"http://127.0.0.1:{port}",
        "healthCheckPath": "/",
        "process": {"argv": [sys.executable, "-m", "http.server", "{port}", "-b", "127.0.0.1"]},
    }
    file.write({"id": "old", **served})
    with MasterOrchestrator.from_file(file.path) as orch:
        orch.wait_ready(timeout_ms=20_000)
        file.write({"id": "new", **served})
        orch.reload()
        orch.wait_ready("new", timeout_ms=30_000)
        assert [one.id for one in orch.services()] == ["new"]


def test_replicas_are_scaled(fleet: MasterOrchestrator, file: File) -> None:
    def workers(count: int) -> dict[str, Any]:
        return job("w", process=SLEEP | {"replicas": count})

    file.write(workers(2))
    fleet.reload()
    fleet.wait_ready("w", timeout_ms=20_000)
    kept = pid(fleet, "w@0")
    file.write(workers(4))
    plan = fleet.reload()
    assert "4 instances instead of 2" in str(plan)
    fleet.wait_ready("w", timeout_ms=20_000)
    assert len([one for one in fleet.services() if one.id.startswith("w@")]) == 4
    assert pid(fleet, "w@0") == kept


def test_without_a_file_there_is_nothing_to_reload(orch: MasterOrchestrator) -> None:
    with pytest.raises(InvalidArgument, match="path"):
        orch.reload()


@pytest.fixture
def serve(tmp_path: Path, file: File) -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def begin(*options: str) -> Server:
        given = ("--config", str(file.path), *options)
        servers.append(Server(tmp_path / "state", *given))
        return servers[-1]

    yield begin
    for server in servers:
        server.stop()


def test_rest_and_client_reload(serve: Callable[..., Server], file: File) -> None:
    file.write(job("a"))
    server = serve()
    file.write(job("a", maxRestarts=3), job("b"))
    assert not server.client.reload(plan=True).applied
    assert {one.id for one in server.client.services()} == {"a"}
    assert actions(server.client.reload()) == [("a", "change"), ("b", "add")]
    file.write(job("a", maxRestarts=-9))
    with pytest.raises(InvalidSpec, match=r"fleet\.json:1: .*maxRestarts"):
        server.client.reload()


def test_options_of_the_server_win_over_the_file_in_a_reload_too(
    serve: Callable[..., Server], file: File
) -> None:
    port = free_port()
    program = {"argv": ["sleep", "1000"]}
    there = {"endpoint": f"http://127.0.0.1:{port}", "type": "core", "process": program}
    file.write({"id": "a"} | there, orchestrator={"port": port})  # --port 0 is another one
    server = serve()
    file.write({"id": "a", "maxRestarts": 3} | there, orchestrator={"port": port})
    assert actions(server.client.reload()) == [("a", "change")]


def test_sighup_reloads(serve: Callable[..., Server], file: File) -> None:
    file.write(job("a"))
    server = serve()
    file.write(job("b"))
    os.kill(server.process.pid, signal.SIGHUP)
    until(lambda: {one.id for one in server.client.services()} == {"b"})


def test_watch_reloads_and_refuses_what_is_faulty(serve: Callable[..., Server], file: File) -> None:
    file.write(job("a"))
    server = serve("--watch")
    file.write(job("a", maxRestarts=-9), job("b"))
    file.path.write_text("{ not json")
    file.write(job("a"), job("c"))
    until(lambda: {one.id for one in server.client.services()} == {"a", "c"})
