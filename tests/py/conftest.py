"""What the tests share: real little servers, ports, and a fleet that is always ended."""

from __future__ import annotations

import errno
import fcntl
import functools
import http.server
import os
import random
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import azora_orchestrator
from azora_orchestrator import MasterOrchestrator

# A service as users have them: responds at /health, and /pid with its process id.
SERVICE = """
import http.server, os, sys

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = str(os.getpid()).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass

print("listening", flush=True)
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


# A shell starts its background jobs with Ctrl-C ignored, `nohup` ignores SIGHUP, and programs
# inherit that: the commands that these tests end with such a signal would go on. A handler is not
# inherited.
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda *_: None)
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

_reserved: set[int] = set()


@pytest.fixture(scope="session", autouse=True)
def _state_home(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A server that is told no place keeps its state here, not in a home directory."""
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))


def free_port() -> int:
    """A port that is this test's alone."""
    return free_ports(1)


def free_ports(count: int) -> int:
    """The first of so many ports in a row that are this process's alone until it ends.

    They are none of those that the kernel gives to clients and to servers that ask for port 0, and
    a lock on the byte of that number in a file of this user keeps other test processes off.
    """
    limits = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text()
    lowest_of_clients = int(limits.split()[0])
    for _ in range(1000):
        first = random.randrange(10_000, max(lowest_of_clients - count, 10_001))
        ports = range(first, first + count)
        if _reserved.isdisjoint(ports) and all(_reserve(port) for port in ports):
            return first
    raise AssertionError(f"no {count} ports in a row are free")


def _reserve(port: int) -> bool:
    try:
        fcntl.lockf(_port_locks(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    _reserved.add(port)
    return all(_is_free(port, family) for family in (socket.AF_INET, socket.AF_INET6))


@functools.cache
def _port_locks() -> int:
    """Stays open: a lock ends with any descriptor of its file that is closed."""
    path = Path(tempfile.gettempdir(), f"azora-test-ports-{os.getuid()}")
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def _is_free(port: int, family: socket.AddressFamily) -> bool:
    try:
        with socket.socket(family) as probe:
            # As servers do: a port that an ended connection still holds is free to listen on.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("", port))
    except OSError as error:
        return error.errno in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)
    return True


class WebService:
    """A service in this process whose response can be changed."""

    def __init__(self) -> None:
        self.code = 200
        self.hits = 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer.hits += 1
                self.send_response(outer.code)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *args: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


@pytest.fixture
def web() -> Iterator[Callable[[], WebService]]:
    """Make services in this process."""
    made: list[WebService] = []

    def make() -> WebService:
        made.append(WebService())
        return made[-1]

    yield make
    for service in made:
        service.close()


@pytest.fixture
def orch() -> Iterator[MasterOrchestrator]:
    """A running orchestrator."""
    with MasterOrchestrator() as running:
        yield running


@pytest.fixture(scope="session")
def service_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program of a process service."""
    file = tmp_path_factory.mktemp("service") / "service.py"
    file.write_text(SERVICE)
    return file


@pytest.fixture
def process(service_file: Path) -> Callable[..., dict[str, Any]]:
    """Describe a service that we run ourselves, in the wire's spelling."""

    def describe(id: str, **fields: Any) -> dict[str, Any]:
        return {
            "id": id,
            "type": "core",
            "endpoint": f"http://127.0.0.1:{free_port()}",
            "healthCheckInterval": 1000,
            "process": {"argv": [sys.executable, "-S", str(service_file), "{port}"]},
        } | fields

    return describe


@pytest.fixture
def package_dir() -> Path:
    """Where the installed package lies."""
    return Path(azora_orchestrator.__file__).parent
