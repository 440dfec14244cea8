"""A durable fleet: its server is killed at any instant, and the next one takes everything back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from azora_orchestrator import MasterOrchestrator
from azora_orchestrator.errors import AzoraError, InvalidArgument, StorageFailed
from conftest import SERVICE, free_port
from durable_rig import Server, alive, until


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def serve(state: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers one after the other; the last one stops the fleet."""
    servers: list[Server] = []

    def begin(*options: str) -> Server:
        servers.append(Server(state, *options))
        return servers[-1]

    yield begin
    if servers and servers[-1].process.poll() is None:
        servers[-1].stop()
    elif servers:
        Server(state, *()).stop()


def config(folder: Path, *services: str) -> str:
    path = folder / "azora.toml"
    path.write_text("\n".join(services))
    return str(path)


def web(id: str, port: int, *more: str) -> str:
    argv = [sys.executable, "-c", SERVICE, "{port}"]
    return "\n".join(
        [
            "[[services]]",
            f'id = "{id}"',
            'type = "core"',
            f'endpoint = "http://127.0.0.1:{port}"',
            'healthCheckInterval = "500ms"',
            *more,
            "[services.process]",
            f"argv = {_toml(argv)}",
        ]
    )


def _toml(argv: list[str]) -> str:
    return "[" + ", ".join(f"'''{one}'''" for one in argv) + "]"


def test_a_killed_server_costs_no_service_anything(
    serve: Callable[..., Server], tmp_path: Path
) -> None:
    file = config(tmp_path, web("a", free_port()), web("b", free_port(), 'dependencies = ["a"]'))
    server = serve("--config", file)
    server.client.wait_ready(timeout_ms=30_000)
    server.client.register(id="more", type="url", endpoint="http://127.0.0.1:9")
    before = {id: server.client.service(id).process.pid for id in ("a", "b")}
    seq = server.client.status().seq
    server.kill()
    assert all(alive(pid) for pid in before.values())
    server = serve("--config", file)
    server.client.wait_ready("a", timeout_ms=30_000)
    server.client.wait_ready("b", timeout_ms=30_000)
    assert {id: server.client.service(id).process.pid for id in ("a", "b")} == before
    assert [server.client.service(id).restart_count for id in ("a", "b")] == [0, 0]
    assert server.client.service("more").endpoint == "http://127.0.0.1:9"
    assert server.client.status().seq > seq, "numbers of events go on"
    assert server.stop() == 0
    assert not any(alive(pid) for pid in before.values())


def test_what_dies_while_nobody_looks_is_healed(
    serve: Callable[..., Server], tmp_path: Path
) -> None:
    file = config(tmp_path, web("a", free_port()))
    server = serve("--config", file)
    server.client.wait_ready(timeout_ms=30_000)
    pid = server.client.service("a").process.pid
    server.kill()
    os.kill(pid, signal.SIGKILL)
    until(lambda: not alive(pid))
    server = serve("--config", file)
    server.client.wait_ready("a", timeout_ms=30_000)
    service = server.client.service("a")
    assert service.process.pid != pid
    assert service.restart_count == 1
    assert service.process.last_exit.signal == "SIGKILL"


