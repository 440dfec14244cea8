"""From a crash to an answer, and the price of watching, beside runit in the same run.

`python benchmarks/bench_heal.py [--kills 10] [--idle 100] [--seconds 10]` prints JSON lines.
Each service is a program that answers with its pid; it is killed once, by SIGKILL, when it has been
up for a while, and asked until another pid answers: its first crash, without back-off. Ours and
runit's take turns. Then both watch sleeping services: the anonymous memory of all supervisors,
shims and keeper included, and how often any of their threads woke up. Exits with 2 when runit's
`runsv`, or the program that `make bench` builds, is missing.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SERVICE = ROOT / "build/bench/tiny_service"
UP_SECONDS = 2.5


def free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def ask(port: int) -> int | None:
    """The pid that answers there; None: nobody does."""
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = b""
            while part := connection.recv(1024):
                answer += part
    except OSError:
        return None
    body = answer.rpartition(b"\r\n\r\n")[2]
    return int(body) if body.isdigit() else None


def until(what: str, condition: Any) -> Any:
    """What `condition()` answers once that is true."""
    deadline = time.monotonic() + 30
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            sys.exit(f"bench_heal: {what}: not within 30 s")
        time.sleep(0.01)


def kill_and_wait(port: int) -> float:
    """Milliseconds from the kill to the answer of the next incarnation."""
    old = ask(port)
    assert old is not None
    began = time.perf_counter()
    os.kill(old, signal.SIGKILL)
    while (pid := ask(port)) is None or pid == old:
        if time.perf_counter() - began > 30:
            sys.exit("bench_heal: a killed service did not come back within 30 s")
        time.sleep(0.0002)
    return (time.perf_counter() - began) * 1000


@contextlib.contextmanager
def azora(ports: list[int]) -> Iterator[list[int]]:
    """`azora serve` over one service per port (0: one that sleeps); gives its process."""
    services = []
    for index, port in enumerate(ports):
        service: dict[str, Any] = {
            "id": f"s{index}",
            "type": "core",
            "process": {"argv": [str(SERVICE), str(port)]},
            "healthCheckInterval": 30_000,
            "healthCheck": {"type": "http" if port else "process"},
        }
        if port:
            service["endpoint"] = f"http://127.0.0.1:{port}"
        services.append(service)
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "azora.json"
        limits = {"startsPerSecond": 0, "maxConcurrentStarts": 0}
        config.write_text(json.dumps({"orchestrator": limits, "services": services}))
        program = Path(sys.executable).parent / "azora"
        with subprocess.Popen(
            [program, "serve", "--port", "0", "--config", config, "--ephemeral"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as server:
            try:
                yield [server.pid]
            finally:
                server.terminate()
                server.wait(60)


@contextlib.contextmanager
def runit(ports: list[int]) -> Iterator[list[int]]:
    """`runsv` for each; gives their processes."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        supervisors = []
        for index, port in enumerate(ports):
            service = Path(folder) / f"s{index}"
            service.mkdir()
            run = service / "run"
            run.write_text(f"#!/bin/sh\nexec {SERVICE} {port}\n")
            run.chmod(0o755)
            supervisors.append(subprocess.Popen(["runsv", service], stderr=subprocess.DEVNULL))
        stack.callback(lambda: [one.wait(30) for one in supervisors])
        stack.callback(lambda: [one.terminate() for one in supervisors])
        yield [one.pid for one in supervisors]


SUPERVISORS = {"azora": azora, "runit": runit}


