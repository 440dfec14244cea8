"""The repository's own checks, run as their users run them, on it or on a made-up one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def faults_of(check: str, root: Path = ROOT) -> list[str]:
    """What `tools/check_<check>.py` finds; its exit status must say the same."""
    done = subprocess.run(
        [sys.executable, str(ROOT / f"tools/check_{check}.py"), "--root", str(root)],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.stderr == ""
    faults = done.stdout.splitlines()
    assert done.returncode == (1 if faults else 0)
    return faults


def write(root: Path, files: dict[str, str]) -> Path:
    """Lay out a repository of a few files."""
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root
