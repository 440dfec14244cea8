#!/usr/bin/env python3
"""The stub of the extension names what the extension has: mypy's stubtest, on what is installed."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from repo import run

# With the module imported that completes the extension's event.
PROGRAM = "import azora_orchestrator.events, mypy.stubtest, sys; sys.exit(mypy.stubtest.main())"
STUBTEST = (sys.executable, "-c", PROGRAM)
STUB = "_core/__init__.pyi"
MODULE = "azora_orchestrator._core"
# What stubtest cannot judge: the metaclass that pybind11 gives its classes, their constructors, and
# the pick that is a builtin of C.
ALLOWED = r"""
azora_orchestrator\._core\.(Core|Cursor|Event|FolderWatch|Front|LogStream|PendingCalls|Service)
azora_orchestrator\._core\.(Cursor|Event|FolderWatch|LogStream|PendingCalls|Service)\.__init__
azora_orchestrator\._core\.Core\.pick
"""
_FAULT = re.compile(r"^error: (\S+) (.*)$", re.MULTILINE)


def check(root: Path) -> list[str]:
    """Judges the package that this interpreter finds; it must be the repository's."""
    package = importlib.util.find_spec("azora_orchestrator")
    if package is None or package.origin is None:
        return ["azora_orchestrator is not installed; run `make build`"]
    installed = Path(package.origin).parent / STUB
    if installed.read_text() != (root / "python/azora_orchestrator" / STUB).read_text():
        return [f"{installed}: is not the repository's; run `make build`"]
    with tempfile.TemporaryDirectory() as scratch:
        allowed = Path(scratch) / "allowed"
        allowed.write_text(ALLOWED)
        done = subprocess.run(
            [*STUBTEST, MODULE, "--allowlist", str(allowed), "--ignore-unused-allowlist"],
            cwd=scratch,
            capture_output=True,
            text=True,
            check=False,
        )
    faults = [f"{STUB}: {name} {said}" for name, said in _FAULT.findall(done.stdout)]
    if done.returncode and not faults:
        return [f"stubtest failed: {(done.stdout + done.stderr).strip().splitlines()[-1]}"]
    return faults


if __name__ == "__main__":
    run(check, __doc__ or "")
