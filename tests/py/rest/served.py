"""`azora serve` and `azora demo` as processes of their own, and actors for them to keep alive."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from conftest import free_port
from rest.asking import Api

ACTOR = Path(__file__).with_name("actor.py")
SECONDS = 30.0


def clean_environ(**more: str) -> dict[str, str]:
    """Ours without what would lead the CLI to another server."""
    mine = ("AZORA_URL", "AZORA_TOKEN", "ORCHESTRATOR_PORT")
    environ = {name: value for name, value in os.environ.items() if name not in mine}
    environ = {name: value for name, value in environ.items() if not name.endswith("_ENDPOINT")}
    return environ | {"PYTHONUNBUFFERED": "1"} | more


def dies(pid: int, seconds: float = SECONDS) -> bool:
    """Waits until a process, ours or not, is gone."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        ready, _, _ = select.select([descriptor], [], [], seconds)
        return bool(ready)
    finally:
        os.close(descriptor)


class Command:
    """One run of `azora`, or of a program of its own, whose lines are read as they come."""

    def __init__(
        self,
        *arguments: str,
        cwd: Path | None = None,
        program: str | None = None,
        pass_fds: Sequence[int] = (),
        **environ: str,
    ) -> None:
        what = ["-m", "azora_orchestrator"] if program is None else ["-c", program]
        self.process = subprocess.Popen(
            [sys.executable, *what, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=cwd,
            pass_fds=pass_fds,
            env=clean_environ(**environ),
        )
        self.lines: list[str] = []
        self._news = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int:
        return self.process.pid

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._news:
                self.lines.append(line.rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    def line(self, pattern: str, seconds: float = SECONDS, count: int = 1) -> re.Match[str]:
        """The first (or `count`th) line in which `pattern` is found; waits for it."""
        deadline = time.monotonic() + seconds
        with self._news:
            while True:
                found = [match for line in self.lines if (match := re.search(pattern, line))]
                if len(found) >= count:
                    return found[count - 1]
                left = deadline - time.monotonic()
                if self._ended or left <= 0:
                    raise AssertionError(f"no line with {pattern!r} in {self.lines}")
                self._news.wait(left)

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def wait(self, seconds: float = SECONDS) -> int:
        code = self.process.wait(seconds)
        self._thread.join(5)
        return code

    def close(self) -> None:
        """Ends it, politely first."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
        self._thread.join(5)
        if self.process.stdout is not None and not self._thread.is_alive():
            self.process.stdout.close()


class Served(Command):
    """A server that answers; `api` asks it."""

    def __init__(self, *arguments: str, cwd: Path | None = None, **environ: str) -> None:
        super().__init__(*arguments, "--port", "0", cwd=cwd, **environ)
        try:
            self.url = self.line(r" serves .* at (http://127\.0\.0\.1:\d+)$")[1]
        except BaseException:
            self.close()
            raise
        self.api = Api(int(self.url.rpartition(":")[2]))


class Actors:
    """Actors of one test, told what to do by files in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def tell(self, id: str, what: str) -> None:
        (self.folder / f"{id}.{what}").touch()

    def untell(self, id: str, what: str) -> None:
        (self.folder / f"{id}.{what}").unlink()

    def starts(self, id: str) -> list[tuple[int, str]]:
        """Each start: its pid, and which of the family it met alive."""
        lines = (self.folder / f"{id}.starts").read_text().splitlines()
        return [(int(pid), alive) for pid, _, alive in (line.partition(" ") for line in lines)]

    def members(self, id: str) -> list[int]:
        return [int(line) for line in (self.folder / f"{id}.members").read_text().split()]

    def service(self, id: str, *, program: Path = ACTOR, **fields: Any) -> dict[str, Any]:
        """Its description in the wire's spelling."""
        process = {"argv": [sys.executable, "-S", str(program), id, "{port}", str(self.folder)]}
        process |= fields.pop("process", {})
        return {
            "id": id,
            "type": "core",
            "endpoint": f"http://127.0.0.1:{free_port()}",
            "healthCheckInterval": 500,
            "process": process,
        } | fields


Serve = Callable[..., Served]
