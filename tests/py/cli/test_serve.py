"""`azora serve` and `azora demo` before and while they serve."""

from __future__ import annotations

import json
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from azora_orchestrator.catalog import CATALOG, demo_services, services, start_order
from cli.conftest import Azora
from conftest import free_port
from rest.asking import Api
from rest.served import Actors, Command, Serve, clean_environ, dies

pytestmark = pytest.mark.process


def test_without_a_file_it_watches_the_eleven_by_their_variables(
    served: Serve, web: Callable[[], Any]
) -> None:
    service = web()
    endpoints = {entry.variable: service.endpoint for entry in CATALOG}
    server = served("serve", **endpoints)
    assert server.lines[0] == (
        "azora serve, ephemeral: nothing is kept, processes end with this server"
    )
    server.line("all 11 services are healthy")
    found = server.api.get("/status/detailed").json["services"]
    assert [item["serviceId"] for item in found] == [entry.id for entry in start_order()]
    assert {item["config"]["endpoint"] for item in found} == {service.endpoint}
    gateway = next(item["config"] for item in found if item["serviceId"] == "api-gateway")
    assert (gateway["healthCheckInterval"], gateway["maxRestarts"], gateway["restartDelay"]) == (
        15_000,
        10,
        3_000,
    )
    ready = server.api.get("/readyz")
    assert (ready.status, ready.json) == (200, {"ready": True})
    progress = [line for line in server.lines if line.startswith("  healthy")]
    assert len(progress) == 11
    assert progress[-1].endswith("11 of 11 healthy")


def test_a_file_its_pools_and_its_folder(served: Serve, tmp_path: Path) -> None:
    program = "import os, sys; print(os.getcwd(), *sys.argv[1:], flush=True); sys.stdin.read()\n"
    program += "import threading; threading.Event().wait()\n"
    (tmp_path / "run.py").write_text(program)
    service = {
        "id": "a",
        "type": "core",
        "endpoint": f"http://127.0.0.1:{free_port()}",
        "healthCheck": {"type": "process"},
        "process": {"argv": [sys.executable, "run.py", "{port}"]},
    }
    pools = {"core": {"strategy": "ip-hash"}}
    (tmp_path / "azora.json").write_text(json.dumps({"pools": pools, "services": [service]}))
    # Paths are relative to the file's folder, wherever the server is started.
    server = served("serve", "-c", str(tmp_path / "azora.json"), cwd=Path("/"))
    started = server.api.ask("POST", "/services/a/start?wait=ready&timeoutMs=30000")
    assert started.status == 200, started.body
    said = server.api.get("/services/a/logs").body.decode().split()
    assert said == [str(tmp_path), service["endpoint"].rpartition(":")[2]]
    assert server.api.get("/loadbalancer/core?explain=1").json["strategy"] == "ip-hash"
    # What a file registered keeps its command when REST registers over it.
    over = {"id": "a", "name": "Ah", "type": "core", "endpoint": service["endpoint"]}
    assert server.api.register(over).status == 200
    state = server.api.get("/services/a").json
    assert (state["config"]["name"], state["config"]["process"]["argv"][1]) == ("Ah", "run.py")
    refused = server.api.register(service)
    assert (refused.status, refused.json["code"]) == (403, "exec_forbidden")


def test_the_limit_of_files_is_raised_for_the_server_and_not_for_services(
    served: Serve, tmp_path: Path
) -> None:
    service = {
        "id": "a",
        "type": "core",
        "process": {"argv": ["sh", "-c", "ulimit -Sn; exec sleep 1000"]},
        "healthCheck": {"type": "process"},
    }
    (tmp_path / "azora.json").write_text(json.dumps({"services": [service]}))
    was = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, was[1]))
    try:
        server = served("serve", "-c", str(tmp_path / "azora.json"))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, was)
    assert server.api.ask("POST", "/services/a/start?wait=ready&timeoutMs=30000").status == 200
    assert server.api.get("/services/a/logs").body == b"512\n"
    limits = Path(f"/proc/{server.pid}/limits").read_text()
    (line,) = (line for line in limits.splitlines() if line.startswith("Max open files"))
    assert int(line.split()[3]) == min(was[1], 1_048_576)


