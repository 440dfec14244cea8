#!/usr/bin/env python3
"""Every text file speaks of the project alone, in lines that fit on a screen.

No promises for later and no paths of one machine. Spaces, tabs, ends of files and marks of a merge
are for `git diff --check`, spelling is for codespell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from repo import run

KINDS = {".cpp", ".hpp", ".py", ".pyi", ".sh", ".md", ".toml", ".cmake", ".json", ".txt", ".ipynb"}
NAMES = {"Makefile", "run", ".clang-format", ".clang-tidy", ".gitignore"}
LONGEST = 160
UNBOUNDED = {".cmake", ".ipynb", ".json", ".md", ".txt"}
WORDS = {
    r"\b(TODO|FIXME|XXX|HACK)\b": "a promise for later; do it, or open an issue",
    r"(?<![\w}])/(work/(main|shared)|root|home/\w+)/": "a path of one machine",
}
# Where a word is the subject.
SUBJECT = {"tools/check_text.py", "tests/py/test_repository_text.py"}


def check(root: Path) -> list[str]:
    """Every text file outside the folders that builds make."""
    return [fault for file in text_files(root) for fault in _file(root, file)]


def text_files(root: Path) -> Iterator[Path]:
    """What people wrote: nothing hidden, built or installed."""
    made = {"build", "dist", "node_modules", "__pycache__"}
    waiting = [root]
    while waiting:
        for path in sorted(waiting.pop().iterdir()):
            hidden = path.name.startswith(".") and path.name != ".ci"
            if path.is_dir():
                if not hidden and path.name not in made and not path.name.endswith(".egg-info"):
                    waiting.append(path)
            elif path.suffix in KINDS or path.name in NAMES:
                yield path


def _file(root: Path, file: Path) -> Iterator[str]:
    where = file.relative_to(root).as_posix()
    try:
        text = file.read_bytes().decode()
    except UnicodeDecodeError as error:
        yield f"{where}: is not UTF-8: byte {error.start} is wrong"
        return
    for number, line in enumerate(text.split("\n"), 1):
        for fault in _line(file, line, where in SUBJECT):
            yield f"{where}:{number}: {fault}"


def _line(file: Path, line: str, subject: bool) -> Iterator[str]:
    if len(line) > LONGEST and file.suffix not in UNBOUNDED:
        yield f"{len(line)} characters; at most {LONGEST}"
    for pattern, what in () if subject else WORDS.items():
        if found := re.search(pattern, line):
            yield f"{found.group().strip()}: {what}"


if __name__ == "__main__":
    run(check, __doc__ or "")
