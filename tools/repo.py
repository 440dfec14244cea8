"""What the checks of this repository share: their command line and a reader of C++ code.

A check is a function from the repository's root to a list of faults, each one line that names the
file, the rule and what to do. As a program it prints them and ends with 1 when there is one.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent

_CPP_NOISE = re.compile(
    r"""
    //[^\n]*                              # comment to the end of the line
    | /\*.*?\*/                           # comment between marks
    | R"(?P<mark>[^()\\\s]*)\(.*?\)(?P=mark)"   # raw text
    | "(?:[^"\\\n]|\\.)*"                 # text
    | (?<![0-9A-Fa-f])'(?:[^'\\\n]|\\.)+' # character, not the mark between digits
    """,
    re.VERBOSE | re.DOTALL,
)


def cpp_code(text: str) -> str:
    """Blank comments and texts; lines keep their numbers, include lines stay."""

    def blank(match: re.Match[str]) -> str:
        found = match.group()
        start = text.rfind("\n", 0, match.start()) + 1
        if found.startswith('"') and text[start : match.start()].strip() == "#include":
            return found
        return "".join(c if c == "\n" else " " for c in found)

    return _CPP_NOISE.sub(blank, text)


def cpp_files(
    root: Path, *folders: str, kinds: tuple[str, ...] = (".hpp", ".cpp")
) -> Iterator[Path]:
    """The C++ files of some folders, in order."""
    for folder in folders:
        yield from sorted(p for p in (root / folder).rglob("*") if p.suffix in kinds)


def run(check: Callable[[Path], list[str]], what: str) -> None:
    """Run one check as a program."""
    parser = argparse.ArgumentParser(description=what)
    parser.add_argument("--root", type=Path, default=HERE, help="the repository; default: this one")
    faults = check(parser.parse_args().root.resolve())
    for fault in faults:
        sys.stdout.write(f"{fault}\n")
    sys.exit(1 if faults else 0)
