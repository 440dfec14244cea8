"""What is wrong with the orchestrator itself, seen from outside."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

import azora_orchestrator
from rest.asking import until
from rest.served import Serve, dies

pytestmark = pytest.mark.process

KEEPER = Path(azora_orchestrator.__file__).parent / "bin" / "azora-keeper"
FLEET = """
[[services]]
id = "job"
type = "core"
[services.process]
argv = ["sleep", "1000"]
[services.healthCheck]
type = "process"
"""


def keepers(program: Path) -> list[int]:
    """The processes of this program that call themselves a keeper."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            runs = os.readlink(folder / "exe").removesuffix(" (deleted)") == str(program)
            if runs and (folder / "comm").read_text().strip() == "azora-keeper":
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def test_without_its_keeper_it_is_not_ready_and_vouches_for_no_process(
    served: Serve, tmp_path: Path
) -> None:
    program = tmp_path / "keeper"
    shutil.copy(KEEPER, program)
    config = tmp_path / "azora.toml"
    config.write_text(FLEET)
    server = served("serve", "--config", str(config), AZORA_KEEPER=str(program))
    server.line("^the service is healthy$")
    api = server.api
    assert api.get("/readyz").json == {"ready": True}
    (keeper,) = keepers(program)
    job: Any = api.get("/services/job").json
    pid = job["process"]["pid"]

    program.unlink()
    seq = api.get("/healthz").headers["Azora-Seq"]
    with api.stream(f"/events?since={seq}") as frames:
        os.kill(keeper, signal.SIGKILL)
        (degraded,) = until(frames, "orchestratorDegraded")
        assert (degraded["cause"], degraded["serviceId"]) == ("keeper", None)
    os.kill(pid, signal.SIGKILL)
    assert dies(pid)
    # Its end cannot be reported: nobody says that it is well.
    assert api.get("/services/job").json["health"]["status"] == "unknown"
    ready = api.get("/readyz")
    assert ready.status == 503
    assert ready.headers["Content-Type"] == "application/problem+json"
    assert ready.json["code"] == "not_ready"
    assert "keeper" in ready.json["detail"]
    assert str(program) in ready.json["detail"] or "No such file" in ready.json["detail"]
    assert b"\nazora_degraded_keeper 1\n" in api.get("/metrics").body

    with api.stream(f"/events?since={seq}") as frames:
        shutil.copy(KEEPER, tmp_path / "new")
        (tmp_path / "new").rename(program)
        seen = [event["type"] for event in until(frames, "orchestratorRecovered")]
    assert seen.count("orchestratorDegraded") == 1
    with api.stream(f"/events?since={seq}&service=job") as frames:
        until(frames, "serviceHealthy")
    assert api.get("/readyz").json == {"ready": True}
    assert b"\nazora_degraded_keeper 0\n" in api.get("/metrics").body
