"""Durable registration over REST, beside an empty FastAPI POST and beside etcd's put.

`python benchmarks/bench_durable.py [--clients 64] [--seconds 1] [--rounds 7]` prints for each what
it stores in a second, the median and the 99th percentile of the latency of a request, and how many
times the rate of each peer ours is. All are asked by the same client over as many kept connections;
ours and etcd write to the same disk (`build`) and answer when it has what they were told. etcd is
asked by JSON, as we are (`/v3/kv/put`), and by its older interface of plain HTTP (`/v2/keys`),
which is faster. All take turns; figures are medians, ratios are of one turn. Then the same with 20
services in a request, beside etcd's transactions of 20 puts.

Exits with 2 when FastAPI or etcd is missing.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import importlib.util
import itertools
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench_rest import IDS, REGISTER, Client, Server, _run

BUILD = Path(__file__).resolve().parent.parent / "build"
ETCD = BUILD / "tools/etcd"  # where tools/setup.sh puts it
MANY = 20
OURS = "durable registration"
OURS_MANY = f"durable registration of {MANY} at once"


@dataclass
class Case:
    """What is asked of whom."""

    title: str
    port: int
    request: Callable[[int], bytes]  # the number of the id
    peer_of: str | None = None  # title of ours
    each: int = 1  # services in a request
    rates: list[float] = field(default_factory=list)
    latencies_ms: list[float] = field(default_factory=list)


def message(method: str, path: str, body: bytes, kind: str = "application/json") -> bytes:
    """One request of HTTP/1.1."""
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\n"
    return head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body


def service(number: int) -> bytes:
    """What is registered, and what etcd stores."""
    return (
        b'{"id":"new-%03d","type":"new","endpoint":"http://127.0.0.1:9",'
        b'"healthCheckInterval":3600000,"metadata":{"at":%d}}' % (number, time.monotonic_ns())
    )


def registration(number: int) -> bytes:
    """Registers a service anew, with other metadata."""
    return message("POST", REGISTER, service(number))


def put_v3(number: int) -> bytes:
    """Puts the same text under the same id."""
    key = base64.b64encode(b"new-%03d" % number)
    body = b'{"key":"%s","value":"%s"}' % (key, base64.b64encode(service(number)))
    return message("POST", "/v3/kv/put", body)


def registrations(number: int) -> bytes:
    """Registers many at once."""
    return message("POST", "/services", b"[%s]" % b",".join(map(service, _many(number))))


def transaction(number: int) -> bytes:
    """Puts as many at once."""
    puts = [
        b'{"requestPut":{"key":"%s","value":"%s"}}'
        % (base64.b64encode(b"new-%03d" % one), base64.b64encode(service(one)))
        for one in _many(number)
    ]
    return message("POST", "/v3/kv/txn", b'{"success":[%s]}' % b",".join(puts))


def _many(number: int) -> list[int]:
    return [(number * MANY + at) % IDS for at in range(MANY)]


def put_v2(number: int) -> bytes:
    """The same, by the older interface."""
    return message(
        "PUT",
        f"/v2/keys/new-{number:03}",
        b"value=" + service(number).replace(b"&", b""),
        "application/x-www-form-urlencoded",
    )


@contextlib.contextmanager
def etcd(program: str) -> Iterator[int]:
    """One member; the port of its clients."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    clients, peers = (f"http://127.0.0.1:{one.getsockname()[1]}" for one in sockets)
    port = int(sockets[0].getsockname()[1])
    for one in sockets:
        one.close()
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        options = {
            "data-dir": folder,
            "listen-client-urls": clients,
            "advertise-client-urls": clients,
            "listen-peer-urls": peers,
            "initial-advertise-peer-urls": peers,
            "initial-cluster": f"default={peers}",
            "log-level": "error",
        }
        words = [f"--{name}={value}" for name, value in options.items()]
        process = subprocess.Popen([program, "--enable-v2", *words], stderr=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + 30
            while not _answers(port):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit("bench_durable: etcd did not start")
                time.sleep(0.05)
            yield port
        finally:
            process.terminate()
            process.wait(30)


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as connection:
            connection.sendall(put_v3(0))
            return connection.recv(1024).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


async def measure(case: Case, clients: int, seconds: float) -> None:
    """Asks for a while."""
    loop = asyncio.get_running_loop()
    turn = itertools.count()
    began = time.perf_counter()
    asking = []
    for _ in range(clients):
        _, one = await loop.create_connection(
            lambda: Client(lambda: case.request(next(turn) % IDS), began + seconds),
            "127.0.0.1",
            case.port,
        )
        asking.append(one)
    await asyncio.gather(*(one.ended for one in asking))
    elapsed = time.perf_counter() - began
    latencies = [latency * 1000 for one in asking for latency in one.latencies]
    case.rates.append(len(latencies) * case.each / elapsed)
    case.latencies_ms += latencies


async def compare(cases: list[Case], clients: int, seconds: float, rounds: int) -> None:
    """Every round measures all; the first one warms up."""
    for number in range(rounds + 1):
        for case in cases:
            await measure(case, clients, seconds)
            if number == 0:
                case.rates.clear()
                case.latencies_ms.clear()


def syncs_a_second() -> float:
    """How often this disk can be asked to keep 200 more bytes."""
    with tempfile.NamedTemporaryFile(dir=BUILD, buffering=0) as file:
        began, count = time.perf_counter(), 0
        while time.perf_counter() - began < 1:
            file.write(bytes(200))
            os.fdatasync(file.fileno())
            count += 1
        return count / (time.perf_counter() - began)


def show(cases: list[Case]) -> None:
    """Each beside ours."""
    by_title = {case.title: case for case in cases}
    print(f"{'':36} {'a second':>8} {'p50 ms':>7} {'p99 ms':>7} {'ours':>7}")
    for case in cases:
        latencies = sorted(case.latencies_ms)
        line = f"{case.title:36} {median(case.rates):8.0f} {median(latencies):7.2f}"
        line += f" {latencies[int(len(latencies) * 0.99)]:7.2f}"
        if case.peer_of is not None:
            pairs = zip(by_title[case.peer_of].rates, case.rates, strict=True)
            line += f" {median(ours / theirs for ours, theirs in pairs):6.2f}x"
        print(line)


def main() -> int:
    """Runs and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    program = shutil.which("etcd") or shutil.which(ETCD)
    if program is None or importlib.util.find_spec("fastapi") is None:
        print("bench_durable: a peer is missing: tools/setup.sh peers", file=sys.stderr)
        return 2
    BUILD.mkdir(exist_ok=True)
    print(f"this disk syncs {syncs_a_second():.0f} times a second; load {os.getloadavg()[0]:.1f}")
    with contextlib.ExitStack() as stack:

        def start(role: str) -> int:
            server = Server(role)
            stack.callback(server.close)
            return server.ports[0]

        etcd_port = stack.enter_context(etcd(program))
        os.environ["BENCH_STATE"] = stack.enter_context(tempfile.TemporaryDirectory(dir=BUILD))
        port = start("durable")
        cases = [
            Case("empty FastAPI POST", start("post"), registration, OURS),
            Case(OURS, port, registration),
            Case("etcd's put, JSON", etcd_port, put_v3, OURS),
            Case("etcd's put, older interface", etcd_port, put_v2, OURS),
            Case(OURS_MANY, port, registrations, each=MANY),
            Case(f"etcd's transaction of {MANY} puts", etcd_port, transaction, OURS_MANY, MANY),
        ]
        _run(compare(cases, arguments.clients, arguments.seconds, arguments.rounds))
    show(cases)
    return 0


if __name__ == "__main__":
    sys.exit(main())