def measure_heal(kills: int) -> None:
    """The first crash of each of `kills` services."""
    ports = {name: free_ports(kills) for name in SUPERVISORS}
    latencies: dict[str, list[float]] = {name: [] for name in SUPERVISORS}
    with azora(ports["azora"]), runit(ports["runit"]):
        for port in [*ports["azora"], *ports["runit"]]:
            until("a service answers", lambda port=port: ask(port))
        time.sleep(UP_SECONDS)
        for turn in range(kills):
            for name in SUPERVISORS:
                latencies[name].append(kill_and_wait(ports[name][turn]))
    medians = {name: statistics.median(values) for name, values in latencies.items()}
    line: dict[str, Any] = {"case": "crash to answer", "kills": kills}
    for name, values in latencies.items():
        line[f"{name}_ms"] = round(medians[name], 2)
        line[f"{name}_range_ms"] = [round(min(values), 2), round(max(values), 2)]
    print(json.dumps(line | {"ratio": round(medians["azora"] / medians["runit"], 2)}), flush=True)


def supervising(roots: list[int]) -> list[int]:
    """These processes and what they started, the services themselves apart."""
    parents: dict[int, list[int]] = {}
    names: dict[int, str] = {}
    keepers = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            name, _, fields = (entry / "stat").read_text().partition("(")[2].rpartition(")")
            names[int(entry.name)] = name
            parents.setdefault(int(fields.split()[1]), []).append(int(entry.name))
            # A keeper is nobody's child, but it bears the pid of its orchestrator in its arguments.
            words = (entry / "cmdline").read_bytes().decode().split("\0")
            if "keeper" in words[:2] and any(f"azora-{root}-" in words[-2] for root in roots):
                keepers.append(int(entry.name))
    found, left = [], [*roots, *keepers]
    while left:
        pid = left.pop()
        if pid in found or names.get(pid) == SERVICE.name:
            continue
        found.append(pid)
        left += parents.get(pid, [])
    return found


def cost(pids: list[int]) -> tuple[int, int]:
    """KiB of anonymous memory, and times that a thread went to sleep."""
    anonymous = switches = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            anonymous += int(rollup.partition("Pss_Anon:")[2].split()[0])
            for task in Path(f"/proc/{pid}/task").iterdir():
                status = (task / "status").read_text()
                switches += int(status.partition("voluntary_ctxt_switches:")[2].split()[0])
    return anonymous, switches


def measure_idle(count: int, seconds: int) -> None:
    """What `count` sleeping services cost beyond none."""
    line: dict[str, Any] = {"case": "idle", "services": count, "seconds": seconds}
    for name, supervisor in SUPERVISORS.items():
        figures = []
        for ports in ([], [0] * count):
            with supervisor(ports) as roots:
                services = f"{count} services run"
                until(services, lambda ports=ports: running() >= len(ports))
                time.sleep(UP_SECONDS)
                pids = supervising(roots)
                _, woken = cost(pids)
                time.sleep(seconds)
                anonymous, after = cost(pids)
                figures.append((anonymous, (after - woken) / seconds))
        (none, woken_none), (many, woken_many) = figures
        line[f"{name}_anonymous_kib"] = many - none
        line[f"{name}_wakeups_per_s"] = round(woken_many, 2)
        line[f"{name}_extra_wakeups_per_s"] = round(woken_many - woken_none, 2)
    line["ratio"] = round(line["azora_anonymous_kib"] / max(1, line["runit_anonymous_kib"]), 2)
    print(json.dumps(line), flush=True)


def running() -> int:
    """How many of the sleeping services there are."""
    count = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                count += (entry / "cmdline").read_bytes() == f"{SERVICE}\0000\0".encode()
    return count


def main() -> int:
    """Runs and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--idle", type=int, default=100, help="sleeping services; 0: not measured")
    parser.add_argument("--seconds", type=int, default=10, help="that they are watched")
    arguments = parser.parse_args()
    if shutil.which("runsv") is None:
        print(
            "bench_heal: runit is missing, there is nothing to compare with: apt-get install runit",
            file=sys.stderr,
        )
        return 2
    if not SERVICE.exists():
        print(f"bench_heal: {SERVICE} is missing: run `make bench`", file=sys.stderr)
        return 2
    measure_heal(arguments.kills)
    if arguments.idle:
        measure_idle(arguments.idle, arguments.seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
