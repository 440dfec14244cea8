#!/usr/bin/env python3
"""Every header is a contract that stands alone: it says what it is, and compiles by itself.

A header that is the first include of its own .cpp is compiled alone by every build. The others are
compiled here, in parallel; what passed is remembered under build/headers by the content of all that
it includes.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from repo import cpp_code, cpp_files, run

FOLDERS = ("cpp", "bindings", "tests/cpp")
ONE_THREAD = "cpp/azora/keeper/program/"  # a program without threads
FLAGS = (
    "-std=c++20 -fsyntax-only -fvisibility=hidden -x c++ "
    "-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-missing-field-initializers -Werror"
)
_INCLUDE = re.compile(r'^#include ["<]([^">]+)[">]', re.MULTILINE)
_CLASS = re.compile(
    r"^(?:template <[^;{]*>\s*)?class (?:AZORA_\w+(?:\([^)]*\))? )?(\w+)[^;]*\{", re.MULTILINE
)


def check(root: Path) -> list[str]:
    """Contracts first, then the compiler."""
    headers = list(cpp_files(root, *FOLDERS, kinds=(".hpp",)))
    faults = [fault for header in headers for fault in contract_faults(root, header)]
    alone = [header for header in headers if not _first_of_its_source(header)]
    compile_alone = Compiler(root)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return faults + [fault for fault in pool.map(compile_alone, alone) if fault]


def _first_of_its_source(header: Path) -> bool:
    source = header.with_suffix(".cpp")
    if not source.exists():
        return False
    first = _INCLUDE.search(source.read_text())
    return first is not None and header.as_posix().endswith(f"/{first.group(1)}")


def contract_faults(root: Path, header: Path) -> list[str]:
    """What the first lines of a header must say."""
    where = header.relative_to(root).as_posix()
    text = header.read_text()
    lines = text.splitlines()
    if not lines or lines[0] != "#pragma once":
        return [f"{where}:1: the first line of a header is #pragma once"]
    contract = []
    for line in lines[1:]:
        if not line.startswith("//"):
            break
        contract.append(line)
    if not contract:
        return [
            f"{where}:2: after #pragma once a comment says what this is, "
            "which thread, who owns, what fails"
        ]
    classes = _CLASS.findall(cpp_code(text))
    if not where.startswith("cpp/") or where.startswith(ONE_THREAD):
        return []
    if classes and not re.search(r"[Tt]hread|[Pp]ure", "\n".join(contract)):
        return [
            f"{where}:2: the contract of {classes[0]} names no thread; "
            "say who may call it, or that it is pure"
        ]
    return []


class Compiler:
    """Compiles a file that includes one header and nothing else. Any thread."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._passed = root / "build/headers"
        self._passed.mkdir(parents=True, exist_ok=True)
        self._command = [os.environ.get("CXX", "g++"), *FLAGS.split()]
        self._command += [f"-I{root / folder}" for folder in FOLDERS]
        self._command += [f"-isystem{path}" for path in _python_includes()]
        version = subprocess.run(
            [self._command[0], "--version"], capture_output=True, check=True
        ).stdout
        self._salt = version + "\n".join(self._command).encode()

    def __call__(self, header: Path) -> str | None:
        stamp = self._passed / self._key(header)
        if stamp.exists():
            return None
        done = subprocess.run(
            [*self._command, "-"],
            input=f'#include "{header}"\n',
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 0:
            stamp.touch()
            return None
        lines = done.stderr.splitlines()
        first = next((line for line in lines if "error" in line), done.stderr.strip())
        where = header.relative_to(self._root).as_posix()
        return f"{where}: does not compile alone: {first.replace(f'{self._root}/', '')}"

    def _key(self, header: Path) -> str:
        """Our own headers by content; the system's change with the compiler or not at all."""
        seen: dict[Path, bytes] = {}
        waiting = [header]
        while waiting:
            file = waiting.pop()
            if file in seen:
                continue
            seen[file] = file.read_bytes()
            for name in _INCLUDE.findall(seen[file].decode()):
                places = [file.parent, *(self._root / folder for folder in FOLDERS)]
                waiting += [place / name for place in places if (place / name).is_file()]
        content = b"\0".join(seen[file] for file in sorted(seen))
        return hashlib.sha256(self._salt + str(header).encode() + content).hexdigest()


def _python_includes() -> list[str]:
    import pybind11

    return [sysconfig.get_path("include"), pybind11.get_include()]


if __name__ == "__main__":
    run(check, __doc__ or "")
