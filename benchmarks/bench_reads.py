"""How long a killed process stays in rotation while clients read the whole graph of a large fleet.

`python benchmarks/bench_reads.py [--services 100000] [--clients 8] [--kills 30]` prints JSON lines.
A server watches that many endpoints and one process. In turns nobody reads, and `--clients`
connections ask for `/graph` again and again; the process is killed by SIGKILL while a picker asks
for it on a connection of its own. Measured from the kill: until the first pick that does not name
it was answered, and until a handler of `serviceExited` ran. The server alone, without readers, is
the peer. Exits with 2 when the program that `make bench` builds is missing.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import select
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SERVICE = ROOT / "build/bench/tiny_service"
RESTART_DELAY_MS = 300  # long enough for the picker to see that it is gone


def free_port() -> int:
    """One that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        port: int = one.getsockname()[1]
        return port


def serve(services: int, target: int, port: int) -> None:
    """The server: prints a line when all services are healthy, and one for each exit."""
    import uvicorn

    from azora_orchestrator import MasterOrchestrator
    from azora_orchestrator.server import create_app

    def endpoint(number: int) -> dict[str, Any]:
        url = f"http://127.0.0.1:{target}"
        name = f"s{number}"
        needs = [f"s{number - number % 100}"] if number % 100 else []
        spec = {"id": name, "type": "core", "endpoint": url, "dependencies": needs}
        return spec | {"healthCheckInterval": 3_600_000}

    with MasterOrchestrator() as orch:
        orch.register_many([endpoint(number) for number in range(services)])
        orch.register(
            {
                "id": "victim",
                "type": "victim",
                "endpoint": f"http://127.0.0.1:{free_port()}",
                "process": {"argv": [str(SERVICE), "{port}"]},
                "restartDelay": RESTART_DELAY_MS,
                "restartFactor": 1,
                "maxRestarts": -1,
                "flapLimit": 0,
                "healthCheckInterval": 3_600_000,
            }
        )
        while orch.status().healthy_services < services + 1:
            time.sleep(0.05)

        def exited(_event: Any) -> None:
            print(f"exited {time.monotonic_ns()}", flush=True)

        orch.on("serviceExited", exited)
        print(f"ready {time.monotonic_ns()}", flush=True)
        app = create_app(orch, auth=None)
        uvicorn.run(app, port=port, log_level="error", access_log=False, loop="uvloop")


class Connection:
    """One kept connection that asks for the same again and again."""

    def __init__(self, port: int, path: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), 60)
        self.request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()

    def ask(self) -> tuple[int, bytes]:
        """Status and body."""
        self.socket.sendall(self.request)
        head = b""
        while b"\r\n\r\n" not in head:
            part = self.socket.recv(65536)
            if not part:
                sys.exit("bench_reads: the server closed a connection")
            head += part
        head, _, body = head.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split()[0])
        parts = [body]
        left = length - len(body)
        while left > 0:
            part = self.socket.recv(min(left, 1 << 20))
            if not part:
                sys.exit("bench_reads: the server closed a connection")
            parts.append(part)
            left -= len(part)
        return int(head.split()[1]), b"".join(parts)


def read_for_ever(port: int, clients: int) -> None:
    """All clients of the load, one thread: what is received is dropped."""
    buffer = bytearray(1 << 20)
    poll = select.epoll()
    open_ones: dict[int, tuple[Connection, list[int]]] = {}
    for _ in range(clients):
        one = Connection(port, "/graph")
        open_ones[one.socket.fileno()] = (one, [0])
        one.socket.sendall(one.request)
        poll.register(one.socket, select.EPOLLIN)
    whole = 0
    while True:
        for number, _ in poll.poll():
            one, left = open_ones[number]
            got = one.socket.recv_into(buffer)
            if got == 0:
                return
            if left[0] == 0:  # the head of the next answer, in one piece on loopback
                head, _, body = bytes(buffer[:got]).partition(b"\r\n\r\n")
                left[0] = int(head.lower().partition(b"content-length:")[2].split()[0]) - len(body)
            else:
                left[0] -= got
            if left[0] == 0:
                whole += 1
                with contextlib.suppress(BlockingIOError):
                    sys.stdout.write("\n")
                    sys.stdout.flush()
                one.socket.sendall(one.request)


