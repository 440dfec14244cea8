"""SIGTERM ends a server within its deadline, whatever it and its services are doing."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import azora_orchestrator
from azora_orchestrator import MasterOrchestrator
from durable_rig import until
from rest.served import Actors, Command, Serve, Served, dies
from rest.test_self import keepers

pytestmark = pytest.mark.process

KEEPER = Path(azora_orchestrator.__file__).parent / "bin" / "azora-keeper"
STOP = ("--stop-timeout", "20s")  # all stop that can, on a busy machine, too
STOP_SOON = ("--stop-timeout", "3s")  # where some ignore the signal
SECONDS = 60.0  # beyond both deadlines, and far below FAR
FAR = 600_000


def config(folder: Path, *services: dict[str, Any]) -> str:
    file = folder / "azora.json"
    file.write_text(json.dumps({"services": list(services)}))
    return str(file)


def reach(server: Served, id: str, lifecycle: str) -> None:
    until(lambda: server.api.get(f"/services/{id}").json["lifecycle"] == lifecycle, 30)


def pids(server: Served) -> list[int]:
    services = server.api.get("/status?detailed=1").json["services"]
    found = [one.get("process", {}).get("pid") for one in services]
    return [pid for pid in found if pid]


def starting(server: Served, actors: Actors) -> None:
    reach(server, "a", "STARTING")
    until((actors.folder / "a.starts").exists)


def blocked(server: Served, _: Actors) -> None:
    reach(server, "b", "BLOCKED")


def backoff(server: Served, _: Actors) -> None:
    reach(server, "a", "BACKOFF")


def failed(server: Served, _: Actors) -> None:
    reach(server, "a", "FAILED")


def ready(server: Served, _: Actors) -> None:
    reach(server, "a", "READY")


def stopping(server: Served, _: Actors) -> None:
    reach(server, "a", "READY")
    assert server.api.ask("POST", "/services/a/stop").status == 202
    reach(server, "a", "STOPPING")


def restarting(server: Served, _: Actors) -> None:
    reach(server, "a", "READY")
    assert server.api.ask("POST", "/services/a/restart").status == 202
    reach(server, "a", "STOPPING")


def stopping_all(server: Served, _: Actors) -> None:
    reach(server, "a", "READY")

    def ask() -> None:
        with contextlib.suppress(OSError):  # it ends before it answers
            server.api.ask("POST", "/orchestrator/stop")

    threading.Thread(target=ask, daemon=True).start()
    reach(server, "a", "STOPPING")


def reloading(server: Served, actors: Actors) -> None:
    reach(server, "a", "READY")
    config(actors.folder.parent, *(actors.service(f"new-{at}") for at in range(30)))
    server.signal(signal.SIGHUP)


STUBBORN = {"process": {"stopTimeout": FAR}}
STATES: dict[str, tuple[Callable[[Served, Actors], None], list[str], dict[str, Any]]] = {
    "STARTING": (starting, ["hang"], {"healthCheck": {"startTimeout": FAR}}),
    "STARTING, signals ignored": (
        starting,
        ["hang", "stubborn"],
        STUBBORN | {"healthCheck": {"startTimeout": FAR}},
    ),
    "BLOCKED": (blocked, ["crash"], {"restartDelay": FAR, "restartMaxDelay": FAR}),
    "BACKOFF": (backoff, ["crash"], {"restartDelay": FAR, "restartMaxDelay": FAR}),
    "FAILED": (failed, ["crash"], {"maxRestarts": 0}),
    "READY": (ready, [], {}),
    "READY, signals ignored": (ready, ["stubborn"], STUBBORN),
    "READY, with descendants": (ready, ["family"], {}),
    "STOPPING, signals ignored": (stopping, ["stubborn"], STUBBORN),
    "restarting, signals ignored": (restarting, ["stubborn"], STUBBORN),
    "stopping all, signals ignored": (stopping_all, ["stubborn"], STUBBORN),
    "reloading": (reloading, [], {}),
}


@pytest.mark.parametrize("durable", [False, True], ids=["ephemeral", "durable"])
@pytest.mark.parametrize("state", STATES, ids=str)
def test_sigterm_ends_it(
    state: str, durable: bool, served: Serve, actors: Actors, tmp_path: Path
) -> None:
    reach_it, told, fields = STATES[state]
    for what in told:
        actors.tell("a", what)
    services = actors.service("a", **fields), actors.service("b", dependencies=["a"])
    ignored = bool({"stubborn", "family"} & set(told))
    options = [*(STOP_SOON if ignored else STOP)]
    options += ["--state", str(tmp_path / "state")] if durable else ["--ephemeral"]
    server = served("serve", "--config", config(tmp_path, *services), *options)
    reach_it(server, actors)
    running = pids(server) + (actors.members("a") if "family" in told else [])
    server.signal(signal.SIGTERM)
    code = server.wait(SECONDS)
    assert code == (1 if ignored else 0), server.lines  # 1: some had to be killed
    assert all(dies(pid) for pid in running)


@pytest.mark.parametrize("when", ["greeted", "restoring"])
def test_sigterm_ends_a_server_that_is_not_ready_yet(
    when: str, actors: Actors, tmp_path: Path
) -> None:
    file = config(tmp_path, *(actors.service(f"a-{at}") for at in range(5)))
    arguments = ["serve", "--config", file, "--port", "0", "--state", str(tmp_path / "state")]
    if when == "restoring":
        first = Command(*arguments, *STOP)
        try:
            first.line("the services are healthy|all 5 services are healthy", 60)
            first.signal(signal.SIGKILL)
            first.wait()
        finally:
            first.close()
    server = Command(*arguments, *STOP)
    try:
        server.line("^azora serve, state in ")
        server.signal(signal.SIGTERM)
        assert server.wait(SECONDS) == 0, server.lines
    finally:
        server.close()
    started = [pid for at in range(5) for pid, _ in starts(actors, f"a-{at}")]
    assert all(dies(pid) for pid in started)
    if when == "restoring":
        assert len(started) == 5, "those that were left were taken over, and stopped"


def starts(actors: Actors, id: str) -> list[tuple[int, str]]:
    try:
        return actors.starts(id)
    except FileNotFoundError:
        return []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m,mode=0700", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip(f"needs the permission to mount: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_sigterm_ends_a_server_whose_disk_is_full(
    served: Serve, actors: Actors, tmp_path: Path, small_disk: Path
) -> None:
    file = config(tmp_path, actors.service("a"))
    server = served("serve", "--config", file, "--state", str(small_disk / "state"), *STOP)
    reach(server, "a", "READY")
    running = pids(server)
    with contextlib.suppress(OSError), (small_disk / "ballast").open("wb", buffering=0) as ballast:
        while True:
            ballast.write(bytes(4096))
    service = {"type": "url", "endpoint": "http://127.0.0.1:9", "metadata": {"x": "x" * 4000}}
    answers = [server.api.register(service | {"id": f"u-{at}"}).status for at in range(50)]
    assert 507 in answers, answers
    server.signal(signal.SIGTERM)
    assert server.wait(SECONDS) == 0, server.lines
    assert all(dies(pid) for pid in running)


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A keeper of this test's own."""
    program = tmp_path / "keeper"
    shutil.copy(KEEPER, program)
    return program


