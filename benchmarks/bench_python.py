"""What Python pays: picks beside empty builtins, events beside a queue, registration in bulk.

`python benchmarks/bench_python.py [--rounds 9]` prints one JSON line per case: nanoseconds of CPU
time a call, and what that is beside the case's peer in the same run. The peers: `gc.isenabled()`,
a builtin that does nothing; `dict.get`, a builtin that looks something up; a round-robin under a
lock; `queue.Queue` between two threads. Rounds of all cases take turns; the least of many short
bursts counts, as whatever interrupts only ever adds.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import json
import queue
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Self

BURST = 20_000
EVENTS = 20_000


def _service(index: int) -> dict[str, Any]:
    return {
        "id": f"s{index}",
        "type": "core",
        "endpoint": f"http://127.0.0.1:{1024 + index % 60_000}",
        "healthCheckInterval": 3_600_000,
    }


class LockedRoundRobin:
    """What somebody writes first."""

    def __init__(self, count: int) -> None:
        self._lock = threading.Lock()
        self._services = [(f"s{index}", True) for index in range(count)]
        self._next = 0

    def pick(self, _pool: str) -> str | None:
        """The next healthy one."""
        with self._lock:
            for _ in self._services:
                id, healthy = self._services[self._next % len(self._services)]
                self._next += 1
                if healthy:
                    return id
            return None


def _loop(call: Callable[..., Any], *arguments: Any) -> Callable[[Iterator[None]], None]:
    """A burst of calls without anything between them but the loop."""
    names = [f"a{index}" for index in range(len(arguments))]
    source = (
        f"def burst(turns, call, {', '.join(names)}):\n  for _ in turns: call({', '.join(names)})"
    )
    scope: dict[str, Any] = {}
    exec(source.replace(", )", ")"), scope)  # arguments that are unpacked would cost
    return lambda turns: scope["burst"](turns, call, *arguments)


def _least(bursts: dict[str, Callable[[Iterator[None]], None]], rounds: int) -> dict[str, float]:
    least = dict.fromkeys(bursts, float("inf"))
    for _ in range(rounds * 5):
        for name, burst in bursts.items():
            began = time.thread_time_ns()
            burst(itertools.repeat(None, BURST))
            least[name] = min(least[name], (time.thread_time_ns() - began) / BURST)
    return least


def _say(case: str, ns: float, **peers: float) -> None:
    line: dict[str, Any] = {"case": case, "ns": round(ns, 1)}
    for name, peer in peers.items():
        line[f"peer_{name}_ns"] = round(peer, 1)
        line[f"ratio_{name}"] = round(ns / peer, 3)
    print(json.dumps(line), flush=True)


def measure_picks(rounds: int) -> None:
    """One thread; a pool of eleven healthy services."""
    from azora_orchestrator import MasterOrchestrator

    with Responder() as responder, MasterOrchestrator() as orch:
        services = [_service(index) | {"endpoint": responder.url} for index in range(11)]
        orch.register_many(services)
        for service in services:
            orch.wait_ready(service["id"], timeout_ms=30_000)
        known = {"core": "s0"}
        locked = LockedRoundRobin(11)
        bursts = {
            "nothing": _loop(gc.isenabled),
            "get": _loop(known.get, "core"),
            "locked": _loop(locked.pick, "core"),
            "pick": _loop(orch.pick, "core"),
            "pick ip-hash": _loop(orch.pick, "core", "customer-7", "ip-hash"),
            "pick least-connections": _loop(orch.pick, "core", None, "least-connections"),
        }
        ns = _least(bursts, rounds)
    peers = {
        "empty_builtin": ns["nothing"],
        "dict_get": ns["get"],
        "locked_round_robin": ns["locked"],
    }
    for name in ("pick", "pick ip-hash", "pick least-connections"):
        _say(name, ns[name], **peers)


class Counting:
    """A handler that counts, and what its thread used from the first event to the last."""

    def __init__(self, events: int) -> None:
        self.done = threading.Event()
        self.cpu_ns = self.wall_ns = 0.0
        seen = cpu = wall = 0

        def handler(_event: object) -> None:
            nonlocal seen, cpu, wall
            seen += 1
            if seen == 1:
                cpu, wall = time.thread_time_ns(), time.perf_counter_ns()
            elif seen == events:
                self.cpu_ns = (time.thread_time_ns() - cpu) / events
                self.wall_ns = (time.perf_counter_ns() - wall) / events
                self.done.set()

        self.handler = handler


def _burst_of_ours(count: int) -> Counting:
    from azora_orchestrator import MasterOrchestrator

    services = [_service(index) for index in range(count)]
    seen = Counting(count)
    orch = MasterOrchestrator()  # not started: nothing is checked beside
    try:
        orch.on("serviceRegistered", seen.handler)
        orch.register_many(services)
        if not seen.done.wait(60):
            sys.exit(f"bench_python: not all of {count} events came")
    finally:
        orch.close()
    return seen


def _burst_of_queue(count: int) -> Counting:
    seen = Counting(count)
    line: queue.Queue[dict[str, Any]] = queue.Queue()

    def read() -> None:
        for _ in range(count):
            seen.handler(line.get())

    for index in range(count):
        line.put({"seq": index, "type": "serviceRegistered"})
    thread = threading.Thread(target=read)
    thread.start()
    thread.join()
    return seen


def measure_events(rounds: int) -> None:
    """A burst to one handler, which counts; the interpreter is idle otherwise."""
    ours, peers = [], []
    for _ in range(rounds):
        ours.append(_burst_of_ours(EVENTS))
        peers.append(_burst_of_queue(EVENTS))
    floor = min(_floor() for _ in range(rounds))
    _say(
        "event to a callback",
        statistics.median(one.cpu_ns for one in ours),
        queue=statistics.median(one.cpu_ns for one in peers),
        callback_alone=floor,
    )
    _say(
        "event to a callback, by the clock",
        statistics.median(one.wall_ns for one in ours),
        queue=statistics.median(one.wall_ns for one in peers),
    )


def _floor() -> float:
    """The callback without anybody who delivers."""
    seen = Counting(EVENTS)
    for _ in range(EVENTS):
        seen.handler(None)
    return seen.cpu_ns


def measure_registration(rounds: int) -> None:
    """Ten thousand in one call, validated, beside making the same entries in a dict."""
    from azora_orchestrator import MasterOrchestrator

    count = 10_000
    services = [_service(index) for index in range(count)]
    ours, peers = [], []
    for _ in range(rounds):
        orch = MasterOrchestrator()
        began = time.perf_counter_ns()
        orch.register_many(services)
        ours.append((time.perf_counter_ns() - began) / count)
        orch.close()
        began = time.perf_counter_ns()
        {service["id"]: json.loads(json.dumps(service)) for service in services}
        peers.append((time.perf_counter_ns() - began) / count)
    _say("register_many, each", statistics.median(ours), dict_of_json=statistics.median(peers))


class Responder:
    """Answers health checks of this process's fleet, on a thread."""

    def __init__(self) -> None:
        from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def main() -> int:
    """Runs and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    measure_picks(rounds)
    measure_events(rounds)
    measure_registration(max(3, rounds // 3))
    return 0


if __name__ == "__main__":
    sys.exit(main())