class Server:
    """The server and its line of events."""

    def __init__(self, services: int, target: int) -> None:
        self.port = free_port()
        words = ["--serve", str(services), str(target), str(self.port)]
        self.process = subprocess.Popen(
            [sys.executable, __file__, *words], stdout=subprocess.PIPE, text=True
        )
        self.line("ready")
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if time.monotonic() > deadline:
                    sys.exit("bench_reads: the server does not answer")
                time.sleep(0.05)

    def line(self, word: str) -> int:
        """The time on the next line of that word."""
        assert self.process.stdout is not None
        while line := self.process.stdout.readline():
            first, _, rest = line.partition(" ")
            if first == word:
                return int(rest)
        sys.exit("bench_reads: the server ended")

    def stop(self) -> None:
        """Ends it."""
        self.process.terminate()
        self.process.wait(120)


@contextlib.contextmanager
def readers(port: int, clients: int) -> Iterator[subprocess.Popen[bytes]]:
    """The load, in a process of its own."""
    words = ["--read", str(port), str(clients)]
    with subprocess.Popen([sys.executable, __file__, *words], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def victim(about: Connection) -> int:
    """Its pid, once it is picked again."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        status, body = about.ask()
        service = json.loads(body)
        healthy = status == 200 and service["health"]["status"] == "healthy"
        if healthy and service["process"]["pid"]:
            return int(service["process"]["pid"])
        time.sleep(0.01)
    sys.exit("bench_reads: the killed process did not come back within 60 s")


def measure(server: Server, kills: int) -> tuple[list[float], list[float], list[float]]:
    """Milliseconds to the first pick without it, to the handler; and of a single pick before."""
    picker = Connection(server.port, "/loadbalancer/victim")
    about = Connection(server.port, "/services/victim")
    out, told, alone = [], [], []
    for _ in range(kills):
        pid = victim(about)
        while picker.ask()[0] != 200:
            pass
        time.sleep(0.2)
        before = time.monotonic_ns()
        picker.ask()
        began = time.monotonic_ns()
        alone.append((began - before) / 1e6)
        os.kill(pid, signal.SIGKILL)
        while picker.ask()[0] == 200:
            pass
        out.append((time.monotonic_ns() - began) / 1e6)
        told.append((server.line("exited") - began) / 1e6)
    return out, told, alone


def drained(process: subprocess.Popen[bytes]) -> int:
    """Whole graphs that the readers received so far, as they count them on their output."""
    assert process.stdout is not None
    with contextlib.suppress(BlockingIOError):
        return len(os.read(process.stdout.fileno(), 1 << 20))
    return 0


def run(services: int, clients: int, kills: int) -> None:
    """Both cases on one server."""
    target = free_port()
    with contextlib.ExitStack() as stack:
        responder = stack.enter_context(subprocess.Popen([SERVICE, str(target)]))
        stack.callback(responder.terminate)
        server = Server(services, target)
        try:
            figures: dict[str, Any] = {"case": "kill to out of rotation", "services": services}
            graph = len(Connection(server.port, "/graph").ask()[1])
            for name in ("quiet", "read"):
                if name == "quiet":
                    out, told, alone = measure(server, kills)
                else:
                    with readers(server.port, clients) as load:
                        drained(load)
                        began = time.monotonic()
                        out, told, alone = measure(server, kills)
                        rate = drained(load) / (time.monotonic() - began)
                    figures |= {"clients": clients, "graphs_per_s": round(rate, 1)}
                for what, values in (("out", out), ("event", told), ("one_pick", alone)):
                    figures[f"{name}_{what}_ms"] = round(statistics.median(values), 2)
                    figures[f"{name}_{what}_max_ms"] = round(max(values), 2)
            figures["graph_bytes"] = graph
            figures["ratio"] = round(figures["read_out_ms"] / figures["quiet_out_ms"], 2)
            print(json.dumps(figures), flush=True)
        finally:
            server.stop()


def main() -> int:
    """Runs and prints."""
    if sys.argv[1:2] == ["--serve"]:
        serve(*(int(word) for word in sys.argv[2:]))
        return 0
    if sys.argv[1:2] == ["--read"]:
        read_for_ever(*(int(word) for word in sys.argv[2:]))
        return 0
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--services", type=int, default=100_000)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--kills", type=int, default=30)
    arguments = parser.parse_args()
    if not SERVICE.exists():
        print(f"bench_reads: {SERVICE} is missing: run `make bench`", file=sys.stderr)
        return 2
    run(arguments.services, arguments.clients, arguments.kills)
    return 0


if __name__ == "__main__":
    sys.exit(main())