def test_sigterm_ends_a_server_whose_keeper_is_stopped(
    served: Serve, actors: Actors, tmp_path: Path, program: Path
) -> None:
    file = config(tmp_path, actors.service("a"))
    server = served("serve", "--config", file, *STOP, AZORA_KEEPER=str(program))
    reach(server, "a", "READY")
    running = pids(server)
    (keeper,) = keepers(program)
    os.kill(keeper, signal.SIGSTOP)
    server.signal(signal.SIGTERM)
    assert server.wait(SECONDS) in (0, 1), server.lines
    assert all(dies(pid) for pid in (*running, keeper))


def test_close_does_not_wait_for_a_stopped_keeper(
    actors: Actors, program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZORA_KEEPER", str(program))
    actors.tell("a", "stubborn")
    orch = MasterOrchestrator()
    orch.start()
    orch.register(actors.service("a", **STUBBORN))
    orch.wait_ready("a", timeout_ms=30_000)
    pid = orch.service("a").pid
    (keeper,) = keepers(program)
    os.kill(keeper, signal.SIGSTOP)
    begun = time.monotonic()
    orch.close(timeout_ms=500)
    assert time.monotonic() - begun < FAR / 1000, "it waited for the service's own deadline"
    assert orch.closed
    assert pid is not None
    assert dies(pid)
    assert dies(keeper)