def test_a_drain_and_a_maintenance_outlive_their_server(
    serve: Callable[..., Server], tmp_path: Path
) -> None:
    services = [web(id, free_port(), 'group = "webs"') for id in ("a", "b", "c")]
    file = config(tmp_path, *services)
    server = serve("--config", file)
    server.client.wait_ready(timeout_ms=30_000)
    pids = {id: server.client.service(id).process.pid for id in ("a", "b", "c")}
    server.client.drain("a", timeout_ms=600_000)
    server.client.maintenance("b", reason="a new disk", until="2100-01-01T00:00:00Z")
    server.kill()
    os.kill(pids["b"], signal.SIGKILL)  # while nobody looks
    until(lambda: not alive(pids["b"]))

    server = serve("--config", file)
    server.client.wait_ready(["a", "c"], timeout_ms=30_000)
    until(lambda: server.client.service("b").lifecycle == "IDLE")
    assert server.client.service("a").process.pid == pids["a"]
    assert {server.client.pick("webs").service_id for _ in range(6)} == {"c"}
    explained = server.client.request("GET", "loadbalancer", "webs", explain="1")["candidates"]
    assert {one["serviceId"]: one.get("excluded") for one in explained} == {
        "a": "draining",
        "b": "maintenance",
        "c": None,
    }
    drained, maintained = server.client.service("a"), server.client.service("b")
    assert drained.drain is not None
    assert maintained.maintenance is not None
    assert maintained.maintenance.reason == "a new disk"
    assert maintained.desired == "hold"
    assert "under maintenance" in server.client.why("b").summary
    server.client.undrain("a")
    server.client.end_maintenance("b")
    server.kill()  # their ends are stored, too

    server = serve("--config", file)
    server.client.wait_ready(timeout_ms=30_000)
    assert {server.client.pick("webs").service_id for _ in range(6)} == {"a", "b", "c"}
    assert server.client.service("a").drain is None
    assert server.client.service("b").maintenance is None
    assert server.client.service("b").process.pid not in (None, pids["b"])
    assert server.stop() == 0


def test_a_drain_that_was_under_way_goes_on_with_what_follows_it(
    serve: Callable[..., Server], tmp_path: Path
) -> None:
    file = config(tmp_path, web("a", free_port()))
    server = serve("--config", file)
    server.client.wait_ready(timeout_ms=30_000)
    pid = server.client.service("a").process.pid
    server.client.lease("core")  # nobody gives it back
    server.client.drain("a", timeout_ms=8_000, then="restart")
    server.kill()
    server = serve("--config", file)
    until(lambda: server.client.service("a").drain is None)
    server.client.wait_ready("a", timeout_ms=30_000)
    assert server.client.service("a").process.pid != pid
    assert not alive(pid)
    assert server.client.pick("core").service_id == "a"
    assert server.stop() == 0


def test_leave_hands_the_fleet_over(serve: Callable[..., Server], tmp_path: Path) -> None:
    file = config(tmp_path, web("a", free_port()))
    server = serve("--config", file, "--leave")
    server.client.wait_ready(timeout_ms=30_000)
    pid = server.client.service("a").process.pid
    assert server.stop() == 0
    assert alive(pid)
    server = serve("--config", file)
    server.client.wait_ready(timeout_ms=30_000)
    assert server.client.service("a").process.pid == pid
    assert server.stop() == 0
    assert not alive(pid)


def test_what_the_file_no_longer_has_leaves(serve: Callable[..., Server], tmp_path: Path) -> None:
    file = config(tmp_path, web("a", free_port()), web("b", free_port()))
    server = serve("--config", file)
    server.client.wait_ready(timeout_ms=30_000)
    pid = server.client.service("b").process.pid
    server.client.register(id="mine", type="url", endpoint="http://127.0.0.1:9")
    server.kill()
    config(tmp_path, web("a", free_port()))
    server = serve("--config", file)
    until(lambda: not alive(pid))
    assert {one.id for one in server.client.services()} == {"a", "mine"}


