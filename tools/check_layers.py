#!/usr/bin/env python3
"""Judges what C++ modules include and say, and how long files are, by tools/layers.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from repo import cpp_code, cpp_files, run

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"\n]+)[>"]', re.MULTILINE)

Law = Mapping[str, Any]


def check(root: Path) -> list[str]:
    """Every break of the law, one line each."""
    law = tomllib.loads((root / "tools/layers.toml").read_text())
    faults = [*_cycles("cpp", law["cpp"])]
    for file in cpp_files(root, "cpp/azora", "bindings"):
        faults += _cpp(root, file, law)
    faults += _lengths(root, law)
    return faults


def _cycles(kind: str, allowed: Mapping[str, list[str]]) -> Iterator[str]:
    """The law itself must have an order."""
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> Iterator[str]:
        if name in path:
            circle = " -> ".join((*path[path.index(name) :], name))
            yield f"tools/layers.toml: [{kind}] has the cycle {circle}"
        elif name not in done:
            for other in allowed.get(name, ()):
                yield from visit(other, (*path, name))
            done.add(name)

    for name in allowed:
        yield from visit(name, ())


def _module(root: Path, file: Path, law: Law) -> str | None:
    """The longest folder of the law that holds the file."""
    path = file.relative_to(root).as_posix().removeprefix("cpp/azora/")
    fits = [name for name in law["cpp"] if path.startswith(name + "/")]
    return max(fits, key=len, default=None)


def _cpp(root: Path, file: Path, law: Law) -> Iterator[str]:
    where = file.relative_to(root).as_posix()
    module = _module(root, file, law)
    if module is None:
        yield f"{where}: this folder is not in [cpp] of tools/layers.toml; give it a line"
        return
    code = cpp_code(file.read_text())
    for include in _INCLUDE.finditer(code):
        at = f"{where}:{_line(code, include.start(1))}"
        yield from _include(root, module, include.group(1), at, law)
    for word, friends in law["words"].items():
        if module not in friends and word in code:
            for found in _word(word).finditer(code):
                at = f"{where}:{_line(code, found.start())}"
                yield f'{at}: {module} must not say "{word}"; {_who(friends)}'


def _include(root: Path, module: str, name: str, at: str, law: Law) -> Iterator[str]:
    if name.startswith("azora/"):
        other = _module(root, root / "cpp" / name, law)
        if other is None:
            yield f"{at}: {name} is in no folder of [cpp] in tools/layers.toml"
        elif other != module and other not in law["cpp"][module]:
            yield f"{at}: {module} must not include {other} ({name}); see tools/layers.toml"
        return
    for beginning, friends in law["headers"].items():
        if name.startswith(beginning) and module not in friends:
            yield f"{at}: {module} must not include {name}; {_who(friends)}"


def _word(word: str) -> re.Pattern[str]:
    end = r"\b" if word[-1].isalnum() else ""
    return re.compile(rf"(?<![\w.]){re.escape(word)}{end}")


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _who(friends: list[str]) -> str:
    return f"only {', '.join(friends)} may" if friends else "nobody may"


# Length.


def _lengths(root: Path, law: Law) -> Iterator[str]:
    for folder, limit in law["lines"].items():
        for file in sorted((root / folder).rglob("*")):
            if file.suffix not in (".cpp", ".hpp", ".py", ".sh"):
                continue
            where = file.relative_to(root).as_posix()
            allowed = law["longer"].get(where, limit)
            count = len(file.read_text().splitlines())
            if count > allowed:
                yield f"{where}: {count} lines; at most {allowed}: one idea a file"
    for where in law["longer"]:
        if not (root / where).is_file():
            yield f"tools/layers.toml: [longer] names {where}, which does not exist"


if __name__ == "__main__":
    run(check, __doc__ or "")
