"""Whose response it is (R52): services whose listener comes about in every way, and strangers."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from azora_orchestrator import MasterOrchestrator
from conftest import free_port
from rest.asking import until
from rest.test_wrappers import nginx

pytestmark = pytest.mark.process

PROGRAM = Path(__file__).with_name("listener.py")
READY_MS = 30_000


@pytest.fixture(params=["cgroup", "no-cgroup"])
def orch(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MasterOrchestrator]:
    """A running orchestrator, whose services have cgroups where that is possible, or have none."""
    if request.param == "no-cgroup":
        monkeypatch.setenv("AZORA_NO_CGROUP", "1")
    with MasterOrchestrator() as running:
        yield running


def argv(port: int, *how: str) -> list[str]:
    return [sys.executable, "-S", str(PROGRAM), str(port), *how]


def web(port: int, *how: str, host: str = "127.0.0.1", **fields: Any) -> dict[str, Any]:
    return {
        "id": "web",
        "type": "core",
        "endpoint": f"http://{host}:{port}",
        "healthCheckInterval": 500,
        "process": {"argv": argv(port, *how)},
    } | fields


class Stranger:
    """Another program that listens."""

    def __init__(self, port: int, *how: str) -> None:
        self.port = port
        self.process = subprocess.Popen(argv(port, *how), stdout=subprocess.PIPE, text=True)

    def listens(self) -> Stranger:
        """Waits until it does."""
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "listening\n"
        return self

    @property
    def words(self) -> str:
        name = Path(f"/proc/{self.process.pid}/comm").read_text("ascii").strip()
        return f"pid {self.process.pid} ({name})"

    @property
    def held(self) -> str:
        return f"port {self.port} is held by {self.words}, not by this service"

    def end(self) -> None:
        self.process.kill()
        self.process.wait(20)
        if self.process.stdout is not None:
            self.process.stdout.close()


@pytest.fixture
def stranger() -> Iterator[Callable[..., Stranger]]:
    """Start strangers."""
    made: list[Stranger] = []

    def start(port: int, *how: str) -> Stranger:
        made.append(Stranger(port, *how))
        return made[-1]

    yield start
    for one in made:
        one.end()


def why(api: Any) -> dict[str, Any]:
    answer: dict[str, Any] = api.get("/services/web/why").json
    return answer


def believed(orch: MasterOrchestrator, api: Any, service: dict[str, Any]) -> None:
    """It becomes ready, and nothing is to be said of its listener."""
    orch.register(service)
    orch.wait_ready("web", timeout_ms=READY_MS)
    assert why(api)["summary"] == "web is healthy"


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.parametrize("how", ["main", "worker", "inherited", "double"])
def test_rule52_the_listener_of_any_process_of_the_service_is_its_own(
    orch: MasterOrchestrator, api: Any, how: str
) -> None:
    believed(orch, api, web(free_port(), how))


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no ::1")
@pytest.mark.parametrize(
    ("how", "host"),
    [("v6", "[::1]"), ("v6", "localhost"), ("dual", "127.0.0.1"), ("dual", "localhost")],
)
def test_rule52_so_is_one_of_ipv6_and_of_both(
    orch: MasterOrchestrator, api: Any, how: str, host: str
) -> None:
    believed(orch, api, web(free_port(), how, host=host))


def test_rule52_a_stranger_before_the_start_is_named_while_the_service_dies_of_it(
    orch: MasterOrchestrator, api: Any, stranger: Callable[..., Stranger]
) -> None:
    port = free_port()
    other = stranger(port, "main").listens()
    with api.stream("/events?since=0&service=web") as frames:
        orch.register(web(port, "main", maxRestarts=1, restartDelay=0))
        told = [event["type"] for event in until(frames, "serviceFailed")]
    assert told.count("serviceExited") == 2
    assert "serviceHealthy" not in told
    assert other.held in why(api)["summary"]
    assert f"port {port} given up by {other.words}" in why(api)["unblockedBy"]
    other.end()
    assert "is held" not in why(api)["summary"]
    assert api.ask("POST", "/services/web/start?wait=ready&timeoutMs=20000").status == 200


def test_rule52_a_stranger_before_the_start_is_named_while_the_service_starts(
    orch: MasterOrchestrator, api: Any, stranger: Callable[..., Stranger]
) -> None:
    port = free_port()
    other = stranger(port, "main").listens()
    with api.stream("/events?since=0&service=web") as frames:
        orch.register(web(port, "patient"))
        until(frames, "serviceStarted")
        answer = why(api)
        assert answer["lifecycle"] == "STARTING"
        assert answer["summary"] == f"web is starting, but {other.held}"
        assert answer["lastError"] == other.held
        other.end()
        told = [event["type"] for event in until(frames, "serviceHealthy")]
    assert [type for type in told if type != "healthCheck"] == ["serviceHealthy"]


def test_rule52_a_stranger_after_a_crash_is_no_restart(
    orch: MasterOrchestrator, api: Any, stranger: Callable[..., Stranger]
) -> None:
    port = free_port()
    orch.register(web(port, "patient", restartDelay=2_500))
    orch.wait_ready("web", timeout_ms=READY_MS)
    other = stranger(port, "patient")  # takes the port as soon as it is free
    seq = api.get("/healthz").headers["Azora-Seq"]
    with api.stream(f"/events?since={seq}&service=web") as frames:
        os.kill(api.get("/services/web").json["process"]["pid"], signal.SIGKILL)
        until(frames, "serviceUnhealthy")
        other.listens()
        assert other.held in why(api)["summary"]
        until(frames, "serviceStarted")
        assert why(api)["summary"] == f"web is starting, but {other.held}"
        other.end()
        told = [event["type"] for event in until(frames, "serviceRestarted")]
    assert told.count("serviceHealthy") == 1


def test_rule52_beside_a_listener_of_the_service_a_stranger_is_only_named(
    orch: MasterOrchestrator, api: Any, stranger: Callable[..., Stranger]
) -> None:
    port = free_port()
    believed(orch, api, web(port, "main", "reuse"))
    other = stranger(port, "main", "reuse").listens()
    assert why(api)["summary"] == (
        f"web is healthy; port {port} is held by this service and also by {other.words}"
    )
    assert api.get("/services/web").json["health"]["status"] == "healthy"
    other.end()
    assert why(api)["summary"] == "web is healthy"


def test_rule52_a_stranger_that_takes_the_port_of_a_running_service_is_a_failed_check(
    orch: MasterOrchestrator, api: Any, stranger: Callable[..., Stranger]
) -> None:
    port = free_port()
    believed(orch, api, web(port, "leaves", healthCheck={"restartThreshold": 1_000}))
    seq = api.get("/healthz").headers["Azora-Seq"]
    with api.stream(f"/events?since={seq}&service=web") as frames:
        os.kill(api.get("/services/web").json["process"]["pid"], signal.SIGUSR1)
        checks = (until(frames, "healthCheck")[-1] for _ in range(100))
        assert any(check["status"] == "unhealthy" for check in checks)
        other = stranger(port, "main").listens()
        assert any(check.get("reason") == other.held for check in checks)
    assert api.get("/services/web").json["health"]["lastError"] == other.held
    assert why(api)["summary"] == f"web runs but is unhealthy ({other.held})"


def test_rule52_a_stranger_that_took_the_port_between_two_checks_is_seen_by_why(
    orch: MasterOrchestrator, api: Any, stranger: Callable[..., Stranger]
) -> None:
    port = free_port()
    fields = {"healthCheckInterval": 60_000, "healthCheck": {"restartThreshold": 1_000}}
    believed(orch, api, web(port, "leaves", **fields))
    other = stranger(port, "patient")
    seq = api.get("/healthz").headers["Azora-Seq"]
    with api.stream(f"/events?since={seq}&service=web") as frames:
        os.kill(api.get("/services/web").json["process"]["pid"], signal.SIGUSR1)
        other.listens()
        assert why(api)["summary"] == f"web is healthy; {other.held}"
        until(frames, "serviceUnhealthy")  # a check was made for it
    assert api.get("/services/web").json["health"]["lastError"] == other.held


def test_rule52_a_stranger_that_took_the_port_between_two_checks_is_noticed(
    orch: MasterOrchestrator, api: Any, stranger: Callable[..., Stranger]
) -> None:
    port = free_port()
    fields = {"healthCheckInterval": 60_000, "healthCheck": {"restartThreshold": 1_000}}
    believed(orch, api, web(port, "leaves", **fields))
    other = stranger(port, "patient")
    seq = api.get("/healthz").headers["Azora-Seq"]
    with api.stream(f"/events?since={seq}&service=web") as frames:
        os.kill(api.get("/services/web").json["process"]["pid"], signal.SIGUSR1)
        other.listens()
        until(frames, "serviceUnhealthy")  # nobody asked, and the next check is a minute away
    assert api.get("/services/web").json["health"]["lastError"] == other.held


def test_rule52_a_port_that_is_given_up_starts_what_has_failed(
    orch: MasterOrchestrator, api: Any, stranger: Callable[..., Stranger]
) -> None:
    port = free_port()
    other = stranger(port, "main").listens()
    with api.stream("/events?since=0&service=web") as frames:
        fields = {"maxRestarts": 1, "restartDelay": 0, "failedRetryInterval": 0}
        orch.register(web(port, "main", **fields))
        until(frames, "serviceFailed")
        assert f"port {port} given up by {other.words}" in why(api)["unblockedBy"]
        other.end()
        until(frames, "serviceHealthy")


APP = """
def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""


def test_rule52_gunicorn_opens_in_its_master_and_serves_in_its_workers(
    orch: MasterOrchestrator, api: Any, tmp_path: Path
) -> None:
    if importlib.util.find_spec("gunicorn") is None:
        pytest.skip("gunicorn is missing: pip install gunicorn")
    (tmp_path / "plain.py").write_text(APP, "ascii")
    port = free_port()
    program = [sys.executable, "-m", "gunicorn", "-w", "2", "-b", f"127.0.0.1:{port}"]
    process = {"argv": [*program, "--chdir", str(tmp_path), "plain:app"]}
    believed(orch, api, web(port, process=process))


def test_rule52_nginx_likewise(orch: MasterOrchestrator, api: Any, tmp_path: Path) -> None:
    port = free_port()
    process = {"argv": [*nginx(tmp_path, port), "-g", "daemon off;"]}
    believed(orch, api, web(port, process=process, healthCheckPath="/"))
