"""orchestrator.py over real processes: start, kill, heal, stop; and restart callables."""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from azora_orchestrator import (
    InvalidArgument,
    MasterOrchestrator,
    ProcessConfig,
    RestartRequest,
    ServiceConfig,
)
from conftest import WebService, free_port, free_ports

pytestmark = [pytest.mark.native, pytest.mark.process]

Process = Callable[..., dict[str, Any]]
WAIT_MS = 20_000


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_killed_process_is_restarted_verified_and_counted(
    orch: MasterOrchestrator, process: Process
) -> None:
    orch.register(process("a"))
    orch.wait_ready("a", timeout_ms=WAIT_MS)
    first = orch.service("a")
    assert first.pid
    with orch.events(service="a") as stream:
        os.kill(first.pid, signal.SIGKILL)
        types = []
        for event in stream:
            types.append(event.type)
            if event.type == "serviceExited":
                assert (event.code, event.signal, event.pid) == (None, "SIGKILL", first.pid)
            if event.type == "serviceRestarted":
                assert event.attempt == 1
                assert event.downtime_ms is not None
                break
    assert [type for type in types if type != "healthCheck"] == [
        "serviceExited",
        "serviceUnhealthy",
        "serviceStarted",
        "serviceHealthy",
        "serviceRestarted",
    ]
    second = orch.service("a")
    assert second.pid not in (None, first.pid)
    assert (second.incarnation, second.restart_count) == (first.incarnation + 1, 1)
    assert second.process is not None
    assert second.process["lastExit"]["signal"] == "SIGKILL"


def test_verbs_wait_until_they_have_come_true(orch: MasterOrchestrator, process: Process) -> None:
    orch.register(process("a"))
    orch.wait_ready("a", timeout_ms=WAIT_MS)
    pid = orch.service("a").pid
    assert pid
    answer = orch.stop_service("a", wait=True, timeout_ms=WAIT_MS)
    assert answer.service_id == "a"
    assert not alive(pid)
    assert (orch.service("a").lifecycle, orch.service("a").desired) == ("IDLE", "down")
    orch.start_service("a", wait=True, timeout_ms=WAIT_MS)
    started = orch.service("a")
    orch.restart("a", wait=True, timeout_ms=WAIT_MS)
    restarted = orch.service("a")
    assert restarted.incarnation == started.incarnation + 1
    assert restarted.status == "healthy"


def test_dependents_start_after_and_stop_before(orch: MasterOrchestrator, process: Process) -> None:
    with orch.events(type=["serviceStarted", "serviceExited"]) as stream:
        orch.register_many([process("api", dependencies=["db"]), process("db")])
        orch.wait_ready(timeout_ms=WAIT_MS)
        assert orch.stop() == []
        told = [(event.type, event.service_id) for event in (next(stream) for _ in range(4))]
    assert told == [
        ("serviceStarted", "db"),
        ("serviceStarted", "api"),
        ("serviceExited", "api"),
        ("serviceExited", "db"),
    ]


def test_replicas_are_waited_for_and_picked_by_their_common_name(
    orch: MasterOrchestrator, process: Process
) -> None:
    entry = process("web")
    entry["process"] |= {"replicas": 2, "ports": [free_port(), free_port()]}
    orch.register(entry)
    orch.wait_ready("web", timeout_ms=WAIT_MS)
    assert [service.id for service in orch.services(group="web")] == ["web@0", "web@1"]
    assert {orch.pick("web").service_id for _ in range(2)} == {"web@0", "web@1"}


def test_registered_again_with_another_number_of_replicas_it_is_scaled(
    orch: MasterOrchestrator, process: Process
) -> None:
    entry = process("web", endpoint=f"http://127.0.0.1:{free_ports(3)}")
    for replicas, ids in ((3, ["web@0", "web@1", "web@2"]), (2, ["web@0", "web@1"]), (1, ["web"])):
        entry["process"]["replicas"] = replicas
        orch.register(entry)
        orch.wait_ready("web", timeout_ms=WAIT_MS)
        assert [service.id for service in orch.services()] == ids
    assert orch.service("web").restart_count == 0
    entry["process"]["replicas"] = 2
    orch.register(entry)
    assert orch.unregister("web")
    assert orch.services() == []


