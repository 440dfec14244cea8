"""`server.run()` in a program of the user's own, and `create_app()` under other servers."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import signal
import socket
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from azora_orchestrator import AsyncMasterOrchestrator, InvalidArgument, MasterOrchestrator, server
from azora_orchestrator.server import create_app, runner, tokens
from conftest import free_port
from rest.asking import Api
from rest.served import Actors, Command, dies

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # httpx is the client that there is
    from fastapi.testclient import TestClient

# A program as users write it: it says where it serves, and goes on when that is over.
PROGRAM = """
import json, logging, signal, sys, threading
from azora_orchestrator import AsyncMasterOrchestrator, MasterOrchestrator, server

logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(name)s %(message)s")
logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
signal.signal(signal.SIGTERM, lambda *_: print("SIGTERM is mine", flush=True))
signal.signal(signal.SIGUSR1, lambda *_: print("SIGUSR1 is mine", flush=True))
with MasterOrchestrator() as orch:
    for service in json.loads(sys.argv[1]):
        orch.register(service)
    print("left", list(server.run(orch, port=0, stop_timeout_ms=20_000)), flush=True)
    print("running", orch.status().running, flush=True)
    signal.raise_signal(signal.SIGTERM)
    print("disabled", logging.getLogger("uvicorn.error").disabled, flush=True)
print("over", flush=True)
"""


def port_of(command: Command) -> int:
    return int(command.line(r"^azora\.server serves at http://127\.0\.0\.1:(\d+)$")[1])


@pytest.fixture
def command() -> Iterator[Callable[..., Command]]:
    with contextlib.ExitStack() as stack:

        def start(*arguments: str, **options: Any) -> Command:
            made = Command(*arguments, **options)
            stack.callback(made.close)
            return made

        yield start


@pytest.mark.process
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_a_signal_and_gives_everything_back(
    number: int, command: Callable[..., Command], actors: Actors
) -> None:
    program = command(json.dumps([actors.service("a")]), program=PROGRAM)
    api = Api(port_of(program))
    assert api.ask("POST", "/services/a/start?wait=ready&timeoutMs=30000").status == 200
    pid = api.get("/services/a").json["process"]["pid"]
    program.signal(signal.SIGUSR1)
    program.line("SIGUSR1 is mine")  # what is not ours to hear stays the program's
    with api.stream("/events?since=0") as frames:
        next(frames)
        program.signal(number)
        list(frames)  # it ends
    assert program.wait() == 0, program.lines
    assert dies(pid, 0)
    said = program.lines[program.lines.index("left []") :]
    assert said == ["left []", "running False", "SIGTERM is mine", "disabled False", "over"]


@pytest.mark.process
def test_a_second_ctrl_c_kills_and_returns(command: Callable[..., Command], actors: Actors) -> None:
    actors.tell("a", "stubborn")
    service = actors.service("a", process={"stopTimeout": 60_000})
    program = command(json.dumps([service]), program=PROGRAM)
    api = Api(port_of(program))
    assert api.ask("POST", "/services/a/start?wait=ready&timeoutMs=30000").status == 200
    pid = api.get("/services/a").json["process"]["pid"]
    program.signal(signal.SIGINT)
    program.line("SIGINT: stopping the fleet")
    program.signal(signal.SIGINT)
    program.line("SIGINT again: killing what has not stopped")
    assert program.wait() == 0, program.lines
    assert dies(pid, 0)
    assert program.lines[-1] == "over"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"host": "0.0.0.0"}, "0.0.0.0 is not a loopback address, and this version has no TLS"),
        ({"host": "::"}, ":: is not a loopback address"),
        ({"host": ""}, "is not a loopback address"),
        ({"host": "::ffff:192.0.2.1"}, "is not a loopback address"),
        ({"host": 5}, "host is 5; it must be a string"),
        ({"port": 70_000}, "port is 70000; it must be 0 to 65535"),
        ({"port": "5000"}, "port is '5000'; it must be"),
        ({"auth": None}, 'auth is None; it must be "owner" or "token"'),
        ({"auth": "nobody"}, "auth is 'nobody'"),
        ({"allowed_hosts": "box.example"}, "allowed_hosts is 'box.example'; it must be a list"),
        ({"allowed_hosts": ["*.example"]}, "wildcards are not supported"),
        ({"stop_timeout_ms": 2**31}, "stop_timeout_ms is 2147483648; it must be 0 to 2147483647"),
        ({"stop_timeout_ms": 1.5}, "stop_timeout_ms is 1.5; it must be"),
        ({"max_connections": 0}, "max_connections is 0; it must be 1 to"),
        ({"max_connections_per_peer": True}, "max_connections_per_peer is True"),
    ],
    ids=str,
)
def test_what_cannot_be_served_is_refused(
    options: dict[str, Any], words: str, orch: MasterOrchestrator
) -> None:
    with pytest.raises(InvalidArgument) as refused:
        server.run(orch, **({"port": 0} | options))
    assert words in str(refused.value)


def test_it_is_refused_where_it_could_not_end(orch: MasterOrchestrator) -> None:
    async def inside() -> None:
        with pytest.raises(InvalidArgument, match="while an event loop runs"):
            server.run(orch, port=0)

    asyncio.run(inside())
    refused: list[BaseException] = []

    def elsewhere() -> None:
        try:
            server.run(orch, port=0)
        except InvalidArgument as error:
            refused.append(error)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join(20)
    assert "on the main thread" in str(refused[0])
    with pytest.raises(InvalidArgument, match="expected an orchestrator, got str"):
        server.run("orch", port=0)  # type: ignore[arg-type]


def test_a_port_in_use_is_an_oserror_in_words(orch: MasterOrchestrator) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=rf"port {port} on 127\.0\.0\.1 is in use"):
            server.run(orch, port=port)
    with pytest.raises(OSError, match=r"cannot listen on no\.such\.invalid: "):
        server.run(orch, host="no.such.invalid", port=0)


@pytest.mark.process
def test_a_name_server_that_hangs_delays_nothing(command: Callable[..., Command]) -> None:
    program = """
