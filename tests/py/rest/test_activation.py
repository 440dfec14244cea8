"""A listening socket that is handed over (LISTEN_FDS): it outlives servers, and refuses nobody."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from azora_orchestrator import InvalidArgument, MasterOrchestrator, server
from conftest import free_port
from durable_rig import until
from rest.asking import Api
from rest.served import Actors, Command, clean_environ

pytestmark = pytest.mark.process

# Hands the descriptors of its first argument over, as systemd does, and becomes `azora`.
LAUNCH = """
import json, os, sys
for number, one in enumerate(json.loads(sys.argv[1]), 3):
    os.dup2(one, number)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=sys.argv[2], LISTEN_FDNAMES="x")
os.execv(sys.executable, [sys.executable, "-m", "azora_orchestrator", *sys.argv[3:]])
"""
KINDS = ("GET /services/a", "GET /loadbalancer/core", "POST /services/register")
RESET = ("ConnectionResetError", "RemoteDisconnected", "BrokenPipeError")


def above_ten(one: socket.socket) -> int:
    """A copy of its descriptor that the numbers handed over do not overwrite."""
    import fcntl

    return fcntl.fcntl(one, fcntl.F_DUPFD, 20)


def ask(port: int, kind: str) -> int:
    """One request on a connection of its own."""
    method, path = kind.split()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with contextlib.closing(connection):
        body, headers = None, {}
        if method == "POST":
            body = json.dumps({"id": "url", "type": "url", "endpoint": "http://127.0.0.1:9"})
            headers = {"Content-Type": "application/json"}
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        response.read()
        return response.status


class Load:
    """Clients that ask without a pause, each request on a connection of its own."""

    def __init__(self, port: int) -> None:
        self.outcomes: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(port, at), daemon=True) for at in range(4)
        ]
        for thread in self._threads:
            thread.start()

    def _run(self, port: int, at: int) -> None:
        while not self._over.is_set():
            at += 1
            kind = KINDS[at % len(KINDS)]
            try:
                outcome = str(ask(port, kind))
            except (OSError, http.client.HTTPException) as error:
                outcome = type(error).__name__
            with self._lock:
                self.outcomes[outcome if outcome in ("200", *RESET) else f"{kind}: {outcome}"] += 1

    def goes_on(self) -> None:
        """Waits until many more were answered."""
        before = self.outcomes["200"]
        until(lambda: self.outcomes["200"] >= before + 60, 60)

    def end(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(70)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0), backlog=512) as one:
        yield one


@pytest.fixture
def begin() -> Iterator[Callable[..., Command]]:
    """Starts `azora` with sockets that are handed over."""
    with contextlib.ExitStack() as stack:

        def start(handed: list[socket.socket], *arguments: str, count: str = "") -> Command:
            copies = [above_ten(one) for one in handed]
            made = Command(
                json.dumps(copies),
                count or str(len(copies)),
                *arguments,
                program=LAUNCH,
                pass_fds=copies,
            )
            for one in copies:
                os.close(one)
            stack.callback(made.close)
            return made

        yield start


def serves_at(command: Command) -> str:
    return command.line(r" serves .* at (http://\S+)$")[1]


def test_servers_are_replaced_under_load_and_no_request_is_refused(
    listener: socket.socket, begin: Callable[..., Command], actors: Actors, tmp_path: Path
) -> None:
    port = listener.getsockname()[1]
    config = tmp_path / "azora.json"
    config.write_text(json.dumps({"services": [actors.service("a")]}))
    serve = ["serve", "--config", str(config), "--state", str(tmp_path / "state"), "--leave"]
    first = begin([listener], *serve)
    assert serves_at(first) == f"http://127.0.0.1:{port}"
    assert ask(port, "POST /services/a/start?wait=ready&timeoutMs=30000") == 200
    pid = Api(port).get("/services/a").json["process"]["pid"]
    load = Load(port)
    try:
        load.goes_on()
        first.signal(signal.SIGTERM)
        assert first.wait() == 0, first.lines
        second = begin([listener], *serve)
        load.goes_on()
        assert set(load.outcomes) == {"200"}, load.outcomes
        second.signal(signal.SIGKILL)
        second.wait()
        third = begin([listener], *serve)
        load.goes_on()
    finally:
        load.end()
    # What a killed server had accepted is reset; what it had not waits for the next one.
    assert set(load.outcomes) <= {"200", *RESET}, load.outcomes
    assert Api(port).get("/services/a").json["process"]["pid"] == pid
    third.signal(signal.SIGTERM)
    assert third.wait() == 0, third.lines
    os.kill(pid, 0)  # left, to be taken over
    last = begin([listener], "serve", "--state", str(tmp_path / "state"))
    serves_at(last)
    last.signal(signal.SIGTERM)
    assert last.wait() == 0, last.lines


def test_services_do_not_get_the_variables(
    listener: socket.socket, begin: Callable[..., Command], tmp_path: Path
) -> None:
    config = tmp_path / "azora.json"
    service = {
        "id": "a",
        "type": "core",
        "healthCheck": {"type": "process"},
        "process": {
            "argv": ["sh", "-c", "env > env.new; mv env.new env; exec sleep 1000"],
            "inheritEnv": ["*"],
            "cwd": str(tmp_path),
        },
    }
    config.write_text(json.dumps({"services": [service]}))
    command = begin([listener], "serve", "--config", str(config))
    serves_at(command)
    until((tmp_path / "env").exists)
    names = {line.partition("=")[0] for line in (tmp_path / "env").read_text().splitlines()}
    assert "AZORA_ID" in names
    assert not {name for name in names if name.startswith("LISTEN_")}


@contextlib.contextmanager
def made(kind: str, folder: Path) -> Iterator[list[socket.socket]]:
    with contextlib.ExitStack() as stack:

        def one(family: int = socket.AF_INET, type: int = socket.SOCK_STREAM) -> socket.socket:
            return stack.enter_context(socket.socket(family, type))

        made = [one()]
        if kind == "unix":
            made = [one(socket.AF_UNIX)]
            made[0].bind(str(folder / "socket"))
            made[0].listen()
        elif kind == "datagrams":
            made = [one(type=socket.SOCK_DGRAM)]
        elif kind == "network":
            made[0].bind(("0.0.0.0", 0))
            made[0].listen()
        elif kind == "several":
            made.append(one())
        yield made


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        ("unix", {}, "descriptor 3, handed over by LISTEN_FDS, is not a listening TCP"),
        ("datagrams", {}, "is not a listening TCP socket"),
        ("not listening", {}, "is not a listening TCP socket"),
        ("several", {}, "LISTEN_FDS is '2'; it must be 1, the socket to listen on"),
        ("not listening", {"count": "x"}, "LISTEN_FDS is 'x'; it must be 1"),
        ("network", {}, "0.0.0.0 is not a loopback address"),
    ],
)
def test_what_cannot_be_listened_on_is_refused_in_one_line(
    kind: str,
    options: dict[str, Any],
    words: str,
    begin: Callable[..., Command],
    tmp_path: Path,
) -> None:
    with made(kind, tmp_path) as handed:
        command = begin(handed, "serve", **options)
        assert command.wait() == 2
        assert len(command.lines) == 1
        assert words in command.lines[0]


@pytest.mark.parametrize("option", [("--port", "1"), ("--host", "::1")], ids=lambda one: one[0])
def test_an_option_that_contradicts_the_socket_is_refused(
    option: tuple[str, str], listener: socket.socket, begin: Callable[..., Command]
) -> None:
    command = begin([listener], "serve", *option)
    assert command.wait() == 2
    assert len(command.lines) == 1
    assert f"{option[0]} is {option[1]}, but the socket that was handed over" in command.lines[0]


def test_what_is_for_another_process_is_not_taken(
    orch: MasterOrchestrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LISTEN_PID", str(os.getppid()))
    monkeypatch.setenv("LISTEN_FDS", "1")
    with pytest.raises(InvalidArgument, match="not a loopback address"):
        server.run(orch, host="0.0.0.0", port=0)  # so it made one of its own
    assert "LISTEN_FDS" not in os.environ


def test_run_takes_it_too(orch: MasterOrchestrator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
    monkeypatch.setenv("LISTEN_FDS", "3")
    with pytest.raises(InvalidArgument, match="LISTEN_FDS is '3'"):
        server.run(orch, port=0)


@pytest.mark.skipif(
    shutil.which("systemd-socket-activate") is None,
    reason="needs systemd-socket-activate: apt-get install -y systemd",
)
def test_it_is_what_systemd_hands_over() -> None:
    port = free_port()
    activating = subprocess.Popen(
        [
            "systemd-socket-activate",
            f"--listen=127.0.0.1:{port}",
            "--setenv=PATH",
            sys.executable,
            "-m",
            "azora_orchestrator",
            "serve",
        ],
        env=clean_environ(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert activating.stdout is not None
        assert "Listening on 127.0.0.1" in activating.stdout.readline()
        assert Api(port).get("/health").status == 200  # the first client starts the server
        activating.send_signal(signal.SIGTERM)
        said, _ = activating.communicate(timeout=60)
        assert activating.returncode == 0, said
    finally:
        activating.kill()
        activating.wait()
