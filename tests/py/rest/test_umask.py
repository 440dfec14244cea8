"""Which umask a service gets."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from azora_orchestrator import InvalidSpec, MasterOrchestrator, ProcessConfig, ServiceConfig

pytestmark = pytest.mark.process

READY_MS = 30_000


@pytest.fixture(autouse=True)
def kept_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def service(folder: Path, **process: Any) -> dict[str, Any]:
    """One that makes a file at its start."""
    make = f"rm -f {folder}/made; > {folder}/made"
    return {
        "id": "a",
        "type": "core",
        "healthCheck": {"type": "process"},
        "process": {"argv": ["sh", "-c", f"{make}; exec sleep 1000"]} | process,
    }


def mode(folder: Path) -> int:
    return (folder / "made").stat().st_mode & 0o777


def test_rule56_a_service_has_the_umask_of_the_moment_of_its_start(
    orch: MasterOrchestrator, tmp_path: Path
) -> None:
    os.umask(0o002)
    orch.register(service(tmp_path))
    orch.wait_ready("a", timeout_ms=READY_MS)
    assert mode(tmp_path) == 0o664
    os.umask(0o077)  # the keeper goes on with the one it has
    orch.restart("a", wait=True)
    assert mode(tmp_path) == 0o600


def test_rule56_a_service_may_set_its_own(orch: MasterOrchestrator, tmp_path: Path) -> None:
    orch.register(service(tmp_path, umask="0137"))
    orch.wait_ready("a", timeout_ms=READY_MS)
    assert mode(tmp_path) == 0o640
    assert orch.service("a").config["process"]["umask"] == "0137"


def test_rule56_a_number_is_refused_with_the_rule(orch: MasterOrchestrator) -> None:
    wrong: Any = 27
    config = ServiceConfig(id="a", type="core", process=ProcessConfig(argv=["x"], umask=wrong))
    rule = 'process.umask: is 27; it must be an octal string such as "027"'
    with pytest.raises(InvalidSpec, match=rule):
        orch.register(config)
