#!/usr/bin/env python3
"""No class of the core outgrows one idea, by [classes] of tools/layers.toml.

At most so many data members, and so many lines in its header and in the .cpp files of the same
folder that define its functions. A struct with nothing private is left out: it is a table of facts.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from repo import cpp_code, cpp_files, run

FOLDER = "cpp/azora"
_LABEL = re.compile(r"\s*(public|protected|private)\s*:(?!:)")
_MARKS = re.compile(r"\bAZORA_\w+\s*(?:\([^()]*\))?|\[\[[^\]]*\]\]|\balignas\s*\([^()]*\)")
_CLASS = re.compile(
    r"\b(class|struct)\b\s*(\w+(?:::\w+)*)?\s*(?:final\s*)?(?::[^:].*)?$", re.DOTALL
)
_SCOPE = re.compile(r"\bnamespace\b|\bextern\s*$")
_NO_MEMBER = re.compile(r"(?:using|typedef|friend|enum|template|static_assert)\b|.*\bstatic\b")


@dataclass
class Class:
    """One class: its data members, and whether something of it is private."""

    name: str
    private: bool
    members: list[str] = field(default_factory=list)


def check(root: Path) -> list[str]:
    """Every class that is too large and has no reason in the list."""
    law = tomllib.loads((root / "tools/layers.toml").read_text())
    limits, larger = law["classes"], law["larger"]
    code = {file: cpp_code(file.read_text()) for file in cpp_files(root, FOLDER)}
    faults: list[str] = []
    excused: set[str] = set()
    for file in code:
        where = file.relative_to(root).as_posix()
        for found in classes(code[file]):
            if not found.private:
                continue
            own = [f"{where}: {one}" for one in _faults(found, _lines(found, file, code), limits)]
            name = f"{where.removeprefix(FOLDER + '/')} {found.name}"
            if own and name in larger:
                excused.add(name)
            else:
                faults += own
    for name in larger:
        if name not in excused:
            faults.append(f'tools/layers.toml: [larger] names "{name}", which is not too large')
    return faults


def _faults(found: Class, lines: int, limits: dict[str, int]) -> Iterator[str]:
    if len(found.members) > limits["members"]:
        yield (
            f"{found.name} has {len(found.members)} data members, at most {limits['members']}: "
            "what has a name of its own becomes an object of its own"
        )
    if lines > limits["lines"]:
        yield f"{found.name} has {lines} lines with its .cpp, at most {limits['lines']}: split it"


def _lines(found: Class, file: Path, code: dict[Path, str]) -> int:
    name = found.name.rpartition("::")[2]
    defines = re.compile(rf"^\w[^\n;]*?\b{name}::~?\w+\s*\(|^{name}::~?{name}\(", re.MULTILINE)
    files = {file} | {
        other
        for other in code
        if other.suffix == ".cpp" and other.parent == file.parent and defines.search(code[other])
    }
    return sum(len(code[one].splitlines()) for one in files)


def classes(code: str) -> list[Class]:
    """The classes of a file; one within another counts on its own."""
    found: list[Class] = []
    text = re.sub(r"^[ \t]*#[^\n]*", "", code, flags=re.MULTILINE)
    _read(text, 0, None, found)
    return found


def _read(text: str, at: int, of: Class | None, found: list[Class]) -> int:
    """Statement after statement up to the end of a scope; returns where that is."""
    statement = ""
    while at < len(text) and text[at] != "}":
        char = text[at]
        if char == "(":
            end = _closing(text, at)
            statement += text[at : end + 1]
            at = end
        elif char == "{":
            statement, at = _block(text, at, statement, found)
        elif char == ";":
            if of is not None:
                of.members += _members(statement)
            statement = ""
        else:
            statement += char
            label = _LABEL.match(statement) if char == ":" and text[at + 1] != ":" else None
            if label is not None:
                if of is not None and label[1] != "public":
                    of.private = True
                statement = ""
        at += 1
    return at


def _block(text: str, at: int, statement: str, found: list[Class]) -> tuple[str, int]:
    """What is between braces. Returns what is left of the statement, and where it ends."""
    head = _MARKS.sub(" ", statement).strip()
    named = None if re.match(r"(?:enum|using)\b", head) else _CLASS.search(head)
    if named is not None and "(" not in head and "=" not in head:
        inner = Class(named[2] or "", named[1] == "class")
        found.append(inner)
        return "struct ", _read(text, at + 1, inner, found)
    if _SCOPE.search(head):
        return "", _read(text, at + 1, None, found)
    end = _closing(text, at)
    following = text[end + 1 :].lstrip()[:1]
    return (statement + "{}" if following in (";", ",", "{") else ""), end


def _closing(text: str, at: int) -> int:
    """Where the bracket that opens here is closed."""
    depth = 0
    for end in range(at, len(text)):
        depth += (text[end] in "({") - (text[end] in ")}")
        if depth == 0:
            return end
    return len(text) - 1


def _members(statement: str) -> list[str]:
    """The data members that a statement of a class declares."""
    text = _MARKS.sub(" ", statement).strip()
    if _NO_MEMBER.match(text) or "operator" in text:
        return []
    while (less := re.sub(r"<[^<>]*>", "", text)) != text:
        text = less
    text = re.split(r"=|\{\}", text)[0]
    pointer = re.search(r"\(\s*\*\s*(\w+)\s*\)", text)
    if pointer is not None:
        return [pointer[1]]
    if (
        "(" in text
        or not re.match(r"(?:[\w:]+[\s&*]+)+\w+", text)
        or re.match(r"(class|struct) \w*$", text)
    ):
        return []
    names = [re.sub(r"\[.*|(?<!:):(?!:).*", "", one).split() for one in text.split(",")]
    return [one[-1].lstrip("&*") for one in names if one]


if __name__ == "__main__":
    run(check, __doc__ or "")
