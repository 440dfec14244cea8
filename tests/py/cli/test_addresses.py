"""Rule 52: two process services with one local address, or one on our own port, are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from azora_orchestrator import MasterOrchestrator
from azora_orchestrator.config import load_text
from azora_orchestrator.errors import InvalidSpec
from cli.conftest import Azora
from conftest import free_port
from rest.served import Serve

pytestmark = pytest.mark.native

SHARED = """
[[services]]
id = "a"
type = "core"
endpoint = "http://127.0.0.1:7001"
process = {argv = ["true"]}

[[services]]
id = "b"
type = "core"
endpoint = "http://localhost:7001"
process = {argv = ["true"]}

[[services]]
id = "watched"
type = "core"
endpoint = "http://127.0.0.1:7001"
"""
HOSTS = Path("/etc/hosts")
MESSAGE = (
    'is "http://localhost:7001" of service "b", which is also the address of service "a" '
    '("http://127.0.0.1:7001"); two processes cannot listen on one address; give one of them '
    "another port"
)


def own(port: int, endpoint: str | None = None) -> str:
    return f"""
[[services]]
id = "a"
type = "core"
endpoint = "{endpoint or f"http://127.0.0.1:{port}"}"
process = {{argv = ["true"]}}
"""


def process(id: str, port: int, **more: Any) -> dict[str, Any]:
    endpoint = f"http://127.0.0.1:{port}"
    return {"id": id, "type": "core", "endpoint": endpoint, "process": {"argv": ["true"], **more}}


def test_check_names_both_services_and_the_address_in_the_line_of_the_second(
    tmp_path: Path, azora: Azora
) -> None:
    file = tmp_path / "azora.toml"
    file.write_text(SHARED)
    said = azora("check", str(file))
    assert said.code == 2
    assert said.lines == [f"{file}:11: endpoint: {MESSAGE}"]


def test_a_port_that_a_replica_has_is_taken(tmp_path: Path) -> None:
    text = own(7001).replace('["true"]', '["true"], replicas = 3')
    text += own(7003).replace('"a"', '"b"')
    faults = load_text(text, "azora.toml", tmp_path).faults
    assert [fault.field for fault in faults] == ["endpoint"]
    assert '"http://127.0.0.1:7003" of service "b"' in faults[0].message
    assert 'which is also the address of service "a@2"' in faults[0].message


@pytest.mark.parametrize(
    ("endpoint", "setting", "arguments", "variable", "code"),
    [
        ("http://127.0.0.1:5000", "", (), None, 2),  # where serve is by default
        ("http://127.0.0.1:5001", "", (), None, 0),
        ("http://127.0.0.1:5001", "port = 5001", (), None, 2),
        ("http://127.0.0.1:5000", "port = 5001", (), None, 0),
        ("http://127.0.0.1:5002", "port = 5001", (), "5002", 2),  # the environment wins
        ("http://127.0.0.1:5001", "port = 5001", (), "5002", 0),
        ("http://127.0.0.1:5003", "port = 5001", ("--port", "5003"), "5002", 2),  # the option wins
        ("http://127.0.0.1:5002", "port = 5001", ("--port", "5003"), "5002", 0),
        ("http://[::1]:5000", "", (), None, 0),
        ("http://[::1]:5000", "", ("--host", "::"), None, 2),
        ("http://[::1]:5000", 'host = "::"', (), None, 2),
        ("http://127.0.0.1:5000", "port = 0", (), None, 0),
    ],
)
def test_our_own_port_is_the_effective_one(
    endpoint: str,
    setting: str,
    arguments: tuple[str, ...],
    variable: str | None,
    code: int,
    tmp_path: Path,
    azora: Azora,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if variable is not None:
        monkeypatch.setenv("ORCHESTRATOR_PORT", variable)
    file = tmp_path / "azora.toml"
    file.write_text(f"[orchestrator]\n{setting}\n{own(0, endpoint)}")
    said = azora("check", str(file), *arguments)
    assert said.code == code, said.out + said.err
    if code:
        named = f'is "{endpoint}" of service "a", which is also the orchestrator\'s own address'
        assert named in said.out


def test_an_environment_that_serve_refuses_is_refused_by_check(
    tmp_path: Path, azora: Azora, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORCHESTRATOR_PORT", "high")
    file = tmp_path / "azora.toml"
    file.write_text(own(7001))
    said = azora("check", str(file))
    assert (said.code, "ORCHESTRATOR_PORT" in said.err) == (2, True)


def test_python_registration_is_refused_with_the_batch_and_beside_what_is_there() -> None:
    with MasterOrchestrator() as orch:
        with pytest.raises(InvalidSpec) as batch:
            orch.register_many([process("a", 7001), process("b", 7001)])
        assert "two processes cannot listen on one address" in str(batch.value)
        assert orch.services() == []
        port = free_port()
        orch.register(process("a", port) | {"restartPolicy": "never"})
        with pytest.raises(InvalidSpec) as beside:
            orch.register(process("b", port))
        assert '"b", which is also the address of service "a"' in str(beside.value)
        orch.register({"id": "seen", "type": "core", "endpoint": f"http://127.0.0.1:{port}"})
        orch.register(process("a", port) | {"restartPolicy": "never"})  # itself again
        orch.unregister("a")
        orch.register(process("b", port) | {"restartPolicy": "never"})


@pytest.mark.process
def test_a_server_refuses_a_service_on_its_own_port(
    tmp_path: Path, served: Serve, azora: Callable[..., Any]
) -> None:
    port = free_port()
    file = tmp_path / "azora.toml"
    file.write_text(f"[orchestrator]\nport = {port}\n{own(port)}")
    said = azora("serve", "--config", str(file))
    assert said.code == 2
    assert f"the orchestrator's own address (127.0.0.1:{port})" in said.err
    server = served("serve", "--config", str(file))  # on a port of its own
    server.line("serves 1 service ")


def _name_in_etc_hosts() -> tuple[str, str]:
    """A loopback address and a name of it that is not localhost."""
    for line in HOSTS.read_text().splitlines():
        address, *names = line.partition("#")[0].split() or [""]
        if address == "::1" or address.startswith("127."):
            for name in names:
                if name != "localhost":
                    return (f"[{address}]" if ":" in address else address), name
    pytest.skip("/etc/hosts gives no loopback address to another name than localhost")


def test_52_a_name_of_etc_hosts_is_the_address_that_it_has_there(
    orch: MasterOrchestrator, tmp_path: Path, azora: Azora
) -> None:
    address, name = _name_in_etc_hosts()
    file = tmp_path / "azora.toml"
    file.write_text(SHARED.replace("127.0.0.1", address).replace("localhost", name.upper()))
    said = azora("check", str(file))
    assert said.code == 2
    assert f'in /etc/hosts "{name.upper()}" is an address of this machine; two' in said.out
    first, second = (f"http://{host}:{free_port()}" for host in (address, name))
    program = {"argv": ["sleep", "60"]}
    orch.register(id="a", type="core", endpoint=first, process=program)
    orch.register(id="b", type="core", endpoint=second, process=program)
    with pytest.raises(InvalidSpec, match=f'in /etc/hosts "{name}" is an address'):
        orch.register(id="c", type="core", endpoint=first.replace(address, name), process=program)
