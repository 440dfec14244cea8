"""Hot REST reads beside a raw uvicorn answer, and registration beside an empty FastAPI POST.

`python benchmarks/bench_rest.py [--large 100000] [--seconds 2] [--rounds 5]` prints for each
request its rate, the 99th percentile of its latency, the server's CPU time a request, and how many
times the peer's rate and CPU time that is. The peers run under the same uvicorn with the same
settings: the smallest ASGI app there is, with a body of the same kind, for reads; FastAPI's route
that reads nothing and answers an empty object, for registration. Then the same beside a large
fleet: it must cost as much.

Servers are processes of their own; CPU is the scheduler's own count over all their threads. In each
round every request is measured beside its peer; ratios are of one round, figures are medians.
Exits with 2 when there is no peer to compare with.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import http.client
import importlib.util
import itertools
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

CONNECTIONS = 16
IDS = 1000  # of registrations
HEALTH = (
    b'{"serviceId":"s0","endpoint":"http://127.0.0.1:65535","health":{"serviceId":"s0",'
    b'"status":"healthy","lastCheck":"2024-01-01T00:00:00.000Z","uptime":1,"restartCount":0,'
    b'"errorCount":0,"responseTime":1}}'
)


async def peer(_scope: Any, _receive: Any, send: Any) -> None:
    """The least that can be answered."""
    head = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(HEALTH))]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": HEALTH})


def run_peer() -> None:
    """Serves the peer of reads."""
    _serve(peer)


def run_empty_post() -> None:
    """Serves the peer of registration."""
    from fastapi import FastAPI

    app = FastAPI()

    @app.post("/services/register")
    async def register() -> dict[str, Any]:
        return {}

    _serve(app)


def run_azora(fleet: int) -> None:
    """Serves eleven services that are picked, and as many more as make `fleet`."""
    from azora_orchestrator import MasterOrchestrator
    from azora_orchestrator.server import create_app

    def service(id: str, kind: str) -> dict[str, Any]:
        endpoint = f"http://127.0.0.1:{os.environ['BENCH_TARGET']}"
        return {"id": id, "type": kind, "endpoint": endpoint, "healthCheckInterval": 3_600_000}

    with MasterOrchestrator() as orch:
        orch.register_many([service(f"s{index}", "core") for index in range(11)])
        orch.register_many([service(f"more-{index}", "more") for index in range(fleet - 11)])
        with orch.events(type="serviceHealthy", since=0) as stream:
            known = 0
            while known < fleet:
                if stream.next(timeout_ms=120_000) is None:
                    sys.exit(f"only {known} of {fleet} services became healthy")
                known = orch.status().healthy_services
        _serve(create_app(orch))


def _serve(app: Any) -> None:
    import uvicorn

    config = uvicorn.Config(
        app, port=0, log_config=None, access_log=False, lifespan="off", proxy_headers=False
    )
    listener = config.bind_socket()
    print(listener.getsockname()[1], flush=True)
    uvicorn.Server(config).run([listener])


def run_target() -> None:
    """Answers every health check, with as little as possible."""

    class Target(asyncio.Protocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            count = data.count(b"\r\n\r\n")
            self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" * count)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Target, "127.0.0.1", 0, backlog=1024)
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()

    _run(main())


def _run(main: Any) -> Any:
    try:
        import uvloop
    except ImportError:
        return asyncio.run(main)
    return uvloop.run(main)


class Server:
    """One of the above in a process of its own."""

    def __init__(self, *arguments: str, **environ: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, __file__, *arguments],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | environ,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line.strip().isdigit():
            raise SystemExit(f"bench_rest: {' '.join(arguments)} did not start")
        self.port = int(line)

    def cpu_seconds(self) -> float:
        """What all its threads have used so far."""
        used = 0
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            used += int((task / "schedstat").read_text().split()[0])
        return used / 1e9

    def close(self) -> None:
        """Ends it."""
        self.process.terminate()
        self.process.wait(30)


class Client(asyncio.Protocol):
    """One connection that asks again as soon as it is answered."""

    def __init__(self, request: Callable[[], bytes], latencies: list[float], until: float) -> None:
        self.request = request
        self.latencies = latencies
        self.until = until
        self.buffer = b""
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        """Sends one request."""
        self.sent = time.perf_counter()
        self.transport.write(self.request())

    def data_received(self, data: bytes) -> None:
        data = self.buffer + data
        head = data.find(b"\r\n\r\n")
        at = data.find(b"content-length: ")
        if head < 0:
            self.buffer = data
            return
        length = int(data[at + 16 : data.index(b"\r\n", at)])
        if len(data) < head + 4 + length:
            self.buffer = data
            return
        if not data.startswith(b"HTTP/1.1 200"):
            self.ended.set_exception(SystemExit(f"bench_rest: answered {data[:200]!r}"))
            return
        self.buffer = b""
        now = time.perf_counter()
        self.latencies.append(now - self.sent)
        if now < self.until:
            self.ask()
        else:
            self.transport.close()
            self.ended.set_result(None)


@dataclass
class Figures:
    """One request to one server in one round."""

    per_second: float
    p99_ms: float
    cpu_us: float


@dataclass
class Case:
    """What is asked of whom, beside which other case."""

    title: str
    server: Server
    path: str
    peer: str | None = None
    post: bool = False

    def request(self) -> Callable[[], bytes]:
        """Makes its requests; each registration is of the next of a thousand ids."""
        host = f"Host: 127.0.0.1:{self.server.port}\r\n"
        if not self.post:
            get = f"GET {self.path} HTTP/1.1\r\n{host}\r\n".encode()
            return lambda: get
        turn = itertools.count()

        def post() -> bytes:
            body = b'{"id":"new-%03d","type":"new","endpoint":"http://127.0.0.1:9",' % (
                next(turn) % IDS
            )
            body += b'"healthCheckInterval":3600000}'
            head = f"POST {self.path} HTTP/1.1\r\n{host}Content-Type: application/json\r\n"
            return head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body

        return post


async def measure(case: Case, seconds: float) -> Figures:
    """Asks for a while."""
    loop = asyncio.get_running_loop()
    server, request = case.server, case.request()
    latencies: list[float] = []
    cpu, began = server.cpu_seconds(), time.perf_counter()
    clients = []
    for _ in range(CONNECTIONS):
        _, client = await loop.create_connection(
            lambda: Client(request, latencies, began + seconds), "127.0.0.1", server.port
        )
        clients.append(client.ended)
    await asyncio.gather(*clients)
    elapsed = time.perf_counter() - began
    latencies.sort()
    count = len(latencies)
    return Figures(
        count / elapsed,
        latencies[int(count * 0.99)] * 1000,
        (server.cpu_seconds() - cpu) / count * 1e6,
    )


READS = ("/health", "/loadbalancer/core", "/services/s5")


async def compare(cases: list[Case], seconds: float, rounds: int) -> list[dict[str, Figures]]:
    """Every round measures all."""
    measured = []
    for _ in range(rounds):
        one = {}
        for case in cases:
            one[case.title] = await measure(case, seconds)
            if case.post and case.peer:
                await asyncio.to_thread(forget_registered, case.server)
        measured.append(one)
    return measured


def forget_registered(server: Server) -> None:
    """The fleet is as large in each round: what was registered in the last one goes."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port)) as connection:
        for number in range(IDS):
            connection.request("DELETE", f"/services/new-{number:03}")
            connection.getresponse().read()