def test_a_port_in_use_is_one_line_and_2(azora: Azora, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for verb in ("serve", "demo"):
            said = azora(verb, "--port", str(port))
            assert said.code == 2
            assert said.err == (
                f"azora: port {port} on 127.0.0.1 is in use; "
                "choose another with --port, or --port 0\n"
            )
            assert said.out == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--state", "/x", "--ephemeral"), "--ephemeral was given with --state; leave one of them"),
        (("--leave",), "--leave needs --state DIR: without it services end with this server"),
        (("--auth", "nobody"), '--auth is "nobody"; it must be owner or token'),
        (("--stop-timeout", "soon"), '--stop-timeout is "soon"; it must be a time'),
        (("--stop-timeout", "²"), '--stop-timeout is "²"; it must be a time'),
        (("--stop-timeout", "9" * 20), f'--stop-timeout is "{"9" * 20}"; it must be a time'),
        (("--config", "none.toml"), "none.toml:1: cannot be read: No such file or directory"),
        (("--host", "no.such.host.invalid"), "cannot listen on no.such.host.invalid: "),
        (("--host", "192.0.2.1", "--insecure-plaintext"), "cannot listen on 192.0.2.1 port "),
        *(
            (("--host", host), f"{host} is not a loopback address, and this version has no TLS")
            for host in ("0.0.0.0", "::", "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1")
        ),
    ],
)
def test_a_wrong_option_is_one_line_and_2(
    arguments: tuple[str, ...], message: str, azora: Azora
) -> None:
    said = azora("serve", "--port", "0", *arguments)
    assert (said.code, said.err.count("\n")) == (2, 1)
    assert said.err.startswith(f"azora: {message}"), said.err


def test_a_file_that_listens_on_the_network_is_refused_unless_it_says_so(
    azora: Azora, tmp_path: Path
) -> None:
    file = tmp_path / "azora.toml"
    file.write_text('[orchestrator]\nauth = "owner"\nhost = "192.0.2.1"\n')
    fault = f"{file}:3: orchestrator.host: 192.0.2.1 is not a loopback address"
    for said in (azora("check", str(file)), azora("serve", "-p", "0", "-c", str(file))):
        assert said.code == 2
        assert (said.out + said.err).removeprefix("azora: ").startswith(fault)
        assert "set insecurePlaintext = true" in said.out + said.err
    # Spelled out in the file or as an option, it gets as far as the socket (of another machine).
    said = azora("serve", "-p", "0", "-c", str(file), "--insecure-plaintext")
    assert said.err.startswith("azora: cannot listen on 192.0.2.1 port 0: "), said
    file.write_text(file.read_text() + "insecurePlaintext = true\n")
    assert azora("check", str(file)).code == 0
    said = azora("serve", "-p", "0", "-c", str(file))
    assert said.err.startswith("azora: cannot listen on 192.0.2.1 port 0: "), said
    # An option that stays on loopback needs no permission.
    assert azora("serve", "--host", "no.such.invalid", "-c", str(file)).err.startswith(
        "azora: cannot listen on no.such.invalid"
    )


# 127.0.0.2 stands for an address of the network.
PRETENDING = """
import sys
from azora_orchestrator import _addresses
_addresses.is_network = lambda address: address == "127.0.0.2"
from azora_orchestrator.cli import main
main()
"""


def test_what_is_served_in_the_clear_is_shown(tmp_path: Path) -> None:
    command = Command(
        "serve", "--host", "127.0.0.2", "--port", "0", "--insecure-plaintext", program=PRETENDING
    )
    try:
        port = int(command.line(r"at http://127\.0\.0\.2:(\d+)")[1])
        assert command.lines[0] == (
            "azora serve, ephemeral: nothing is kept, processes end with this server; "
            "INSECURE: on 127.0.0.2 in the clear, tokens and answers can be read on the network"
        )
        ready = Api(port).ask("GET", "/readyz", host="127.0.0.2")
        assert (ready.status, ready.json) == (200, {"ready": True, "insecurePlaintext": True})
        command.signal(signal.SIGTERM)
        assert command.wait() == 0
    finally:
        command.close()
    refused = Command("serve", "--host", "127.0.0.2", "--port", "0", program=PRETENDING)
    try:
        assert refused.wait() == 2
        assert refused.lines[0].endswith("to accept that, give --insecure-plaintext")
    finally:
        refused.close()


