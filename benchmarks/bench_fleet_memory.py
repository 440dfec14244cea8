"""What one more service costs the whole server in memory: the Python process, REST included.

`python benchmarks/bench_fleet_memory.py [--services 20000 100000]` prints a JSON line for each.
A server watches that many endpoints, all healthy and checked, beside the same server with a single
one, which is the peer: the difference of their resident memory, divided by the services between
them. Then `/status` and `/graph` are read once, and it is measured again: what is kept for readers.
`bench_memory` measures the native part alone, beside HAProxy. Exits with 2 when the program that
`make bench` builds is missing.
"""

from __future__ import annotations

import argparse
import json
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SERVICE = ROOT / "build/bench/tiny_service"


def free_port() -> int:
    """One that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        port: int = one.getsockname()[1]
        return port


def serve(services: int, target: int, port: int) -> None:
    """The server: prints a line when all services are healthy."""
    import uvicorn

    from azora_orchestrator import MasterOrchestrator
    from azora_orchestrator.server import create_app

    with MasterOrchestrator() as orch:
        batch = 10_000  # what Python needs to register is not what a service costs
        for first in range(0, services, batch):
            orch.register_many(
                {
                    "id": f"service-{number}",
                    "type": "core",
                    "endpoint": f"http://127.0.0.1:{target}",
                    "healthCheckInterval": 60_000,
                }
                for number in range(first, min(first + batch, services))
            )
        while orch.status().healthy_services < services:
            time.sleep(0.05)
        print("ready", flush=True)
        app = create_app(orch, auth=None)
        uvicorn.run(app, port=port, log_level="error", access_log=False)


def resident(pid: int) -> int:
    """Its resident memory in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


def measure(services: int) -> tuple[int, int]:
    """Resident bytes with that many services; and after both large texts were read."""
    target, port = free_port(), free_port()
    words = ["--serve", str(services), str(target), str(port)]
    with (
        subprocess.Popen([SERVICE, str(target)]) as responder,
        subprocess.Popen([sys.executable, __file__, *words], stdout=subprocess.PIPE) as server,
    ):
        try:
            assert server.stdout is not None
            if server.stdout.readline() != b"ready\n":
                sys.exit("bench_fleet_memory: the server ended")
            deadline = time.monotonic() + 30
            while True:
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).close()
                    break
                except OSError:
                    if time.monotonic() > deadline:
                        sys.exit("bench_fleet_memory: the server does not answer")
                    time.sleep(0.1)
            time.sleep(2)
            checked = resident(server.pid)
            for path in ("/status", "/graph"):
                url = f"http://127.0.0.1:{port}{path}"
                with urllib.request.urlopen(url, timeout=60) as answer:
                    while answer.read(1 << 20):
                        pass
            time.sleep(1)
            return checked, resident(server.pid)
        finally:
            server.terminate()
            server.wait(120)
            responder.terminate()


def main() -> int:
    """Runs and prints."""
    if sys.argv[1:2] == ["--serve"]:
        serve(*(int(word) for word in sys.argv[2:]))
        return 0
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--services", type=int, nargs="*", default=[20_000, 100_000])
    arguments = parser.parse_args()
    if not SERVICE.exists():
        print(f"bench_fleet_memory: {SERVICE} is missing: run `make bench`", file=sys.stderr)
        return 2
    alone, alone_read = measure(1)
    for services in arguments.services:
        checked, read = measure(services)
        figures: dict[str, Any] = {
            "bench": "fleet-memory",
            "services": services,
            "bytes_per_service": round((checked - alone) / (services - 1)),
            "bytes_per_service_after_read": round((read - alone_read) / (services - 1)),
            "rss_of_one_mib": round(alone / 2**20, 1),
        }
        print(json.dumps(figures), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
