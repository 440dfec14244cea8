"""Hot REST reads beside a raw uvicorn answer, in one run on one machine.

`python benchmarks/bench_rest.py [--large 100000] [--seconds 2] [--rounds 3]` prints for each read
its requests a second, the 99th percentile of its latency, the server's CPU time a request, and what
the first and the last are beside the peer's. The peer is the smallest ASGI app there is, under the
same uvicorn with the same settings, with a body of the same kind. Then the same reads beside a
large fleet: they must cost as much.

Servers are processes of their own; the rounds of all reads alternate, the best round counts.
Exits with 2 when there is no peer to compare with.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any

CONNECTIONS = 16
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
    """Serves the peer."""
    _serve(peer)


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
        """What it has used so far."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        """Ends it."""
        self.process.terminate()
        self.process.wait(30)


class Client(asyncio.Protocol):
    """One connection that asks again as soon as it is answered."""

    def __init__(self, request: bytes, latencies: list[float], until: float) -> None:
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
        self.transport.write(self.request)

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
    """One read of one server in one round."""

    per_second: float
    p99_ms: float
    cpu_us: float


async def measure(server: Server, path: str, seconds: float) -> Figures:
    """Asks for `path` for a while."""
    loop = asyncio.get_running_loop()
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode()
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


async def compare(
    plan: list[tuple[str, Server, str]], seconds: float, rounds: int
) -> dict[str, Figures]:
    """The best of several rounds; every round measures all."""
    best: dict[str, Figures] = {}
    for _ in range(rounds):
        for title, server, path in plan:
            figures = await measure(server, path, seconds)
            if title not in best or figures.cpu_us < best[title].cpu_us:
                best[title] = figures
    return best


def main() -> int:
    """Runs and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", type=int, default=100_000, help="size of the large fleet")
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--role", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.role:
        role, *rest = arguments.role
        {"peer": run_peer, "target": run_target, "azora": lambda: run_azora(int(rest[0]))}[role]()
        return 0
    if importlib.util.find_spec("uvicorn") is None:
        print("bench_rest: uvicorn is missing: there is nothing to compare with", file=sys.stderr)
        return 2
    target = Server("--role", "target")
    servers = [target]
    try:
        raw = Server("--role", "peer")
        servers.append(raw)
        plan = [("raw uvicorn", raw, "/")]
        for fleet in (11, arguments.large):
            if fleet < 11:
                continue
            azora = Server("--role", "azora", str(fleet), BENCH_TARGET=str(target.port))
            servers.append(azora)
            plan += [(f"{path} of {fleet}", azora, path) for path in READS]
        best = _run(compare(plan, arguments.seconds, arguments.rounds))
    finally:
        for server in servers:
            server.close()
    base = best["raw uvicorn"]
    print(f"{'read':34} {'req/s':>9} {'p99 ms':>8} {'CPU us':>8} {'req/s':>9} {'CPU':>9}")
    for title, figures in best.items():
        print(
            f"{title:34} {figures.per_second:9.0f} {figures.p99_ms:8.2f} {figures.cpu_us:8.1f} "
            f"{figures.per_second / base.per_second:8.2f}x {figures.cpu_us / base.cpu_us:8.2f}x"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
