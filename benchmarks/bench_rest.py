"""Hot REST reads beside a raw uvicorn answer, and registration beside an empty FastAPI POST.

`python benchmarks/bench_rest.py [--large 100000] [--seconds 0.2] [--rounds 9]` prints for each
request its rate, the 99th percentile of its latency, the server's CPU time a request, and how many
times the peer's rate and CPU time that is. Each request is asked of two servers in one process:
`create_app()` under plain uvicorn, and the same app as `server.run()` and `azora serve` serve it.
The peers run under the same uvicorn with the same settings: for reads the smallest ASGI app there
is, with a body of the same size; for registration FastAPI's route that reads nothing and answers
an empty object. Then the same beside a large fleet: it must cost as much.

Servers are processes of their own; CPU is the scheduler's own count over all their threads. Each
request is measured right after its peer, in short turns. Rates, latencies and the ratio of rates
(of one turn) are medians. CPU is the least of all turns, as other work on the machine only ever
adds to it: on a busy machine it is the figure to look at. Exits with 2 when there is no peer to
compare with.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import http.client
import importlib.util
import itertools
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from rest_servers import ROLES

CONNECTIONS = 16
IDS = 200  # of registrations
DIRECT, SERVED = "create_app()", "server.run()"
PICK = "/loadbalancer/core"
READS = ("/health", PICK, "/services/s5")
PICKS = (f"{PICK}?strategy=weighted", f"{PICK}?strategy=ip-hash&key=c7", f"{PICK}?lease=auto")
REGISTER = "/services/register"


def _run(main: Any) -> Any:
    try:
        import uvloop
    except ImportError:
        return asyncio.run(main)
    return uvloop.run(main)


class Server:
    """One of the roles in a process of its own."""

    def __init__(self, *role: str) -> None:
        program = [sys.executable, __file__, "--role", *role]
        self.process = subprocess.Popen(program, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        words = self.process.stdout.readline().split()
        if not words or not all(word.isdigit() for word in words):
            self.close()
            raise SystemExit(f"bench_rest: {' '.join(role)} did not start")
        self.ports = [int(word) for word in words]

    def cpu_seconds(self) -> float:
        """What all its threads have used so far."""
        used = 0
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            used += int((task / "schedstat").read_text().split()[0])
        return used / 1e9

    def close(self) -> None:
        """Ends it."""
        self.process.terminate()
        self.process.wait(60)


class Client(asyncio.Protocol):
    """One connection that asks again as soon as it is answered."""

    def __init__(self, request: Callable[[], bytes], until: float) -> None:
        self.request = request
        self.until = until
        self.latencies: list[float] = []
        self.buffer = b""
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.ask()

    def connection_lost(self, _error: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_exception(SystemExit("bench_rest: the server ended a connection"))

    def ask(self) -> None:
        """Sends one request."""
        self.sent = time.perf_counter()
        self.transport.write(self.request())

    def data_received(self, data: bytes) -> None:
        data = self.buffer + data
        head = data.find(b"\r\n\r\n")
        at = data.lower().find(b"content-length: ")
        if head < 0:
            self.buffer = data
            return
        length = int(data[at + 16 : data.index(b"\r\n", at)])
        if len(data) < head + 4 + length:
            self.buffer = data
            return
        if not data.startswith((b"HTTP/1.1 200", b"HTTP/1.1 201")):
            self.ended.set_exception(SystemExit(f"bench_rest: answered {data[:200]!r}"))
            return
        self.buffer = b""
        now = time.perf_counter()
        self.latencies.append(now - self.sent)
        if now < self.until:
            self.ask()
        else:
            self.ended.set_result(None)
            self.transport.close()


@dataclass
class Figures:
    """One request to one server in one turn."""

    per_second: float
    p99_ms: float
    cpu_us: float


@dataclass
class Case:
    """What is asked of whom."""

    title: str
    server: Server
    port: int
    path: str
    post: bool = False
    measured: list[Figures] = field(default_factory=list)

    def request(self) -> Callable[[], bytes]:
        """Makes its requests; each registration is of the next of the ids."""
        host = f"Host: 127.0.0.1:{self.port}\r\n"
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


Group = list[Case]  # the first is the peer of the others


async def measure(case: Case, seconds: float) -> Figures:
    """Asks for a while."""
    loop = asyncio.get_running_loop()
    request = case.request()
    cpu, began = case.server.cpu_seconds(), time.perf_counter()
    clients = []
    for _ in range(CONNECTIONS):
        _, client = await loop.create_connection(
            lambda: Client(request, began + seconds), "127.0.0.1", case.port
        )
        clients.append(client)
    await asyncio.gather(*(client.ended for client in clients))
    elapsed = time.perf_counter() - began
    latencies = sorted(latency for client in clients for latency in client.latencies)
    count = len(latencies)
    return Figures(
        count / elapsed,
        latencies[int(count * 0.99)] * 1000,
        (case.server.cpu_seconds() - cpu) / count * 1e6,
    )


async def compare(groups: list[Group], seconds: float, rounds: int) -> None:
    """Every round measures all."""
    for _ in range(rounds):
        for group in groups:
            for case in group:
                case.measured.append(await measure(case, seconds))
                if case.post and case is not group[0]:
                    await asyncio.to_thread(forget_registered, case)


def forget_registered(case: Case) -> None:
    """The fleet is as large in each round: what was registered in the last one goes."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", case.port)) as connection:
        for number in range(IDS):
            connection.request("DELETE", f"/services/new-{number:03}")
            connection.getresponse().read()


