"""The program that is meant is not the main process: who hears of a stop, and who is waited for."""

from __future__ import annotations

import http.client
import os
import shlex
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from azora_orchestrator import MasterOrchestrator
from conftest import free_port
from rest.asking import until
from rest.served import dies

pytestmark = pytest.mark.process

DRAINER = Path(__file__).with_name("drainer.py")
READY_MS = 30_000


class Drainer:
    """A server behind a shell, and one request that it has begun to answer."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.answers: list[bytes] = []
        self._thread = threading.Thread(target=self._ask, daemon=True)
        for name in ("begun", "gate"):
            os.mkfifo(folder / name)

    def service(self, **process: Any) -> dict[str, Any]:
        program = shlex.join([sys.executable, "-S", str(DRAINER), str(self.port), str(self.folder)])
        return {
            "id": "web",
            "type": "core",
            "endpoint": f"http://127.0.0.1:{self.port}",
            "process": {"argv": ["sh", "-c", f"{program}; true"]} | process,
        }

    def _ask(self) -> None:
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        client.request("GET", "/slow")
        self.answers.append(client.getresponse().read())
        client.close()

    def begin(self) -> None:
        self._thread.start()
        assert (self.folder / "begun").read_text("ascii") == "begun"

    def finish(self) -> bytes:
        (self.folder / "gate").write_text("whole\n", "ascii")
        self._thread.join(30)
        return self.answers[0]

    def heard(self) -> list[str]:
        return (self.folder / "heard").read_text("ascii").split()


@pytest.fixture
def drainer(tmp_path: Path) -> Drainer:
    return Drainer(tmp_path)


def main_pid(api: Any) -> int:
    pid = api.get("/services/web").json["process"]["pid"]
    assert isinstance(pid, int)
    return pid


def worker_of(main: int) -> int:
    return int(Path(f"/proc/{main}/task/{main}/children").read_text().split()[0])


def test_rule53_a_stop_lets_the_program_behind_a_shell_finish_its_request(
    orch: MasterOrchestrator, api: Any, drainer: Drainer
) -> None:
    orch.register(drainer.service(stopTimeout=60_000))
    orch.wait_ready("web", timeout_ms=READY_MS)
    worker = worker_of(main_pid(api))
    drainer.begin()
    seq = api.get("/healthz").headers["Azora-Seq"]
    with api.stream(f"/events?since={seq}&service=web") as frames:
        assert api.ask("POST", "/services/web/stop").status == 202
        until(frames, "serviceExited")
        why = api.get("/services/web/why").json
        assert why["lifecycle"] == "SWEEP"
        assert "processes that it left were told to stop" in why["summary"]
        assert drainer.finish() == b"whole\n"
        until(frames, "serviceStopped")
    assert dies(worker, 0)
    assert drainer.heard() == ["SIGTERM"]


def test_rule53_what_a_crash_leaves_may_finish_and_the_next_start_waits_for_it(
    orch: MasterOrchestrator, api: Any, drainer: Drainer
) -> None:
    orch.register(drainer.service(orphanTimeout=60_000))
    orch.wait_ready("web", timeout_ms=READY_MS)
    main = main_pid(api)
    worker = worker_of(main)
    drainer.begin()
    seq = api.get("/healthz").headers["Azora-Seq"]
    with api.stream(f"/events?since={seq}&service=web") as frames:
        os.kill(main, signal.SIGKILL)
        until(frames, "serviceExited")
        assert not dies(worker, 0)
        assert drainer.finish() == b"whole\n"
        told = [event["type"] for event in until(frames, "serviceRestarted")]
    assert told.count("serviceStarted") == 1
    assert dies(worker, 0)
    assert drainer.heard() == ["SIGTERM"]


def test_rule53_tree_tells_the_program_while_its_wrapper_lives_on(
    orch: MasterOrchestrator, api: Any, drainer: Drainer
) -> None:
    service = drainer.service(stopTimeout=60_000, stopMode="tree")
    # A wrapper that does not pass the signal on, and ends when its program has.
    argv = service["process"]["argv"]
    argv[2] = f"trap '' TERM; env --default-signal=TERM {argv[2]}"
    orch.register(service)
    orch.wait_ready("web", timeout_ms=READY_MS)
    assert api.ask("POST", "/services/web/stop?wait=stopped&timeoutMs=30000").status == 200
    assert drainer.heard() == ["SIGTERM"]
    assert api.get("/services/web").json["process"]["lastExit"]["code"] == 0
