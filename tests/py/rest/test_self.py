"""What is wrong with the orchestrator itself, seen from outside."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pytest

import azora_orchestrator
from rest.asking import until
from rest.served import SECONDS, Serve, dies

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
    # Its end cannot be reported: nothing says that it is well, once a replacement had its second.
    limit = time.monotonic() + SECONDS
    while api.get("/services/job").json["health"]["status"] != "unknown":
        assert time.monotonic() < limit
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


def test_a_keeper_that_is_stopped_is_told_of_and_replaced_and_an_exit_keeps_its_cause(
    served: Serve, tmp_path: Path
) -> None:
    program = tmp_path / "keeper"
    shutil.copy(KEEPER, program)
    config = tmp_path / "azora.toml"
    config.write_text(FLEET)
    server = served("serve", "--config", str(config), AZORA_KEEPER=str(program))
    server.line("the service is healthy")
    api = server.api
    (keeper,) = keepers(program)
    job = api.get("/services/job").json["process"]["pid"]
    seq = api.get("/healthz").headers["Azora-Seq"]
    with api.stream(f"/events?since={seq}") as frames:
        os.kill(keeper, signal.SIGSTOP)
        os.kill(job, signal.SIGKILL)
        events = until(frames, "orchestratorDegraded")
        degraded = events[-1]
        assert degraded["cause"] == "keeper"
        assert f"process {keeper}, which is stopped" in degraded["reason"]
        assert api.get("/readyz").status == 503
        assert b"\nazora_degraded_keeper 1\n" in api.get("/metrics").body
        assert "link to the keeper" in api.get("/services/job/why").json["summary"]
        events += until(frames, "orchestratorRecovered")
    told = [(event["type"], event["cause"], event.get("signal")) for event in events]
    assert told.count(("orchestratorDegraded", "keeper", None)) == 1
    assert ("serviceExited", "crash", "SIGKILL") in told
    assert dies(keeper)
    assert api.get("/readyz").json == {"ready": True}
    server.line(r"^  degraded   \(orchestrator\) +keeper: .* is stopped by a signal")
    server.line(r"^  recovered  \(orchestrator\) +keeper$")


def test_a_server_whose_keeper_cannot_be_had_ends_by_the_stop_timeouts_of_its_services(
    served: Serve, tmp_path: Path
) -> None:
    """R32b: not by its own --stop-timeout of a minute."""
    program = tmp_path / "keeper"
    shutil.copy(KEEPER, program)
    config = tmp_path / "azora.toml"
    config.write_text(
        FLEET.replace("[services.healthCheck]", "stopTimeout = 500\n[services.healthCheck]")
    )
    server = served("serve", "--config", str(config), AZORA_KEEPER=str(program))
    server.line("the service is healthy")
    (keeper,) = keepers(program)
    job = server.api.get("/services/job").json["process"]["pid"]
    program.unlink()
    os.kill(keeper, signal.SIGKILL)
    server.line("degraded .*keeper")
    server.signal(signal.SIGTERM)
    assert server.wait(40) == 1  # long before the minute is over
    server.line("did not stop within .* job$")
    assert dies(job)  # its shim saw the end of the server