def show(groups: list[Group]) -> None:
    """Each case beside the first of its group."""
    print(f"{'request':64} {'req/s':>7} {'p99 ms':>7} {'CPU us':>7} {'req/s':>7} {'CPU':>7}")
    for group in groups:
        for case in group:
            mine, peers = case.measured, group[0].measured
            cpu, peer_cpu = (min(one.cpu_us for one in all) for all in (mine, peers))
            line = (
                f"{case.title:64} {median(one.per_second for one in mine):7.0f} "
                f"{median(one.p99_ms for one in mine):7.2f} {cpu:7.1f}"
            )
            if case is not group[0]:
                pairs = zip(mine, peers, strict=True)
                line += f" {median(a.per_second / b.per_second for a, b in pairs):6.2f}x"
                line += f" {cpu / peer_cpu:6.2f}x"
            print(line)


def _size_of(port: int, path: str) -> int:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
    if answer.status != 200:
        raise SystemExit(f"bench_rest: GET {path} was answered {answer.status} {body!r}")
    return len(body)


def groups_of(azora: Server, fleet: int, raw: Server, empty: Server) -> list[Group]:
    """What is asked beside a fleet of that size."""
    groups = []
    reads = [*READS, *PICKS] if fleet > 11 else [*READS, "/status", *PICKS]
    ours = list(zip((DIRECT, SERVED), azora.ports, strict=True))
    for path in reads:
        size = _size_of(azora.ports[0], path)
        group = [Case(f"raw uvicorn GET, {size} bytes", raw, raw.ports[0], f"/{size}")]
        for name, port in ours:
            group.append(Case(f"GET {path} of {fleet}, {name}", azora, port, path))
        groups.append(group)
    group = [Case("empty FastAPI POST", empty, empty.ports[0], REGISTER, post=True)]
    for name, port in ours:
        title = f"POST {REGISTER} of {fleet}, {name}"
        group.append(Case(title, azora, port, REGISTER, post=True))
    return [*groups, group]


def main() -> int:
    """Runs and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--large", type=int, default=100_000, help="size of the large fleet; 0: none"
    )
    parser.add_argument("--seconds", type=float, default=0.2, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--role", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.role:
        role, *rest = arguments.role
        _run(ROLES[role](*map(int, rest)))
        return 0
    for package in ("uvicorn", "fastapi"):
        if importlib.util.find_spec(package) is None:
            print(
                f"bench_rest: {package} is missing: there is no peer; pip install it",
                file=sys.stderr,
            )
            return 2
    groups: list[Group] = []
    with contextlib.ExitStack() as stack:

        def start(*role: str) -> Server:
            server = Server(*role)
            stack.callback(server.close)
            return server

        target, raw, empty = start("target"), start("peer"), start("post")
        for fleet in (11, arguments.large):
            if fleet >= 11:
                azora = start("azora", str(fleet), str(target.ports[0]))
                groups += groups_of(azora, fleet, raw, empty)
        _run(compare(groups, arguments.seconds, arguments.rounds))
    show(groups)
    return 0


if __name__ == "__main__":
    sys.exit(main())
