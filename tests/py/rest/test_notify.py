"""What a server tells the service manager above it (sd_notify): a socket of ours is the manager."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from azora_orchestrator.server.notify import Notifier
from durable_rig import until
from rest.served import SECONDS, Serve

pytestmark = pytest.mark.process


class Manager:
    """Takes the messages, in their order."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + address[1:] if address[0] == "@" else address)
        self.socket.settimeout(SECONDS)

    def next(self) -> dict[str, str]:
        """The next message that is not of the watchdog's alone."""
        while (found := self.message()) == {"WATCHDOG": "1"}:
            pass
        return found

    def message(self) -> dict[str, str]:
        lines = self.socket.recv(4096).decode().split("\n")
        return dict(line.split("=", 1) for line in lines)


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    path = str(tmp_path / "notify")
    made = Manager(path if request.param == "path" else f"@azora-test-{os.getpid()}-{path}"[:100])
    yield made
    made.socket.close()


def config(folder: Path, **more: object) -> Path:
    file = folder / "azora.json"
    service = {
        "id": "a",
        "type": "core",
        "healthCheck": {"type": "process"},
        "process": {
            "argv": ["sh", "-c", "env > env.new; mv env.new env; exec sleep 1000"],
            "inheritEnv": ["*"],
            "cwd": str(folder),
        },
    }
    file.write_text(json.dumps({"services": [service | more]}))
    return file


def test_it_says_ready_reloading_and_stopping(
    manager: Manager, served: Serve, tmp_path: Path
) -> None:
    file = config(tmp_path)
    server = served("serve", "--config", str(file), NOTIFY_SOCKET=manager.address)
    assert manager.next() == {"READY": "1", "STATUS": f"serves 1 service at {server.url}"}
    until((tmp_path / "env").exists)
    config(tmp_path, name="other")
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    server.signal(signal.SIGHUP)
    reloading = manager.next()
    assert reloading["RELOADING"] == "1"
    assert before <= int(reloading["MONOTONIC_USEC"])
    assert int(reloading["MONOTONIC_USEC"]) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    assert manager.next() == {"READY": "1", "STATUS": f"serves 1 service at {server.url}"}
    file.write_text("{")
    server.signal(signal.SIGHUP)
    assert manager.next()["RELOADING"] == "1"
    assert manager.next()["READY"] == "1"  # a refused file changes nothing
    server.signal(signal.SIGTERM)
    stopping = manager.next()
    assert stopping == {"STOPPING": "1", "STATUS": "SIGTERM: stopping"}
    assert server.wait() == 0, server.lines
    names = {line.partition("=")[0] for line in (tmp_path / "env").read_text().splitlines()}
    assert "AZORA_ID" in names
    assert not names & {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}


def test_the_watchdog_hears_of_a_server_that_answers(
    manager: Manager, served: Serve, tmp_path: Path
) -> None:
    environ = {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "200000"}
    server = served("serve", "--config", str(config(tmp_path)), **environ)
    for _ in range(4):
        while manager.message() != {"WATCHDOG": "1"}:
            pass
    assert server.process.poll() is None
    assert server.api.get("/readyz").status == 200


def test_a_watchdog_of_another_process_is_not_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for pid, expected in ((str(os.getppid()), None), (str(os.getpid()), 2.0)):
        monkeypatch.setenv("NOTIFY_SOCKET", "/nowhere")
        monkeypatch.setenv("WATCHDOG_USEC", "2000000")
        monkeypatch.setenv("WATCHDOG_PID", pid)
        assert Notifier.from_environment().watchdog_seconds == expected
        assert not {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"} & os.environ.keys()


@pytest.mark.parametrize("usec", ["", "0", "-1", "soon"])
def test_without_an_interval_there_is_no_watchdog(
    usec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", "/nowhere")
    monkeypatch.setenv("WATCHDOG_USEC", usec)
    assert Notifier.from_environment().watchdog_seconds is None


def test_nothing_is_said_for_a_core_that_does_not_answer(manager: Manager) -> None:
    notifier = Notifier(manager.address, 0.002)
    manager.socket.setblocking(False)

    def said() -> list[bytes]:
        found = []
        with contextlib.suppress(BlockingIOError):
            while True:
                found.append(manager.socket.recv(100))
        return found

    async def run() -> None:
        asked: asyncio.Queue[asyncio.Future[None]] = asyncio.Queue()

        async def answers() -> None:
            answer = asyncio.get_running_loop().create_future()
            asked.put_nowait(answer)
            await answer

        task = asyncio.ensure_future(notifier.keep_alive(answers))
        answer = await asked.get()
        for _ in range(3):
            assert said() == []  # the core is asked, and has not answered
            answer.set_result(None)
            answer = await asked.get()  # it is asked again, so the last answer was told
            assert said() == [b"WATCHDOG=1"]
        task.cancel()

    asyncio.run(run())


def test_a_manager_that_is_gone_or_unknown_changes_nothing(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    Notifier(str(tmp_path / "none")).ready("here")
    assert "did not hear" in caplog.text
    caplog.clear()
    monkeypatch.setenv("NOTIFY_SOCKET", "vsock:2:1234")
    Notifier.from_environment().ready("here")
    assert "NOTIFY_SOCKET is 'vsock:2:1234'" in caplog.text
    assert "did not hear" not in caplog.text
    caplog.clear()
    Notifier().ready("nobody listens")
    assert not caplog.records


def test_a_status_is_one_line(manager: Manager) -> None:
    Notifier(manager.address).ready("two\nREADY=0")
    assert manager.message() == {"READY": "1", "STATUS": "two READY=0"}