def show(cases: list[Case], rounds: list[dict[str, Figures]]) -> None:
    """Medians; ratios to the peer of the same round."""
    print(f"{'request':44} {'req/s':>9} {'p99 ms':>8} {'CPU us':>8} {'req/s':>9} {'CPU':>9}")
    for case in cases:
        mine = [one[case.title] for one in rounds]
        line = (
            f"{case.title:44} {median(one.per_second for one in mine):9.0f} "
            f"{median(one.p99_ms for one in mine):8.2f} {median(one.cpu_us for one in mine):8.1f}"
        )
        if case.peer:
            pairs = [(one[case.title], one[case.peer]) for one in rounds]
            line += f" {median(a.per_second / b.per_second for a, b in pairs):8.2f}x"
            line += f" {median(a.cpu_us / b.cpu_us for a, b in pairs):8.2f}x"
        print(line)


def main() -> int:
    """Runs and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--large", type=int, default=100_000, help="size of the large fleet; 0: none"
    )
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--role", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.role:
        role, *rest = arguments.role
        roles: dict[str, Callable[[], None]] = {
            "peer": run_peer,
            "post": run_empty_post,
            "target": run_target,
            "azora": lambda: run_azora(int(rest[0])),
        }
        roles[role]()
        return 0
    for package in ("uvicorn", "fastapi"):
        if importlib.util.find_spec(package) is None:
            print(
                f"bench_rest: {package} is missing: there is no peer; pip install it",
                file=sys.stderr,
            )
            return 2
    target = Server("--role", "target")
    servers = [target]
    raw_title, post_title = "raw uvicorn GET", "empty FastAPI POST"
    try:
        servers += [raw := Server("--role", "peer"), empty := Server("--role", "post")]
        cases = [
            Case(raw_title, raw, "/"),
            Case(post_title, empty, "/services/register", post=True),
        ]
        for fleet in (11, arguments.large):
            if fleet < 11:
                continue
            azora = Server("--role", "azora", str(fleet), BENCH_TARGET=str(target.port))
            servers.append(azora)
            reads = [*READS, "/status"] if fleet == 11 else READS
            cases += [Case(f"GET {path} of {fleet}", azora, path, raw_title) for path in reads]
            register = "/services/register"
            title = f"POST {register} of {fleet}"
            cases.append(Case(title, azora, register, post_title, post=True))
        rounds = _run(compare(cases, arguments.seconds, arguments.rounds))
    finally:
        for server in servers:
            server.close()
    show(cases, rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