def test_a_server_that_ends_by_itself_ends_with_1_and_the_reason() -> None:
    failing = """
import asyncio
from azora_orchestrator.server import runner
async def fails(self):
    raise ZeroDivisionError("the loop broke")
runner.Uvicorn.main_loop = fails
from azora_orchestrator.cli import main
main()
"""
    command = Command("serve", "--port", "0", program=failing)
    try:
        assert command.wait() == 1
        assert command.lines[-1] == ("azora: the HTTP server ended by itself: the loop broke"), (
            command.lines
        )
        assert not any("never retrieved" in line for line in command.lines)
    finally:
        command.close()


def test_a_file_sets_the_limits_of_connections(served: Serve, tmp_path: Path) -> None:
    file = tmp_path / "azora.json"
    file.write_text('{"orchestrator": {"maxConnections": 1}}')
    server = served("serve", "-c", str(file))
    with socket.create_connection(("127.0.0.1", server.api.port), timeout=20) as first:
        first.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert first.recv(65_536).startswith(b"HTTP/1.1 200")
        refused = server.api.get("/health")
        assert (refused.status, refused.json["code"]) == (503, "connection_limit")


def voluntary_switches(pid: int) -> dict[str, int]:
    """How often each thread has gone to sleep: each time, something had woken it."""
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        status = (task / "status").read_text()
        (line,) = (line for line in status.splitlines() if line.startswith("voluntary_ctxt"))
        found[f"{(task / 'comm').read_text().strip()} {task.name}"] = int(line.split()[1])
    return found


def test_an_idle_server_does_not_wake(served: Serve, tmp_path: Path) -> None:
    file = tmp_path / "azora.json"
    file.write_text('{"services": []}')
    server = served("serve", "-c", str(file))
    assert server.api.get("/health").status == 200
    server.line("serves 0 services")
    assert not dies(server.pid, 6)  # connections of before are over
    before = voluntary_switches(server.pid)
    assert not dies(server.pid, 3)
    after = voluntary_switches(server.pid)
    woken = {name: after[name] - before.get(name, 0) for name in after}
    assert sum(woken.values()) <= 2, woken  # ten a second would be thirty


def test_a_faulty_file_is_refused_with_every_fault(azora: Azora, tmp_path: Path) -> None:
    file = tmp_path / "azora.toml"
    file.write_text('[orchestrator]\nport = "x"\n[[services]]\nid = "a"\n')
    said = azora("serve", "--port", "0", "--config", str(file))
    assert said.code == 2
    lines = said.err.splitlines()
    assert lines[0].startswith(f"azora: {file}:2: orchestrator.port: ")
    assert any(f"{file}:3: type: is missing" in line for line in lines)
    assert azora("check", str(file)).lines == [line.removeprefix("azora: ") for line in lines]


