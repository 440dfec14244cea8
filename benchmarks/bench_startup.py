"""How long `azora` and an import take, each beside the bare interpreter.

`python benchmarks/bench_startup.py [--rounds 15]` prints a JSON line for each case: the least time
and the CPU time in ms, the same of `python -c pass` in turns with it, and what is left without the
interpreter. A server is started for the verbs. What a verb must not import is counted by
tests/py/cli/test_startup.py.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import time
from pathlib import Path

PYTHON = sys.executable
AZORA = [PYTHON, "-m", "azora_orchestrator"]
BARE = [PYTHON, "-c", "pass"]
# Case, program, the time in ms that is aimed at (None: none) where `python -c pass` takes 10.
CASES: list[tuple[str, list[str], int | None]] = [
    ("import azora_orchestrator", [PYTHON, "-c", "import azora_orchestrator"], 80),
    (
        "import MasterOrchestrator",
        [PYTHON, "-c", "from azora_orchestrator import MasterOrchestrator"],
        None,
    ),
    ("azora --version", [*AZORA, "--version"], 120),
    ("azora --help", [*AZORA, "--help"], 250),
    ("azora status", [*AZORA, "status"], 250),
    ("azora why a", [*AZORA, "why", "a"], 250),
    ("azora events", [*AZORA, "events"], 250),
    ("azora restart a", [*AZORA, "restart", "a"], 250),
]
SERVICE = '[[services]]\nid = "a"\ntype = "t"\nendpoint = "http://127.0.0.1:9"\n'


def run(program: list[str], environ: dict[str, str]) -> tuple[float, float]:
    """Wall and CPU time of one run, in ms."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.perf_counter()
    subprocess.run(program, env=environ, capture_output=True, check=False)
    wall = time.perf_counter() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall * 1000, cpu * 1000


def measure(
    name: str, program: list[str], aim: int | None, rounds: int, environ: dict[str, str]
) -> None:
    """Prints the line of one case."""
    ours: list[tuple[float, float]] = []
    bare: list[tuple[float, float]] = []
    for _ in range(rounds):
        bare.append(run(BARE, environ))
        ours.append(run(program, environ))
    wall, cpu = (min(column) for column in zip(*ours, strict=True))
    bare_wall, bare_cpu = (min(column) for column in zip(*bare, strict=True))
    line = {
        "case": name,
        "wall_ms": round(wall, 1),
        "cpu_ms": round(cpu, 1),
        "bare_wall_ms": round(bare_wall, 1),
        "bare_cpu_ms": round(bare_cpu, 1),
        "own_ms": round(wall - bare_wall, 1),
        "aim_ms": aim,
    }
    print(json.dumps(line), flush=True)


def main() -> None:
    """Measures all cases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds: int = parser.parse_args().rounds
    file = Path(f"/tmp/bench_startup_{os.getpid()}.toml")
    file.write_text(SERVICE)
    server = subprocess.Popen(
        [*AZORA, "serve", "-c", str(file), "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        found = next(filter(None, (re.search(r"http://\S+", line) for line in server.stdout)))
        environ = os.environ | {"AZORA_URL": found[0]}
        for name, program, aim in CASES:
            measure(name, program, aim, rounds, environ)
    finally:
        server.terminate()
        server.wait(30)
        file.unlink()


if __name__ == "__main__":
    main()