def test_waiting_for_a_restart_with_dependents_means_the_next_incarnation(
    orch: MasterOrchestrator, process: Process
) -> None:
    orch.register_many([process("api", dependencies=["db"]), process("db")])
    orch.wait_ready(timeout_ms=WAIT_MS)
    answer = orch.restart("db", dependents=True, wait=True, timeout_ms=WAIT_MS)
    db = orch.service("db")
    assert (answer.incarnation, db.incarnation, db.status) == (2, 2, "healthy")


def test_its_output_can_be_read(orch: MasterOrchestrator, process: Process) -> None:
    orch.register(process("a"))
    orch.wait_ready("a", timeout_ms=WAIT_MS)
    assert "listening" in orch.logs("a", lines=10)


def test_a_memory_limit_is_kept_and_its_kind_is_said(orch: MasterOrchestrator) -> None:
    argv = [sys.executable, "-c", "bytearray(600_000_000); import time; time.sleep(60)"]
    with orch.events(service="a") as stream:
        orch.register(
            ServiceConfig(
                id="a",
                type="job",
                process=ProcessConfig(argv=argv, memory_limit="256MiB"),
                health_check={"type": "process"},
                max_restarts=0,
            )
        )
        told = {}
        for event in stream:
            told[event.type] = event
            if event.type == "serviceFailed":
                break
    exited = told["serviceExited"]
    if exited.oom:
        assert (exited.cause, exited.signal) == ("oom", "SIGKILL")
        assert told["serviceUnhealthy"].cause == "oom"
    else:  # no memory cgroup can be made here
        assert "RLIMIT_AS" in told["serviceStarted"].reason
        assert (exited.cause, exited.code) == ("crash", 1)
        assert "MemoryError" in orch.logs("a")


def test_closing_leaves_no_process(process: Process) -> None:
    with MasterOrchestrator() as orch:
        orch.register(process("a"))
        orch.wait_ready("a", timeout_ms=WAIT_MS)
        pid = orch.service("a").pid
        assert pid
    assert not alive(pid)


def broken_until_restarted(service: WebService, **fields: Any) -> ServiceConfig:
    service.code = 500
    return ServiceConfig(
        id="a",
        type="core",
        endpoint=service.endpoint,
        health_check_interval_ms=200,
        restart_delay_ms=0,
        health_check={"unhealthyThreshold": 1, "restartThreshold": 1, "healthyThreshold": 1},
        **fields,
    )


def test_a_restart_callable_heals_and_is_told_why(
    orch: MasterOrchestrator, web: Callable[[], WebService]
) -> None:
    service = web()
    requests: queue.Queue[RestartRequest] = queue.Queue()

    def restart(request: RestartRequest) -> None:
        service.code = 200
        requests.put(request)

    with orch.events(type="serviceRestarted") as stream:
        orch.register(broken_until_restarted(service, restart=restart))
        request = requests.get(timeout=20)
        assert request == RestartRequest("a", request.incarnation, 1, "liveness")
        event = stream.next(timeout_ms=WAIT_MS)
    assert event is not None
    assert (event.service_id, event.attempt, event.cause) == ("a", 1, "liveness")


def test_a_restart_callable_that_returns_late_blinds_no_check(
    orch: MasterOrchestrator, web: Callable[[], WebService]
) -> None:
    service = web()
    called: queue.Queue[RestartRequest] = queue.Queue()
    may_return = threading.Event()

    def restart(request: RestartRequest) -> None:
        called.put(request)
        may_return.wait(60)

    orch.register(
        id="a",
        type="core",
        endpoint=service.endpoint,
        health_check_interval_ms=500,
        health_check={"startTimeout": 1000},
        restart=restart,
    )
    orch.wait_ready("a", timeout_ms=WAIT_MS)
    types = ["serviceStuck", "serviceHealthy", "serviceUnhealthy"]
    with orch.events(service="a", type=types) as stream:

        def next_is(type: str) -> None:
            event = stream.next(timeout_ms=WAIT_MS)
            assert event is not None
            assert event.type == type

        service.code = 503
        next_is("serviceUnhealthy")
        first = called.get(timeout=20)
        next_is("serviceStuck")  # its start timeout is over, and it has not returned
        service.code = 200
        next_is("serviceHealthy")  # by itself
        (thread,) = (one for one in threading.enumerate() if one.name == "azora-restart-a")
        may_return.set()
        thread.join(20)  # the core has been told that it returned
        assert not thread.is_alive()
        service.code = 503
        next_is("serviceUnhealthy")  # the check sees again
        assert called.get(timeout=20).attempt > first.attempt


