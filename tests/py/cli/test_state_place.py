"""Where `azora serve` keeps its state that was told no directory (R7, decision 0026)."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from azora_orchestrator.cli.state_place import default_state
from cli.conftest import Azora
from conftest import SERVICE, free_port
from durable_rig import until
from rest.asking import Api
from rest.served import Command, Served


@pytest.fixture
def commands() -> Iterator[Any]:
    """Runs `azora`, at the end politely ended."""
    running: list[Command] = []

    def run(*arguments: str, **environ: str) -> Command:
        running.append(Command(*arguments, **environ))
        return running[-1]

    yield run
    for command in running:
        command.close()


def test_the_place_is_that_of_the_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/kept")
    assert default_state(5000) == "/kept/azora/5000"
    assert default_state(0) is None
    monkeypatch.setenv("HOME", "/mine")
    for nothing in ("", "relative/is/ignored"):
        monkeypatch.setenv("XDG_STATE_HOME", nothing)
        assert default_state(5001) == "/mine/.local/state/azora/5001"


def test_a_server_is_durable_unless_told_otherwise(commands: Any, tmp_path: Path) -> None:
    """It is killed; its services go on, and the next one on its port knows everything again."""
    port = free_port()
    file = tmp_path / "azora.json"
    service = {
        "id": "web",
        "type": "core",
        "endpoint": f"http://127.0.0.1:{free_port()}",
        "process": {"argv": [sys.executable, "-c", SERVICE, "{port}"]},
    }
    file.write_text(json.dumps({"services": [service]}))
    options = ("serve", "--config", str(file), "--port", str(port))
    place = {"XDG_STATE_HOME": str(tmp_path / "kept")}
    first = commands(*options, **place)
    first.line(f"^azora serve, state in {tmp_path}/kept/azora/{port}: services outlive")
    first.line(f" serves 1 service at http://127.0.0.1:{port}$")
    api = Api(port)
    assert api.get("/wait?timeoutMs=30000").status == 200
    far = {"id": "far", "type": "core", "endpoint": "http://127.0.0.1:9"}
    assert api.register(far).status == 200
    pid = api.get("/services/web").json["process"]["pid"]
    first.signal(signal.SIGKILL)
    first.wait()
    os.kill(pid, 0)
    second = commands(*options, **place)
    second.line(f" serves 2 services at http://127.0.0.1:{port}$")
    assert until(lambda: api.get("/services/web").json["process"]["pid"]) == pid
    assert api.get("/services/far").status == 200


@pytest.mark.parametrize(
    "options", [("serve", "--ephemeral", "--port", "PORT"), ("serve", "--port", "0")]
)
def test_what_keeps_nothing_says_so(
    options: tuple[str, ...], commands: Any, tmp_path: Path
) -> None:
    port = str(free_port())
    words = [port if word == "PORT" else word for word in options]
    command = commands(*words, XDG_STATE_HOME=str(tmp_path / "kept"))
    command.line("^azora serve, ephemeral: nothing is kept, processes end with this server")
    command.line(" serves 11 services at ")
    assert not (tmp_path / "kept").exists()


def test_a_place_that_cannot_be_made_is_told_with_what_to_do(
    azora: Azora, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(in_the_way))
    said = azora("serve", "--port", str(free_port()))
    assert said.code == 2
    assert f"{in_the_way}/azora" in said.err
    assert said.err.endswith("; --state DIR names another place, --ephemeral keeps nothing\n")
    assert said.err.count("\n") == 1


def test_a_socket_fits_into_a_deep_place(commands: Any, tmp_path: Path) -> None:
    """A path of a Unix socket has at most 107 bytes."""
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    file = tmp_path / "azora.json"
    service = {"id": "job", "type": "core", "process": {"argv": ["/bin/sleep", "1000"]}}
    file.write_text(json.dumps({"services": [service | {"healthCheck": {"type": "process"}}]}))
    port = free_port()
    command = commands("serve", "-c", str(file), "-p", str(port), XDG_STATE_HOME=str(deep))
    command.line(" serves 1 service at ")
    assert Api(port).get("/wait?timeoutMs=30000").status == 200


def test_the_tests_leave_nothing_at_home(served: Any) -> None:
    server: Served = served("serve")
    assert server.lines[0].startswith("azora serve, ephemeral")
    assert not os.environ["XDG_STATE_HOME"].startswith(str(Path.home()))
