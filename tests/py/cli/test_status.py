"""`azora status` tells whether the fleet is well, and waits until it is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from azora_orchestrator import MasterOrchestrator
from cli.conftest import Azora
from conftest import WebService, free_port
from rest.served import Actors, Command

pytestmark = pytest.mark.native

JOB = {"id": "job", "type": "j", "healthCheck": {"type": "process"}}


def url() -> str:
    return f"http://127.0.0.1:{free_port()}"


def test_an_empty_fleet_is_well(orch: MasterOrchestrator, at: str, azora: Azora) -> None:
    assert azora("status").code == 0
    assert azora("status", "--wait", "--timeout", "0").code == 0


@pytest.mark.process
def test_what_is_wanted_up_and_waits_is_not_well(
    orch: MasterOrchestrator, actors: Actors, at: str, azora: Azora
) -> None:
    orch.register(actors.service("leaf", dependencies=["nobody"]))
    said = azora("status")
    assert (said.code, said.lines[0]) == (1, "running, 1 service, 0 healthy, 0 unhealthy")
    row = said.lines[2].split()
    assert row == ["leaf", "unknown", "BLOCKED", "-", "-", "0", "0", "-"]
    orch.stop_service("leaf")  # now its owner wants it down
    assert azora("status").code == 0


@pytest.mark.process
def test_a_job_that_is_done_is_well(orch: MasterOrchestrator, at: str, azora: Azora) -> None:
    orch.register(JOB | {"process": {"argv": ["true"]}})
    orch.wait_ready("job", timeout_ms=20_000)
    said = azora("status")
    assert (said.code, said.lines[2].split()[:3]) == (0, ["job", "unknown", "DONE"])
    orch.register(JOB | {"id": "bad", "maxRestarts": 0, "process": {"argv": ["false"]}})
    said = azora("status", "--wait", "--timeout", "30s")
    assert said.code == 1
    assert said.lines[3].split()[:3] == ["bad", "unhealthy", "FAILED"]
    assert said.lines[3].endswith("exited with code 1")
    assert "azora: service 'bad' will not be ready: bad failed (exited with code 1)" in said.err


def test_it_waits_with_progress(
    orch: MasterOrchestrator, web: Callable[[], WebService], at: str
) -> None:
    service = web()
    service.code = 500
    check = {"healthCheckInterval": 200}
    orch.register({"id": "a", "type": "t", "endpoint": service.endpoint} | check)
    orch.register({"id": "b", "type": "t", "endpoint": web().endpoint} | check)
    orch.wait_ready("b", timeout_ms=10_000)
    command = Command("status", "--wait", "--timeout", "30s", AZORA_URL=at)
    try:
        command.line("azora: 1 of 2 ready; waiting for a")
        service.code = 200
        assert command.wait() == 0
        assert command.lines[-3:][0].split()[0] == "SERVICE"
    finally:
        command.close()


def test_it_gives_up_in_time(orch: MasterOrchestrator, at: str, azora: Azora) -> None:
    orch.register({"id": "a", "type": "t", "endpoint": url()})
    said = azora("status", "--wait", "--timeout", "200ms")
    assert said.code == 1
    assert said.err.splitlines()[-1] == "azora: not in time: a"
    assert azora("status", "--wait", "--timeout", "never").code == 2
    assert azora("status", "--wait", "--timeout", "601s").code == 2


def test_it_goes_on_when_the_fleet_is_started(
    fleet: MasterOrchestrator, at: str, azora: Azora
) -> None:
    fleet.stop()
    said = azora("status", "--wait", "--timeout", "100ms")
    assert (said.code, said.lines[0][:7]) == (1, "stopped")
    starter = threading.Thread(target=fleet.start)
    starter.start()
    assert azora("status", "--wait", "--timeout", "20s").code == 0
    starter.join()


def test_degraded_is_not_healthy(
    orch: MasterOrchestrator, web: Callable[[], Any], at: str, azora: Azora
) -> None:
    service = web()
    service.code = 404
    with orch.events(type="serviceDegraded") as stream:
        orch.register({"id": "a", "type": "t", "endpoint": service.endpoint})
        assert stream.next(timeout_ms=10_000) is not None
    said = azora("status")
    assert (said.code, said.lines[2].split()[1]) == (1, "degraded")
