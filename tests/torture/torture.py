"""Kills the orchestrator, its keeper and its services at random instants, and counts what is lost.

Each round registers, removes, restarts and picks all the time, kills services, and then kills
the server (now and then its keeper, too) with SIGKILL at a random instant. The next server with the
same state directory must have every change that was acknowledged, no change that was refused, one
copy of each service, and not one restart of a service that nobody killed.

Usage: torture.py [--rounds N] [--seed N] [--services N]. Prints one line of totals; exit 1: it
found a fault, and the folder with all that is known of it is kept.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from azora_orchestrator import Client
from azora_orchestrator.errors import AzoraError

WITNESS = Path(__file__).with_name("witness.py")
PATIENCE = 60.0


class Fault(AssertionError):
    """The fleet is not as it was promised."""


def until(is_so: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """Asks again until the answer is true."""
    deadline = time.monotonic() + seconds
    while not (found := is_so()):
        if time.monotonic() > deadline:
            raise Fault(f"not within {seconds:.0f} s: {what}")
        select.select([], [], [], 0.01)
    return found


def is_alive(pid: int) -> bool:
    """Whether that process runs: a zombie does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def free_port() -> int:
    """A port that no one has now."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@dataclass
class Totals:
    """What was done and found."""

    rounds: int = 0
    servers_killed: int = 0
    keepers_killed: int = 0
    services_killed: int = 0
    acknowledged: int = 0
    picks: int = 0
    healed: int = 0

    def __str__(self) -> str:
        return (
            f"{self.rounds} rounds: {self.servers_killed} servers, {self.keepers_killed} keepers "
            f"and {self.services_killed} services killed; "
            f"{self.acknowledged} changes acknowledged, {self.healed} lives begun, "
            f"{self.picks} picks; 0 acknowledged changes lost, 0 second copies, "
            f"0 restarts of services that nobody killed, nothing left over"
        )


class Server:
    """`azora serve` over the state directory."""

    def __init__(self, state: Path, port: int, log: Path) -> None:
        self._log = log.open("ab")
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "azora_orchestrator",
                "serve",
                "--config",
                str(log.parent / "azora.toml"),
                "--port",
                str(port),
                "--state",
                str(state),
            ],
            stdout=self._log,
            stderr=self._log,
        )
        self.client = Client(f"http://127.0.0.1:{port}", timeout_ms=10_000)
        until(self._is_ready, "the server is ready")

    def _is_ready(self) -> bool:
        if self.process.poll() is not None:
            raise Fault(f"the server ended with {self.process.returncode}")
        try:
            return httpx.get(f"{self.client.url}/readyz", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def end(self, how: signal.Signals) -> int:
        """Sends the signal and waits for the end."""
        self.process.send_signal(how)
        code = self.process.wait(PATIENCE)
        self.client.close()
        self._log.close()
        return code

    def keeper(self) -> int | None:
        """The process that starts the shims."""
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            with contextlib.suppress(OSError):
                words = (entry / "cmdline").read_bytes().split(b"\0")
                if b"azora-keeper" in words[0] and self._is_ours(int(entry.name)):
                    return int(entry.name)
        return None

    def _is_ours(self, pid: int) -> bool:
        # The keeper watches us: it has a pidfd of our process.
        for fd in Path(f"/proc/{pid}/fdinfo").iterdir():
            if f"Pid:\t{self.process.pid}\n" in fd.read_text():
                return True
        return False


@dataclass
class Known:
    """What an outside witness knows of what was promised."""

    there: set[str] = field(default_factory=set)  # registrations that were acknowledged
    gone: set[str] = field(default_factory=set)  # removals that were acknowledged
    unsure: set[str] = field(default_factory=set)  # no answer came
    killed: dict[str, int] = field(default_factory=dict)  # services: how often, or restarted, by us


class Torture:
    """One run."""

    def __init__(self, folder: Path, services: int, seed: int) -> None:
        self.folder, self.random = folder, random.Random(seed)
        self.state, self.port = folder / "state", free_port()
        self.ids = [f"s{i}" for i in range(services)]
        self.known = Known(killed=dict.fromkeys(self.ids, 0))
        self.totals = Totals()
        self._next = 0
        self._write_config()

    def _write_config(self) -> None:
        lines = ["[orchestrator]", "startsPerSecond = 0"]
        for i, id in enumerate(self.ids):
            port = free_port()
            lines += [
                "[[services]]",
                f'id = "{id}"',
                'type = "core"',
                f'endpoint = "http://127.0.0.1:{port}"',
                'healthCheckInterval = "1s"',
                "maxRestarts = -1",
                "flapLimit = 0",
                "[services.healthCheck]",
                "unhealthyThreshold = 100",
                "restartThreshold = 100",
                'startTimeout = "60s"',
            ]
            if i % 3 == 2:
                lines.insert(-4, f'dependencies = ["{self.ids[i - 1]}"]')
            argv = [sys.executable, str(WITNESS), str(self.folder), id, "{port}"]
            lines += ["[services.process]", f"argv = {argv!r}", 'stopTimeout = "20s"']
        (self.folder / "azora.toml").write_text("\n".join(lines).replace("'", '"') + "\n")

    def lives(self, id: str) -> list[str]:
        """The lines of its lives so far."""
        with contextlib.suppress(FileNotFoundError):
            return (self.folder / f"{id}.lives").read_text().splitlines()
        return []

    def pid(self, id: str) -> int:
        """Of its last life; 0: it never lived."""
        lives = self.lives(id)
        return int(lives[-1].split()[0]) if lives else 0

    # What is done all the time.

    def _change(self, client: Client) -> None:
        choice = self.random.random()
        known = self.known
        if choice < 0.6 or not known.there:
            self._next += 1
            id = f"r{self._next}"
            known.unsure.add(id)
            client.register(
                id=id, type="extra", endpoint="http://127.0.0.1:9", health_check_interval_ms=60_000
            )
            known.unsure.discard(id)
            known.there.add(id)
        elif choice < 0.8:
            id = self.random.choice(sorted(known.there))
            known.there.discard(id)
            known.unsure.add(id)
            client.unregister(id)
            known.unsure.discard(id)
            known.gone.add(id)
        elif choice < 0.9:
            id = self.random.choice(self.ids)
            known.killed[id] += 1  # this life is not counted against us
            client.restart(id, timeout_ms=20_000)
        else:
            with contextlib.suppress(AzoraError):
                client.pick("core")
                self.totals.picks += 1
            return
        self.totals.acknowledged += 1

    def _kill_one(self) -> None:
        id = self.random.choice(self.ids)
        pid = self.pid(id)
        if pid and is_alive(pid):
            self.known.killed[id] += 1
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            self.totals.services_killed += 1

    def _work(self, server: Server, over: threading.Event) -> None:
        while not over.is_set():
            try:
                self._change(server.client)
                if self.random.random() < 0.05:
                    self._kill_one()
            except (AzoraError, httpx.HTTPError, OSError):
                if server.process.poll() is not None or over.is_set():
                    return

    # One round.

    def round(self, server: Server) -> Server:
        """Works, kills, starts the next server and looks whether all is as promised."""
        before = {id: len(self.lives(id)) for id in self.ids}
        killed = dict(self.known.killed)
        over = threading.Event()
        worker = threading.Thread(target=self._work, args=(server, over))
        worker.start()
        over.wait(self.random.random() * 1.5)
        if self.random.random() < 0.3 and (keeper := server.keeper()):
            os.kill(keeper, signal.SIGKILL)
            self.totals.keepers_killed += 1
        server.process.kill()
        over.set()
        worker.join(PATIENCE)
        server.end(signal.SIGKILL)
        self.totals.servers_killed += 1
        for _ in range(self.random.randrange(3)):
            self._kill_one()
        server = Server(self.state, self.port, self.folder / "server.log")
        self._check(server, before, killed)
        self.totals.rounds += 1
        return server

    def _check(self, server: Server, before: dict[str, int], killed: dict[str, int]) -> None:
        until(lambda: self._all_up(server), "every service that is wanted up is healthy")
        there = {one.id for one in server.client.services()}
        if lost := self.known.there - there:
            raise Fault(f"acknowledged registrations are lost: {sorted(lost)}")
        if back := self.known.gone & there:
            raise Fault(f"acknowledged removals are undone: {sorted(back)}")
        for id in list(self.known.unsure):
            self.known.unsure.discard(id)
            (self.known.there if id in there else self.known.gone).add(id)
        for id in self.ids:
            lives = self.lives(id)
            if "twice" in lives:
                raise Fault(f"{id} was started beside a copy of itself")
            new, excuse = len(lives) - before[id], self.known.killed[id] - killed[id]
            if new > excuse:
                raise Fault(
                    f"{id} was started {new} times, and was killed or restarted {excuse} times"
                )
            self.totals.healed += new
            pid = server.client.service(id).process.pid
            if pid != self.pid(id):
                raise Fault(f"{id} is said to be process {pid}, and is {self.pid(id)}")

    def _all_up(self, server: Server) -> bool:
        try:
            return all(server.client.service(id).status == "healthy" for id in self.ids)
        except (AzoraError, httpx.HTTPError):
            return False

    def end(self, server: Server) -> None:
        """Stops the fleet: nothing may be left."""
        pids = [self.pid(id) for id in self.ids]
        if (code := server.end(signal.SIGTERM)) != 0:
            raise Fault(f"the last server ended with {code}")
        if left := [pid for pid in pids if is_alive(pid)]:
            raise Fault(f"left over: {left}")
        until(lambda: not any(self._of_ours()), "keeper and shims have ended", 10)

    def _of_ours(self) -> Iterator[int]:
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if str(self.state).encode() in (entry / "cmdline").read_bytes():
                    yield int(entry.name)


def main() -> int:
    """Runs it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--services", type=int, default=6)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="azora-torture-"))
    torture = Torture(folder, given.services, given.seed)
    server = Server(torture.state, torture.port, folder / "server.log")
    try:
        until(lambda: torture._all_up(server), "the fleet is up")
        for _ in range(given.rounds):
            server = torture.round(server)
        torture.end(server)
    except Fault as fault:
        print(
            f"FAULT (--seed {given.seed}, round {torture.totals.rounds + 1}): {fault}; see {folder}"
        )
        return 1
    finally:
        if server.process.poll() is None:
            server.end(signal.SIGTERM)
    shutil.rmtree(folder)
    print(torture.totals)
    return 0


if __name__ == "__main__":
    sys.exit(main())