import logging, socket, sys, threading
from azora_orchestrator import AsyncMasterOrchestrator, server
from azora_orchestrator.server import runner

release = threading.Event()
def getfqdn():
    print("asked", flush=True)
    release.wait()
    return "box.example"
socket.getfqdn = getfqdn
runner.is_any = lambda listener: True
logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(name)s %(message)s")
logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
threading.Thread(target=lambda: sys.stdin.readline() and release.set(), daemon=True).start()
server.run(AsyncMasterOrchestrator(), port=0, max_connections=50)
print("over", flush=True)
"""
    made = command(program=program)
    api = Api(port_of(made))
    made.line("^asked$")
    assert api.get("/health").status == 200
    assert api.get("/health", Host=socket.gethostname()).status == 200
    assert api.get("/health", Host="192.0.2.77:80").status == 200
    assert api.get("/health", Host="box.example").status == 421
    made.signal(signal.SIGTERM)
    assert made.wait() == 0, made.lines  # it does not wait for the name
    assert made.lines[-1] == "over"


# create_app() under other servers.

PLAIN = """
import sys, uvicorn
from azora_orchestrator import MasterOrchestrator
from azora_orchestrator.server import create_app, runner, tokens

with MasterOrchestrator() as orch:
    try:
        uvicorn.run(create_app(orch), port=int(sys.argv[1]), proxy_headers=False)
    except KeyboardInterrupt:
        pass  # some versions of uvicorn say in this way why they ended
print("over", flush=True)
"""


@pytest.mark.process
@pytest.mark.parametrize("path", ["/events?since=0", "/events"])
def test_ctrl_c_ends_plain_uvicorn_with_open_streams(
    path: str, command: Callable[..., Command]
) -> None:
    port = free_port()
    made = command(str(port), program=PLAIN)
    made.line("Uvicorn running on")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    with contextlib.closing(connection):
        connection.request("GET", path)
        response = connection.getresponse()
        assert response.readline() == b"retry: 1000\n"
        made.signal(signal.SIGINT)
        response.read()  # it ends, at the first Ctrl-C
    assert made.wait() == 0
    assert made.lines[-1] == "over"
    assert not any("Traceback" in line for line in made.lines), made.lines


def test_a_test_client_gets_what_any_client_gets(orch: MasterOrchestrator) -> None:
    with TestClient(create_app(orch, auth=None)) as client:
        assert client.get("/health").json()["status"] == "ok"
        service = {"id": "a", "type": "core", "endpoint": "http://127.0.0.1:1"}
        assert client.post("/services/register", json=service).status_code == 200
        assert client.get("/services/a").json()["config"]["id"] == "a"
        large = client.post("/services/register", content=b"x" * 300_000)
        assert (large.status_code, large.json()["code"]) == (413, "body_too_large")
        foreign = client.post("/orchestrator/stop", headers={"Origin": "http://evil.example"})
        assert foreign.status_code == 403
        with client.stream("GET", "/events?since=0&follow=0") as events:
            assert "event: serviceRegistered" in events.read().decode()
        assert client.get("/readyz").json() == {"ready": True}


def test_a_test_client_is_nobodys_owner(
    orch: MasterOrchestrator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its address is a name, no connection: the kernel knows nothing of it."""
    monkeypatch.setenv("AZORA_TOKEN_FILE", str(tmp_path / "token"))
    with TestClient(create_app(orch), base_url="http://localhost") as client:
        assert client.post("/orchestrator/start").status_code == 401
        token = tokens.ensure_token()
        bearer = {"Authorization": f"Bearer {token}"}
        assert client.post("/orchestrator/start", headers=bearer).status_code == 200


def test_mounted_with_a_lifespan_it_starts_stops_and_keeps_its_limits() -> None:
    orch = MasterOrchestrator()

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> Any:
        with orch:
            yield

    app = FastAPI(lifespan=lifespan)
    app.mount("/fleet", create_app(orch, auth=None))
    with TestClient(app) as client:
        assert client.get("/fleet/status").json()["running"] is True
        large = client.post("/fleet/services/register", content=b"x" * 300_000)
        assert large.status_code == 413
        assert client.get("/fleet/health", headers={"Host": "evil.example"}).status_code == 421
        lease = "/fleet/loadbalancer/core?lease=auto"
        foreign = client.get(lease, headers={"Sec-Fetch-Site": "cross-site"})
        assert foreign.status_code == 403
    assert orch.status().running is False


def test_an_async_orchestrator_is_run_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    async def over(self: Any) -> None:
        signal.raise_signal(signal.SIGINT)
        await self._over.wait()

    monkeypatch.setattr(runner.Uvicorn, "main_loop", over)
    orch = AsyncMasterOrchestrator()
    before = signal.getsignal(signal.SIGINT)
    try:
        assert server.run(orch, port=0) == ()
        assert server.run(orch, port=0, host="127.0.0.2") == ()  # and once more
        assert signal.getsignal(signal.SIGINT) is before
    finally:
        orch.sync.close()
