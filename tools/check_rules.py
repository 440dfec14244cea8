#!/usr/bin/env python3
"""Every rule that is cited exists, and no document is cited that is not in the repository.

A comment cites a rule of docs/rules.md as `R15`, a C++ test bears it in its name as `Rule15...`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from check_text import text_files
from repo import run

RULES = Path("docs/rules.md")
CITED = re.compile(r"\bR(\d{1,2}[a-d]?)\b|\bRule(\d{1,2}[a-d]?)(?=[A-Z])")
STATED = re.compile(r"^\| R(\d{1,2}[a-d]?) \|", re.MULTILINE)
FOREIGN = re.compile(
    r"\bsemantics\s+(\d|[A-L]\b)"
    r"|\bdesign(\.md)?,?\s+(section\s+)?\d"
    r"|\b(house|semantics|supervision|discovery-lb|reliability-security|wire-contract|aesthetics|ecosystem)\.md\b"
)
FOLDERS = ("cpp", "bindings", "python", "tests", "tools", "docs", "benchmarks")
# Where a citation is the subject.
SUBJECT = {"tools/check_rules.py", "tests/py/test_repository_rules.py"}


def check(root: Path) -> list[str]:
    """Citations in the code and documents below `root` against docs/rules.md there."""
    stated = set(STATED.findall((root / RULES).read_text()))
    return [
        fault
        for file in text_files(root)
        if file.relative_to(root).parts[0] in FOLDERS
        if file.relative_to(root).as_posix() not in SUBJECT
        for fault in _file(file, file.relative_to(root).as_posix(), stated)
    ]


def _file(file: Path, where: str, stated: set[str]) -> Iterator[str]:
    if file.suffix in {".ipynb", ".json", ".txt"}:
        return
    for number, line in enumerate(file.read_text().split("\n"), 1):
        for match in CITED.finditer(line):
            rule = match.group(1) or match.group(2)
            if rule not in stated:
                yield f"{where}:{number}: R{rule} is cited; docs/rules.md has no such rule"
        if found := FOREIGN.search(line):
            yield (
                f"{where}:{number}: {found.group()!r} cites a document that is not here; "
                "cite a rule of docs/rules.md, or say what holds"
            )


if __name__ == "__main__":
    run(check, __doc__ or "")
