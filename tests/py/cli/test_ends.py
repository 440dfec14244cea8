"""What exit 0 means, and waits that are vain (R54, R55): over real processes."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from azora_orchestrator import (
    MasterOrchestrator,
    NotComing,
    ProcessConfig,
    ServiceConfig,
)
from conftest import free_port

pytestmark = [pytest.mark.native, pytest.mark.process]

Process = Callable[..., dict[str, Any]]
WAIT_MS = 20_000
FAR_MS = 600_000  # longer than any test: only a response at once ends such a wait

# Serves until SIGTERM, and then ends with 0: as most web servers do.
POLITE = """
import http.server, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
Handler = http.server.SimpleHTTPRequestHandler
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def polite(id: str, **fields: Any) -> ServiceConfig:
    return ServiceConfig(
        id=id,
        type="core",
        endpoint=f"http://127.0.0.1:{free_port()}",
        health_check_path="/",
        health_check_interval_ms=1000,
        process=ProcessConfig(argv=[sys.executable, "-c", POLITE, "{port}"]),
        **fields,
    )


def job(id: str, script: str, **fields: Any) -> ServiceConfig:
    return ServiceConfig(
        id=id,
        type="jobs",
        health_check={"type": "process"},
        process=ProcessConfig(argv=["sh", "-c", script]),
        **fields,
    )


def end_politely(orch: MasterOrchestrator, id: str, until: str) -> None:
    pid = orch.service(id).pid
    assert pid is not None
    with orch.events(service=id, type=until) as stream:
        os.kill(pid, signal.SIGTERM)
        assert stream.next(timeout_ms=WAIT_MS) is not None


def test_54_a_service_with_an_endpoint_that_exits_with_0_is_started_again(
    orch: MasterOrchestrator,
) -> None:
    orch.register(polite("web"))
    orch.wait_ready("web", timeout_ms=WAIT_MS)
    end_politely(orch, "web", "serviceRestarted")
    service = orch.service("web")
    assert (service.lifecycle, service.restart_count) == ("READY", 1)
    assert service.data["process"]["lastExit"]["code"] == 0
    assert orch.status().ended_services == ()


@pytest.mark.parametrize("policy", ["never", "on-failure"])
def test_54_one_that_is_not_started_again_is_named_everywhere(
    policy: Any, orch: MasterOrchestrator, api: Any, at: str, azora: Any
) -> None:
    orch.register(polite("web", restart_policy=policy))
    orch.wait_ready("web", timeout_ms=WAIT_MS)
    assert azora("status").code == 0
    assert api.get("/readyz").json == {"ready": True}
    end_politely(orch, "web", "serviceStopped")
    reason = (
        "web ended by itself with code 0 and is not started again, "
        f"since its restartPolicy is {policy}"
    )
    status = api.get("/status").json
    assert status["endedServices"] == ["web"]
    assert status["services"][0]["status"] == "unknown"
    assert status["unhealthyServices"] == 0
    assert orch.status().ended_services == ("web",)
    ready = api.get("/readyz")
    assert (ready.status, ready.json["endedServices"]) == (200, ["web"])
    assert ready.json["details"] == [reason]
    assert reason in orch.why("web").summary
    assert api.get("/loadbalancer/core").status == 503
    assert "azora_services_ended 1" in orch.metrics()
    said = azora("status")
    assert said.code == 1
    assert "ended and not started again: web (see azora why web)" in said.lines
    assert azora("start", "web").code == 0
    assert azora("status").code == 0


def test_55_a_wait_for_what_failed_for_good_ends_at_once(orch: MasterOrchestrator) -> None:
    orch.register(job("a", "exit 3", restart_policy="never"))
    with pytest.raises(NotComing, match=r"exited with code 3.*restartPolicy is never"):
        orch.wait_ready("a", timeout_ms=FAR_MS)
    orch.register(job("b", "exit 4", max_restarts=0))
    with pytest.raises(NotComing, match=r"exited with code 4.*maxRestarts is 0"):
        orch.wait_ready("b", timeout_ms=FAR_MS)
    with pytest.raises(NotComing):
        orch.restart("b", wait=True, timeout_ms=FAR_MS)
    with pytest.raises(NotComing):
        orch.wait_ready(timeout_ms=FAR_MS)


def test_55_a_wait_beyond_the_next_try_goes_on(orch: MasterOrchestrator, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    script = f"echo >> {runs}; test $(wc -l < {runs}) -ge 4 && exec sleep 60; exit 3"
    with orch.events(service="a", type="serviceFailed") as stream:
        orch.register(job("a", script, max_restarts=1, failed_retry_interval_ms=1000))
        assert stream.next(timeout_ms=WAIT_MS) is not None
    orch.wait_ready("a", timeout_ms=WAIT_MS)
    assert len(runs.read_text().splitlines()) == 4


def test_55_a_wait_for_what_needs_it_ends_too(orch: MasterOrchestrator) -> None:
    orch.register(job("db", "exit 3", restart_policy="never"))
    orch.register(job("api", "sleep 60", dependencies=["db"]))
    with pytest.raises(NotComing, match=r"api waits for its dependency: db failed"):
        orch.wait_ready("api", timeout_ms=FAR_MS)


def test_55_over_rest_and_on_the_command_line(
    orch: MasterOrchestrator, api: Any, at: str, azora: Any
) -> None:
    orch.register(job("a", "exit 3", restart_policy="never"))
    with pytest.raises(NotComing):
        orch.wait_ready("a", timeout_ms=FAR_MS)
    answer = api.ask("POST", f"/services/a/start?wait=ready&timeoutMs={FAR_MS}")
    assert (answer.status, answer.json["code"]) == (409, "not_coming")
    assert "restartPolicy is never" in answer.json["error"]
    said = azora("start", "a", "--timeout", "600s")
    assert said.code == 1
    assert "restartPolicy is never" in said.err


def test_55_a_done_job_is_a_success_and_runs_again_by_its_name(orch: MasterOrchestrator) -> None:
    orch.register(job("migrate", "exit 0"))
    orch.wait_ready("migrate", timeout_ms=WAIT_MS)
    needs = [{"id": "migrate", "condition": "completed"}]
    orch.register(polite("api", dependencies=needs))
    orch.wait_ready("api", timeout_ms=WAIT_MS)
    before = orch.service("migrate").incarnation
    orch.stop_service("api", wait=True, timeout_ms=WAIT_MS)
    orch.start_service("api", dependencies=True, wait=True, timeout_ms=WAIT_MS)
    assert orch.service("migrate").incarnation == before
    orch.start_service("migrate", wait=True, timeout_ms=WAIT_MS)
    assert orch.service("migrate").incarnation == before + 1