def test_a_second_server_is_refused_and_told_who_has_the_folder(
    serve: Callable[..., Server], state: Path
) -> None:
    first = serve()
    second = subprocess.run(
        [sys.executable, "-m", "azora_orchestrator", "serve", "--port", "0", "--state", str(state)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode == 2
    assert str(state) in second.stderr
    assert str(first.process.pid) in second.stderr
    assert second.stderr.count("\n") == 1


def test_a_damaged_file_is_refused_and_kept(state: Path) -> None:
    with MasterOrchestrator(state_dir=state) as orch:
        orch.register(id="a", type="core", endpoint="http://127.0.0.1:9")
    file = state / "state.db"
    damaged = bytearray(file.read_bytes())
    damaged[: len(damaged) // 2] = bytes(len(damaged) // 2)
    file.write_bytes(damaged)
    with pytest.raises(StorageFailed, match=r"state\.db"):
        MasterOrchestrator(state_dir=state)
    assert file.read_bytes() == damaged


def test_python_keeps_what_it_registered(state: Path) -> None:
    with MasterOrchestrator(state_dir=state) as orch:
        orch.register(
            id="job",
            type="core",
            health_check={"type": "process"},
            process={"argv": ["sleep", "1000"]},
        )
        orch.wait_ready("job", timeout_ms=20_000)
    with MasterOrchestrator(state_dir=state) as orch:
        orch.wait_ready("job", timeout_ms=20_000)
        assert orch["job"].incarnation == 2, "a stop of the whole ends it, the next start begins it"
        assert orch["job"].restart_count == 0


def test_what_python_leaves_goes_on(state: Path) -> None:
    orch = MasterOrchestrator(state_dir=state)
    orch.start()
    orch.register(
        id="job", type="core", health_check={"type": "process"}, process={"argv": ["sleep", "1000"]}
    )
    orch.wait_ready("job", timeout_ms=20_000)
    pid = orch["job"].process.pid
    assert orch.stop(leave=True) == []
    assert orch.closed
    assert alive(pid)
    with MasterOrchestrator(state_dir=state) as orch:
        orch.wait_ready("job", timeout_ms=20_000)
        assert orch["job"].process.pid == pid
    assert not alive(pid)


def test_a_fleet_that_was_left_is_free_while_its_former_object_lives(state: Path) -> None:
    former = MasterOrchestrator(state_dir=state)
    former.start()
    former.register(
        id="job", type="core", health_check={"type": "process"}, process={"argv": ["sleep", "1000"]}
    )
    former.wait_ready("job", timeout_ms=20_000)
    pid = former["job"].process.pid
    assert former.stop(leave=True) == []
    with MasterOrchestrator(state_dir=state) as orch:
        until(lambda: orch["job"].process.pid == pid)
        assert orch["job"].restart_count == 0
    assert former.closed
    assert not alive(pid)


def test_a_fleet_without_a_folder_cannot_be_left(orch: MasterOrchestrator) -> None:
    with pytest.raises(InvalidArgument, match="state"):
        orch.stop(leave=True)
    assert not orch.closed


def test_logs_stay_in_its_folder(state: Path) -> None:
    with pytest.raises(InvalidArgument, match="runtime_dir"):
        MasterOrchestrator(state_dir=state, runtime_dir=state)
    with pytest.raises(AzoraError):
        MasterOrchestrator(state_dir="/proc/nowhere")


def test_what_is_kept_outlives_a_stop_in_order(
    serve: Callable[..., Server], tmp_path: Path
) -> None:
    """orphanPolicy (R32b)."""
    file = config(
        tmp_path,
        web("db", free_port()),
        web("kept", free_port(), 'orphanPolicy = "keep"', 'dependencies = ["db"]'),
    )
    server = serve("--config", file)
    server.client.wait_ready(timeout_ms=30_000)
    pids = {one.id: one.process.pid for one in server.client.services()}
    assert server.stop() == 0
    assert not alive(pids["db"])
    assert alive(pids["kept"])
    server = serve("--config", file)
    until(lambda: server.client.service("kept").process.pid == pids["kept"])
    server.client.wait_ready(timeout_ms=30_000)
    kept = server.client.service("kept")
    assert (kept.process.pid, kept.restart_count) == (pids["kept"], 0)
    server.client.unregister("kept")
    until(lambda: not alive(pids["kept"]))


def test_nothing_outlives_an_orchestrator_without_state() -> None:
    with MasterOrchestrator() as orch:
        process = {"argv": [sys.executable, "-c", SERVICE, "{port}"]}
        endpoint = f"http://127.0.0.1:{free_port()}"
        orch.register(id="a", type="core", endpoint=endpoint, process=process, orphan_policy="keep")
        orch.wait_ready("a", timeout_ms=30_000)
        pid = orch.service("a").process.pid
    assert not alive(pid)
