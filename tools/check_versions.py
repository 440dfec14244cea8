#!/usr/bin/env python3
"""One version: in pyproject.toml, CMakeLists.txt, the package and the newest CHANGELOG entry."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from repo import run

PLACES = {
    "CMakeLists.txt": r"^project\([^)]*\bVERSION (\S+)",
    "python/azora_orchestrator/__init__.py": r'^__version__ = "([^"]+)"',
    "CHANGELOG.md": r"^## \[(\d[^\]]*)\]",
}


def check(root: Path) -> list[str]:
    """pyproject.toml decides."""
    version = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    faults = []
    for place, pattern in PLACES.items():
        found = re.search(pattern, (root / place).read_text(), re.MULTILINE)
        if found is None:
            faults.append(f"{place}: names no version; pyproject.toml says {version}")
        elif found.group(1) != version:
            faults.append(f"{place}: says {found.group(1)}, pyproject.toml says {version}")
    return faults


if __name__ == "__main__":
    run(check, __doc__ or "")
