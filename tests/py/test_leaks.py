"""Services that come and go leave nothing of them in us: no descriptor, thread, process, memory.

`AZORA_CYCLES` sets how often each is registered, started, killed and unregistered (200).
"""

from __future__ import annotations

import gc
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from azora_orchestrator import MasterOrchestrator
from durable_rig import until

# Not under sanitizers: their runtimes keep memory and threads of their own.
pytestmark = pytest.mark.process

CYCLES = int(os.environ.get("AZORA_CYCLES", "200"))
AT_ONCE = 20
# What an allocator may keep, and the events of a cycle: the log keeps 65,536 of them and no more.
FREE_KB, KB_A_CYCLE, MOST_CYCLES_KEPT = 8 * 1024, 2.5, 12_000


def processes(program: Path) -> tuple[list[int], list[int]]:
    """The keepers and the shims."""
    keepers, shims = [], []
    for folder in Path("/proc").iterdir():
        try:
            if os.readlink(folder / "exe") == str(program):
                is_keeper = (folder / "comm").read_text().strip() == "azora-keeper"
                (keepers if is_keeper else shims).append(int(folder.name))
        except OSError:
            continue
    return keepers, shims


def descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def resident_kb(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


@dataclass(frozen=True)
class Counts:
    """What we hold."""

    descriptors: int
    threads: int
    keeper_descriptors: tuple[int, ...]
    shims: int

    @classmethod
    def of(cls, program: Path) -> Counts:
        keepers, shims = processes(program)
        held = tuple(map(descriptors, keepers))
        return cls(descriptors(os.getpid()), len(os.listdir("/proc/self/task")), held, len(shims))


def cycle(orch: MasterOrchestrator) -> None:
    """Registers services, kills each when it has started, and unregisters them."""
    job: dict[str, Any] = {"type": "jobs", "healthCheck": {"type": "process"}}
    job["process"] = {"argv": ["sleep", "1000"]}
    ids = [f"job-{at}" for at in range(AT_ONCE)]
    killed, ended = set(), set()
    with orch.events(type=["serviceStarted", "serviceExited"]) as stream:
        orch.register_many([job | {"id": id} for id in ids])
        while len(ended) < len(ids):
            event = stream.next(timeout_ms=30_000)
            assert event is not None, set(ids) - ended
            if event.type == "serviceExited":
                ended.add(event.service_id)
            elif event.service_id not in killed:
                assert event.pid is not None
                os.kill(event.pid, signal.SIGKILL)
                killed.add(event.service_id)
    for id in ids:
        assert orch.unregister(id)
    until(lambda: "\nazora_processes_alive 0\n" in orch.metrics(), 30)


def come_and_go(program: Path, state: str | None) -> None:
    """Fails when anything is left of services that came and went."""
    with MasterOrchestrator(max_concurrent_starts=0, starts_per_second=0, state_dir=state) as orch:
        cycle(orch)  # it makes the threads and buffers that stay
        until(lambda: Counts.of(program).shims == 0, 30)
        before, kept = Counts.of(program), resident_kb(os.getpid())
        (keeper,) = processes(program)[0]
        keeper_kept = resident_kb(keeper)
        for _ in range(0, CYCLES, AT_ONCE):
            cycle(orch)
        gc.collect()
        # The keeper closes its end of a link a moment after the shim has gone.
        equals(program, before)
        assert processes(program)[0] == [keeper]
        now = resident_kb(os.getpid())
        print(f"{CYCLES} cycles: {before}, {kept} kB before, {now} kB after")
        assert now < kept + FREE_KB + KB_A_CYCLE * min(CYCLES, MOST_CYCLES_KEPT)
        assert resident_kb(keeper) < keeper_kept + 256


def equals(program: Path, expected: Counts) -> None:
    """Waits until we hold as much again."""
    try:
        until(lambda: Counts.of(program) == expected, 30)
    except AssertionError:
        raise AssertionError(f"{expected} became {Counts.of(program)}") from None


def open_and_close(program: Path) -> None:
    """Fails when anything is left of orchestrators that were closed."""

    def run() -> None:
        with MasterOrchestrator() as orch:
            cycle(orch)

    run()
    gc.collect()
    # The thread of a wait ends a moment after its caller has gone on.
    until(lambda: len(os.listdir("/proc/self/task")) == 1, 30)
    before = Counts.of(program)
    for _ in range(5):
        run()
    gc.collect()
    equals(program, before)
    assert processes(program) == ([], [])


@pytest.mark.parametrize("what", ["ephemeral", "durable", "closed"])
def test_nothing_is_left(what: str, package_dir: Path, tmp_path: Path) -> None:
    # In a process of its own, where no other test has left anything to be collected later.
    program = tmp_path / "keeper"  # by whose path its processes are found
    shutil.copy(package_dir / "bin/azora-keeper", program)
    ran = subprocess.run(
        [sys.executable, __file__, what, str(program), str(tmp_path / "state")],
        env=os.environ | {"AZORA_KEEPER": str(program)},
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )
    print(ran.stdout)
    assert ran.returncode == 0, ran.stdout + ran.stderr


if __name__ == "__main__":
    what, keeper, state = sys.argv[1:]
    if what == "closed":
        open_and_close(Path(keeper))
    else:
        come_and_go(Path(keeper), state if what == "durable" else None)
