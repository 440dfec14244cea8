#!/usr/bin/env python3
"""Every C++ source is in a list that builds it, and every list names what exists.

Sources are listed by hand, in the nearest sources.cmake or CMakeLists.txt above them; one that is
in none is neither compiled nor tested, and nobody notices.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from repo import cpp_files, run

FOLDERS = ("cpp", "bindings", "tests/cpp")
LISTS = ("sources.cmake", "CMakeLists.txt")
_SOURCE = re.compile(r"(?<![\w/.${}])([\w./]+\.cpp)\b")


def check(root: Path) -> list[str]:
    """Both directions."""
    listed: set[Path] = set()
    faults: list[str] = []
    for name in LISTS:
        for folder in FOLDERS:
            for file in sorted((root / folder).rglob(name)):
                faults += _missing(root, file, listed)
    for source in cpp_files(root, *FOLDERS, kinds=(".cpp",)):
        if source not in listed:
            faults.append(f"{source.relative_to(root)}: is in no sources.cmake or CMakeLists.txt")
    return faults


def _missing(root: Path, file: Path, listed: set[Path]) -> Iterator[str]:
    code = re.sub(r"#.*", "", file.read_text())
    for name in _SOURCE.findall(code):
        source = Path(os.path.normpath(file.parent / name))
        if source.is_file():
            listed.add(source)
        else:
            yield f"{file.relative_to(root)}: names {name}, which does not exist"


if __name__ == "__main__":
    run(check, __doc__ or "")
