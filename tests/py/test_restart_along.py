"""Restarts along with a dependency, and the words of the mass brake (R66, R62): real processes."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from azora_orchestrator import Dependency, InvalidSpec, MasterOrchestrator
from conftest import free_port

pytestmark = [pytest.mark.native, pytest.mark.process]

Process = Callable[..., dict[str, Any]]
WAIT_MS = 30_000

# Responds with 503 while the file is there.
MOODY = """
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(503 if os.path.exists(sys.argv[2]) else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *args):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def test_66_a_dependent_goes_along_where_its_owner_says_so(
    orch: MasterOrchestrator, process: Process
) -> None:
    along = Dependency(id="db", on_restart="restart")
    orch.register_many(
        [
            process("db"),
            process("api", dependencies=[along]),
            process("web", dependencies=["db"]),
        ]
    )
    orch.wait_ready(timeout_ms=WAIT_MS)
    assert orch.service("api").data["config"]["dependencies"] == [
        {"id": "db", "onRestart": "restart"}
    ]
    db, web = orch.service("db").pid, orch.service("web").pid
    assert db is not None
    with orch.events(service="api", type=["serviceExited", "serviceRestarted"]) as stream:
        os.kill(db, signal.SIGKILL)
        exited = stream.next(timeout_ms=WAIT_MS)
        restarted = stream.next(timeout_ms=WAIT_MS)
    assert exited is not None
    assert restarted is not None
    assert (exited.type, exited.cause) == ("serviceExited", "dependency")
    assert (restarted.type, restarted.cause, restarted.attempt) == (
        "serviceRestarted",
        "dependency",
        0,
    )
    assert orch.why("api").attempt == 0
    assert orch.service("web").pid == web


def test_66_another_word_is_a_fault(orch: MasterOrchestrator) -> None:
    with pytest.raises(InvalidSpec) as caught:
        orch.register(
            {
                "id": "a",
                "type": "core",
                "endpoint": "http://127.0.0.1:1",
                "dependencies": [{"id": "db", "onRestart": "stop"}],
            }
        )
    assert caught.value.faults[0].field == "dependencies[0].onRestart"


def test_62_the_brake_says_whom_and_until_when(orch: MasterOrchestrator, tmp_path: Path) -> None:
    mood = tmp_path / "bad"
    ids = ["a", "b", "c", "d"]
    orch.register_many(
        {
            "id": id,
            "type": "core",
            "group": "shop",
            "endpoint": f"http://127.0.0.1:{free_port()}",
            "healthCheckInterval": 5000,
            "process": {"argv": [sys.executable, "-S", "-c", MOODY, "{port}", str(mood)]},
        }
        for id in ids
    )
    orch.wait_ready(timeout_ms=WAIT_MS)
    with (
        orch.events(type="massUnhealthy") as masses,
        orch.events(type="healthCheck") as checks,
    ):
        mood.write_text("")
        assert masses.next(timeout_ms=WAIT_MS) is not None
        reasons: list[str] = []
        while not reasons:
            assert checks.next(timeout_ms=WAIT_MS) is not None
            reasons = [text for id in ids if "brake" in (text := orch.why(id).summary)]
    assert "more than half of " in reasons[0]
    assert "turned bad at once; in effect since " in reasons[0]
    assert "but at most until " in reasons[0]
    mood.unlink()
    orch.wait_ready(timeout_ms=WAIT_MS)