def test_the_port_comes_from_the_option_the_environment_the_file(
    served: Serve, tmp_path: Path, azora: Azora, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "azora.json"
    port = free_port()
    file.write_text(json.dumps({"orchestrator": {"port": free_port()}}))
    command = Command("serve", "-c", str(file), ORCHESTRATOR_PORT=str(port))
    try:
        command.line(rf"serves 0 services at http://127\.0\.0\.1:{port}$")
        monkeypatch.setenv("ORCHESTRATOR_PORT", str(port))
        assert azora("status").code == 0  # the other verbs look there, too
    finally:
        command.close()
    for text in ("70000", "x"):
        monkeypatch.setenv("ORCHESTRATOR_PORT", text)
        said = azora("serve", "-c", str(file))
        assert said.code == 2
        assert said.err == f'azora: ORCHESTRATOR_PORT is "{text}"; it must be a port, 0 to 65535\n'


def test_what_it_binds_is_what_it_was_told(tmp_path: Path) -> None:
    file = tmp_path / "azora.json"
    file.write_text(json.dumps({"orchestrator": {"allowedHosts": ["box.example"]}}))
    command = Command("serve", "-c", str(file), "--host", "127.0.0.2", "--port", "0")
    try:
        port = int(command.line(r"at http://127\.0\.0\.2:(\d+)")[1])
        api = Api(port)
        assert api.ask("GET", "/health", host="127.0.0.2").status == 200
        named = {"Host": "box.example"}
        assert api.ask("GET", "/health", headers=named, host="127.0.0.2").status == 200
        with pytest.raises(ConnectionRefusedError):
            api.get("/health")
    finally:
        command.close()


def test_auth_token_asks_for_the_token(served: Serve, tmp_path: Path, azora: Azora) -> None:
    file = tmp_path / "azora.json"
    file.write_text('{"orchestrator": {"auth": "token"}}')
    server = served("serve", "-c", str(file), AZORA_TOKEN_FILE=str(tmp_path / "token"))
    assert server.api.ask("POST", "/orchestrator/start").status == 401
    token = azora("token").lines[0]
    bearer = {"Authorization": f"Bearer {token}"}
    assert server.api.ask("POST", "/orchestrator/start", headers=bearer).status == 200


def test_progress_tells_what_becomes_of_each_service(
    served: Serve, actors: Actors, tmp_path: Path
) -> None:
    actors.tell("b", "crash")
    fleet = [actors.service("a"), actors.service("b", maxRestarts=0)]
    file = tmp_path / "azora.json"
    file.write_text(json.dumps({"services": fleet}))
    server = served("serve", "-c", str(file))
    server.line(r"^  healthy +a +1 of 2 healthy$")
    server.line(r"^  exited +b .* healthy \(code \d+\)$")
    server.line(r"^  unhealthy +b .* healthy \(exited with code \d+\)$")
    server.line(r"^  failed +b .* healthy \(exited with code \d+\)$")


def test_a_reader_that_leaves_does_not_end_the_server(actors: Actors, tmp_path: Path) -> None:
    """`azora serve | head -n 2` goes on serving, and still stops its fleet in order."""
    file = tmp_path / "azora.json"
    file.write_text(json.dumps({"services": [actors.service("a")]}))
    server = subprocess.Popen(
        [sys.executable, "-m", "azora_orchestrator", "serve", "-c", str(file), "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env=clean_environ(),
    )
    try:
        assert server.stdout is not None
        line = next(line for line in server.stdout if " serves " in line)
        server.stdout.close()
        api = Api(int(line.rpartition(":")[2]))
        answer = api.ask("POST", "/services/a/restart?wait=ready&timeoutMs=30000")
        assert answer.status == 200
        pid = api.get("/services/a").json["process"]["pid"]
        server.send_signal(signal.SIGTERM)
        assert server.wait(30) == 0
        assert dies(pid, 0)
    finally:
        server.kill()
        server.wait(10)


def test_the_catalog_is_the_seeds() -> None:
    endpoints = {entry["id"]: entry["endpoint"] for entry in services({})}
    assert endpoints["api-gateway"] == "http://localhost:3000"
    assert len(endpoints) == 11
    assert {service["type"] for service in services({})} == {"core", "b2b", "infrastructure"}
    given = services({"MINT_ENDPOINT": "http://mint.example:1"})
    mint = next(service for service in given if service["id"] == "azora-mint")
    assert mint["endpoint"] == "http://mint.example:1"
    ran = {service["id"]: service for service in demo_services({})}
    assert all("process" in service for service in ran.values())
    # What lies on another machine is only watched.
    away = demo_services({"MINT_ENDPOINT": "http://mint.example:1"})
    assert [service["id"] for service in away if "process" not in service] == ["azora-mint"]
