"""Where each value of a configuration stands: (key, key, index, ..) -> line, from the source."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from json.decoder import py_scanstring  # type: ignore[attr-defined]
from typing import Any

__all__ = ["Lines", "Path", "json_lines", "line_of", "path_of", "toml_lines", "yaml_lines"]

Path = tuple[str | int, ...]
Lines = dict[Path, int]

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_NUMBERISH = re.compile(r"[^\s,\]}#]+(?: \d\d:[^\s,\]}#]*)?")
_JSON_SCALAR = re.compile(r"[^\s,\]}]+")
_ESCAPES = {
    "b": "\b",
    "t": "\t",
    "n": "\n",
    "f": "\f",
    "r": "\r",
    "e": "\x1b",
    '"': '"',
    "\\": "\\",
}


class _Source:
    """A text and the present position in it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: Lines = {}
        self._line = 1
        self._counted = 0

    def line(self) -> int:
        self._line += self.text.count("\n", self._counted, self.at)
        self._counted = self.at
        return self._line

    def peek(self, length: int = 1) -> str:
        return self.text[self.at : self.at + length]

    def match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        if not found:
            return ""
        self.at = found.end()
        return found[0]

    def note(self, path: Path) -> None:
        self.lines.setdefault(path, self.line())


class _Toml(_Source):
    """Walks a text that tomllib has accepted, so it need not handle illegal TOML."""

    def walk(self) -> Lines:
        counts: dict[Path, int] = {}
        prefix: Path = ()
        while True:
            self._skip(newlines=True)
            if self.at >= len(self.text):
                return self.lines
            if self.peek() == "[":
                is_list = self.peek(2) == "[["
                start = self.at
                self.at += 2 if is_list else 1
                keys = self._keys()
                prefix = self._header(keys, is_list, counts)
                end, self.at = self.at, start
                for length in range(1, len(prefix) + 1):
                    self.note(prefix[:length])
                self.at = end + (2 if is_list else 1)
            else:
                self._pair(prefix)

    @staticmethod
    def _header(keys: list[str], is_list: bool, counts: dict[Path, int]) -> Path:
        path: Path = ()
        for depth, key in enumerate(keys):
            path = (*path, key)
            last = depth == len(keys) - 1
            if last and is_list:
                counts[path] = counts.get(path, 0) + 1
            if path in counts:
                path = (*path, counts[path] - 1)
        return path

    def _skip(self, *, newlines: bool) -> None:
        blank = " \t\r\n" if newlines else " \t"
        while self.at < len(self.text):
            if self.text[self.at] in blank:
                self.at += 1
            elif self.text[self.at] == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            else:
                return

    def _keys(self) -> list[str]:
        keys: list[str] = []
        while True:
            self._skip(newlines=False)
            keys.append(self._string() if self.peek() in "\"'" else self.match(_BARE))
            self._skip(newlines=False)
            if self.peek() != ".":
                return keys
            self.at += 1

    def _pair(self, prefix: Path) -> None:
        begin = self.at
        path = prefix
        for key in self._keys():
            path = (*path, key)
        end, self.at = self.at, begin
        for length in range(len(prefix) + 1, len(path) + 1):
            self.note(path[:length])
        self.at = end + 1  # the equals sign
        self._value(path)

    def _value(self, path: Path) -> None:
        self._skip(newlines=False)
        char = self.peek()
        if char in ("'", '"'):
            self._string()
        elif char == "[":
            self._items(path)
        elif char == "{":
            self.at += 1
            while True:
                self._skip(newlines=True)
                if self.peek() == "}":
                    self.at += 1
                    return
                self._pair(path)
                self._skip(newlines=True)
                if self.peek() == ",":
                    self.at += 1
        elif not self.match(_NUMBERISH):
            self.at += 1  # always move on

    def _items(self, path: Path) -> None:
        self.at += 1
        index = 0
        while True:
            self._skip(newlines=True)
            if self.peek() in ("]", ""):
                self.at += 1
                return
            self.note((*path, index))
            self._value((*path, index))
            index += 1
            self._skip(newlines=True)
            if self.peek() == ",":
                self.at += 1

    def _string(self) -> str:
        quote = self.peek()
        fence = quote * 3 if self.peek(3) == quote * 3 else quote
        self.at += len(fence)
        out: list[str] = []
        while self.at < len(self.text) and self.peek(len(fence)) != fence:
            char = self.peek()
            self.at += 1
            if char == "\\" and quote == '"':
                char = self.peek()
                self.at += 1
                if char in "uU":
                    width = 4 if char == "u" else 8
                    char = chr(int(self.peek(width), 16))
                    self.at += width
                else:
                    char = _ESCAPES.get(char, char)
            out.append(char)
        self.at += len(fence)
        while len(fence) == 3 and self.peek() == quote:  # """" ends with a quote of the text
            self.at += 1
        return "".join(out)


