"""A service that writes what it is told, and the folder in which its shim logs that.

A process counts as ready after a second of life, which says nothing about what it has written by
then, and a shim writes what it read a moment later: whoever looks at a log waits for its text.
"""

from __future__ import annotations

import json
import os
import select
import sys
from pathlib import Path
from typing import Any

from azora_orchestrator import MasterOrchestrator, _core

_PROGRAM = """
import json, os, sys

with open(sys.argv[1], "r+b", buffering=0) as told:
    os.write(1, b"ready\\n")
    while line := told.readline():
        os.write(1, json.loads(line).encode())
"""


def logs_of(orch: MasterOrchestrator, id: str) -> Path:
    """The folder of the log files of a running service: its shim, its parent, lives there."""
    stat = Path(f"/proc/{orch.service(id).pid}/stat").read_text()
    parent = stat.rpartition(")")[2].split()[1]
    return Path(os.readlink(f"/proc/{parent}/cwd"))


def until_logged(orch: MasterOrchestrator, id: str, text: str) -> None:
    """Waits until the log of a running service ends with this."""
    watch = _core.FolderWatch()
    watch.watch(str(logs_of(orch, id)))
    while not (found := orch.logs(id)).endswith(text):
        assert select.select([watch.fileno()], [], [], 30)[0], found
        watch.take()


class Parrot:
    """Fails: as its service does."""

    def __init__(
        self, orch: MasterOrchestrator, folder: Path, id: str = "parrot", **process: Any
    ) -> None:
        self.id = id
        program = folder / f"{id}.py"
        program.write_text(_PROGRAM)
        fifo = folder / f"{id}.fifo"
        os.mkfifo(fifo)
        self._fifo = os.open(fifo, os.O_RDWR)
        self._orch = orch
        orch.register(
            {
                "id": id,
                "type": "core",
                "healthCheck": {"type": "process"},
                "process": {"argv": [sys.executable, "-S", str(program), str(fifo)]} | process,
            }
        )
        orch.wait_ready(id, timeout_ms=30_000)
        until_logged(orch, id, "ready\n")

    def say(self, text: str) -> None:
        """Have it write this, as it stands."""
        os.write(self._fifo, json.dumps(text).encode() + b"\n")

    def has_said(self, text: str) -> None:
        """say(), until it is in its log."""
        self.say(text)
        until_logged(self._orch, self.id, text)

    @property
    def facts(self) -> Any:
        """What the view has of its process."""
        return self._orch.service(self.id).process

    @property
    def logs(self) -> Path:
        """The folder of its log files."""
        return logs_of(self._orch, self.id)

    def close(self) -> None:
        os.close(self._fifo)
