#!/usr/bin/env python3
"""The stub of the extension names what the extension has: mypy's stubtest, on what is installed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from repo import run

STUBTEST = (sys.executable, "-m", "mypy.stubtest")
MODULE = "azora_orchestrator._core"
# What pybind11 puts into every module or class, and what it cannot tell about itself.
ALLOWED = """
azora_orchestrator\\._core\\.\\w+\\._pybind11_conduit_v1_
azora_orchestrator\\._core\\.(.*\\.)?__\\w+__
"""
_FAULT = re.compile(r"^error: (\S+) (.*)$", re.MULTILINE)


def check(root: Path) -> list[str]:
    """Judges the package of this interpreter, or the one under `root` when that has a built one."""
    built = list((root / "python/azora_orchestrator").glob("_core.*.so"))
    environment = dict(os.environ, MYPYPATH="", PYTHONPATH=str(root / "python") if built else "")
    with tempfile.TemporaryDirectory() as scratch:
        allowed = Path(scratch) / "allowed"
        allowed.write_text(ALLOWED)
        done = subprocess.run(
            [*STUBTEST, MODULE, "--allowlist", str(allowed), "--ignore-unused-allowlist"],
            cwd=scratch,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    faults = [f"_core/__init__.pyi: {name} {said}" for name, said in _FAULT.findall(done.stdout)]
    if done.returncode and not faults:
        return [f"stubtest failed: {(done.stdout + done.stderr).strip().splitlines()[-1]}"]
    return faults


if __name__ == "__main__":
    run(check, __doc__ or "")
