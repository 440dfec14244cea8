"""`azora rolling-restart`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from azora_orchestrator import MasterOrchestrator
from cli.conftest import Azora

pytestmark = [pytest.mark.native, pytest.mark.process]

SCRIPT = "import sys, os, time; os.path.exists(sys.argv[1]) and sys.exit(3); time.sleep(1000)"


@pytest.fixture
def broken(orch: MasterOrchestrator, tmp_path: Path) -> Path:
    """The file that breaks the next starts of three replicas."""
    file = tmp_path / "broken"
    service: dict[str, Any] = {
        "id": "worker",
        "type": "core",
        "maxRestarts": 0,
        "healthCheck": {"type": "process"},
        "process": {"argv": [sys.executable, "-S", "-c", SCRIPT, str(file)], "replicas": 2},
    }
    orch.register(service)
    orch.wait_ready("worker", timeout_ms=30_000)
    return file


def test_it_says_who_was_restarted(azora: Azora, at: str, broken: Path) -> None:
    said = azora("rolling-restart", "worker", "--min-ready", "100ms", "--timeout", "30s")
    assert (said.code, said.out) == (0, "restarted: worker@0, worker@1\n"), said.err
    assert "worker@0: restarting" in said.err
    assert "worker@1: ready (0 left)" in said.err
    found = azora("rolling-restart", "worker", "--min-ready", "0s", "--json").json
    assert found == {
        "success": True,
        "name": "worker",
        "restarted": ["worker@0", "worker@1"],
        "failed": [],
        "left": [],
        "reason": None,
    }


def test_it_ends_with_1_when_one_fails(azora: Azora, at: str, broken: Path) -> None:
    broken.touch()
    said = azora("rolling-restart", "worker", "--min-ready", "0s", "--json")
    assert said.code == 1
    assert said.json["failed"] == ["worker@0"]
    assert said.json["left"] == ["worker@1"]
    assert "code 3" in said.json["reason"]


def test_wrong_options_are_refused(azora: Azora, at: str, broken: Path) -> None:
    said = azora("rolling-restart", "worker", "--min-ready", "60s", "--timeout", "60s")
    assert said.code == 2
    assert "it must be less than timeout_ms" in said.err
    assert azora("rolling-restart", "worker", "--max-unavailable", "0").code == 2
    assert azora("rolling-restart", "other").code == 1
