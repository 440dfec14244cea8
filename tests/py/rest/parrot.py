"""A service that writes what it is told, and the folder in which its shim logs that."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from azora_orchestrator import MasterOrchestrator

_PROGRAM = """
import json, os, sys

with open(sys.argv[1], "r+b", buffering=0) as told:
    os.write(1, b"ready\\n")
    while line := told.readline():
        os.write(1, json.loads(line).encode())
"""


class Parrot:
    """Fails: as its service does."""

    def __init__(self, orch: MasterOrchestrator, folder: Path, id: str = "parrot") -> None:
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
                "process": {"argv": [sys.executable, "-S", str(program), str(fifo)]},
            }
        )
        orch.wait_ready(id, timeout_ms=30_000)

    def say(self, text: str) -> None:
        """Have it write this, as it stands."""
        os.write(self._fifo, json.dumps(text).encode() + b"\n")

    @property
    def facts(self) -> Any:
        """What the view has of its process."""
        return self._orch.service(self.id).process

    @property
    def logs(self) -> Path:
        """The folder of its log files: its shim, its parent, lives there."""
        stat = Path(f"/proc/{self.facts['pid']}/stat").read_text()
        parent = stat.rpartition(")")[2].split()[1]
        return Path(os.readlink(f"/proc/{parent}/cwd"))

    def close(self) -> None:
        os.close(self._fifo)
