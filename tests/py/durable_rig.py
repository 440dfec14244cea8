"""`azora serve` in a process of its own, for tests that kill it or write its file."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from azora_orchestrator import Client

__all__ = ["Server", "alive", "until"]


class Server:
    """`azora serve --state DIR` in a process of its own."""

    def __init__(self, state: Path, *options: str) -> None:
        arguments = ["serve", "--port", "0", "--state", str(state), *options]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "azora_orchestrator", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"ORCHESTRATOR_PORT": ""},
        )
        self.lines: list[str] = []
        self.client = Client(self._url())

    def _url(self) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if found := re.search(r" serves .* at (http://\S+)$", line):
                return found[1]
        assert self.process.stderr is not None
        raise AssertionError("".join(self.lines) + self.process.stderr.read())

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        return self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> int:
        self.client.close()
        self.process.send_signal(how)
        self.process.communicate(timeout=60)
        return self.process.returncode


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def until(is_so: Callable[[], Any], seconds: float = 20) -> Any:
    """Asks again, at most that long, until the answer is true."""
    deadline = time.monotonic() + seconds
    while not (found := is_so()):
        assert time.monotonic() < deadline, "it did not come about"
        select.select([], [], [], 0.01)
    return found