def test_an_async_restart_callable_without_argument_heals(
    orch: MasterOrchestrator, web: Callable[[], WebService]
) -> None:
    service = web()

    async def restart() -> None:
        service.code = 200

    with orch.events(type="serviceRestarted") as stream:
        orch.register(broken_until_restarted(service, restart=restart))
        assert stream.next(timeout_ms=WAIT_MS) is not None


def test_a_restart_callable_that_raises_spends_the_budget(
    orch: MasterOrchestrator, web: Callable[[], WebService]
) -> None:
    service = web()
    calls: queue.Queue[int] = queue.Queue()

    def restart() -> bool:
        calls.put(1)
        raise RuntimeError("cannot")

    with orch.events(type="serviceFailed") as stream:
        orch.register(broken_until_restarted(service, restart=restart, max_restarts=2))
        event = stream.next(timeout_ms=WAIT_MS)
    assert event is not None
    assert calls.qsize() == event.max_restarts == 2
    assert orch.service("a").lifecycle == orch.why("a").lifecycle == "FAILED"
    assert "RuntimeError: cannot" in str(event.reason)


def test_a_restart_callable_that_exits_fails_and_is_told(web: Callable[[], WebService]) -> None:
    service = web()

    def restart() -> None:
        raise SystemExit(3)

    with MasterOrchestrator() as orch, orch.events(type="callbackFailed") as failures:
        orch.register(broken_until_restarted(service, restart=restart, max_restarts=1))
        event = failures.next(timeout_ms=WAIT_MS)
    assert event is not None
    assert event.reason == "restart callable of a: SystemExit: 3"


def test_waiting_for_all_takes_a_job_that_is_done(orch: MasterOrchestrator) -> None:
    job = {"healthCheck": {"type": "process"}, "process": {"argv": ["true"]}}
    orch.register({"id": "job", "type": "jobs"} | job)
    after = {"dependencies": [{"id": "job", "condition": "completed"}]}
    orch.register({"id": "next", "type": "jobs"} | job | after)
    orch.wait_ready(timeout_ms=WAIT_MS)
    assert [service.lifecycle for service in orch.services()] == ["DONE", "DONE"]


def test_a_restart_callable_that_exits_fails_its_attempt(
    orch: MasterOrchestrator, web: Callable[[], WebService]
) -> None:
    def restart() -> None:
        raise SystemExit(3)

    with orch.events(type="serviceFailed") as stream:
        orch.register(broken_until_restarted(web(), restart=restart, max_restarts=1))
        event = stream.next(timeout_ms=WAIT_MS)
    assert event is not None
    assert "SystemExit: 3" in (event.reason or "")
    assert "SystemExit: 3" in orch.why("a").summary


def test_apply_restart_starts_a_changed_program_at_once(
    orch: MasterOrchestrator, process: Process
) -> None:
    service = process("a")
    orch.register(service)
    orch.wait_ready("a", timeout_ms=WAIT_MS)
    changed = service | {"process": service["process"] | {"env": {"COLOUR": "blue"}}}
    orch.register(changed)
    assert orch.service("a").data["restartRequired"]
    assert orch.service("a").incarnation == 1
    with orch.events(service="a", type="serviceRestarted") as stream:
        orch.register(changed, apply="restart")
        assert next(iter(stream)).cause == "operator"
    assert "restartRequired" not in orch.service("a").data
    assert orch.service("a").incarnation == 2


def test_an_unknown_way_to_apply_is_refused(orch: MasterOrchestrator, process: Process) -> None:
    with pytest.raises(InvalidArgument, match="apply"):
        orch.register(process("a"), apply="now")  # type: ignore[arg-type]
    assert orch.services() == []