class _Json(_Source):
    """Walks a text that json has accepted."""

    def __init__(self, text: str, twice: list[tuple[int, str]]) -> None:
        super().__init__(text)
        self._twice = twice

    def walk(self) -> Lines:
        self._value(())
        return self.lines

    def _skip(self) -> None:
        while self.at < len(self.text) and self.text[self.at] in " \t\r\n":
            self.at += 1

    def _string(self) -> str:
        text, self.at = py_scanstring(self.text, self.at + 1)
        return str(text)

    def _value(self, path: Path) -> None:
        self._skip()
        self.note(path)
        char = self.peek()
        if char == '"':
            self._string()
        elif char in ("{", "["):
            self._inside(path, closing="}" if char == "{" else "]")
        else:
            self.match(_JSON_SCALAR)

    def _inside(self, path: Path, *, closing: str) -> None:
        self.at += 1
        index = 0
        met: set[str] = set()
        while True:
            self._skip()
            if self.peek() in (closing, ""):
                self.at += 1
                return
            if self.peek() == ",":
                self.at += 1
                continue
            key: str | int = index
            if closing == "}":
                line = self.line()
                key = self._string()
                self.lines.setdefault((*path, key), line)
                if key in met:
                    self._twice.append((line, key))
                met.add(key)
                self._skip()
                self.at += 1  # the colon
            self._value((*path, key))
            index += 1


def toml_lines(text: str) -> Lines:
    """Lines of a TOML text that tomllib accepts."""
    return _Toml(text).walk()


def json_lines(text: str, twice: list[tuple[int, str]] | None = None) -> Lines:
    """Lines of a JSON text that json accepts; `twice` gets the duplicate keys of tables."""
    return _Json(text, [] if twice is None else twice).walk()


_YAML_DEPTH = 100
_YAML_VALUES = 1_000_000


def yaml_lines(root: Any) -> Lines:
    """Lines of a composed YAML document.

    Raises:
        RecursionError: An alias names a value around itself, or aliases make it enormous.
    """
    lines: Lines = {}
    pending: list[tuple[Path, Any]] = [((), root)]
    while pending:
        path, node = pending.pop()
        if len(path) > _YAML_DEPTH or len(lines) > _YAML_VALUES:
            raise RecursionError
        lines.setdefault(path, node.start_mark.line + 1)
        if node.id == "mapping":
            for key, value in _entries(node):
                below = (*path, str(key.value))
                lines.setdefault(below, key.start_mark.line + 1)
                pending.append((below, value))
        elif node.id == "sequence":
            pending += [((*path, index), item) for index, item in enumerate(node.value)]
    return lines


_MERGE = "tag:yaml.org,2002:merge"


def _entries(mapping: Any) -> Iterator[tuple[Any, Any]]:
    """The keys and values of a mapping after merging: its own first, then the merged ones."""
    keys: set[str] = set()
    met = {id(mapping)}
    pending = [mapping]
    while pending:
        node = pending.pop()
        merged: list[Any] = []
        for key, value in node.value:
            if key.tag == _MERGE:
                merged += value.value if value.id == "sequence" else [value]
            elif node is mapping or str(key.value) not in keys:
                keys.add(str(key.value))
                yield key, value
        for one in reversed(merged):
            if one.id == "mapping" and id(one) not in met:
                met.add(id(one))
                pending.append(one)


_STEP = re.compile(r'\[(\d+)\]|("(?:[^"\\]|\\.)*")|([^.\[\]"]+)')


def path_of(field: str) -> Path:
    """A field as faults name it, "dependencies[2].condition", as a path."""
    return tuple(
        int(index) if index else name or json.loads(quoted)
        for index, quoted, name in _STEP.findall(field)
    )


def line_of(lines: Lines, path: Path) -> int:
    """The line of `path`, or of the nearest thing around it that has one."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)
