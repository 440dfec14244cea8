"""config_lines.py against the parsers: the same paths, each at the line where it stands.

Every value that is looked up is a number that occurs once in the text, so its line is known.
"""

from __future__ import annotations

import itertools
import json
import tomllib
from collections.abc import Callable, Iterator
from typing import Any

import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from azora_orchestrator._config_lines import Path, json_lines, toml_lines, yaml_lines

Draw = Callable[[st.SearchStrategy[Any]], Any]

_FIRST = 1_000_001  # other numbers in the texts are shorter
_BLANKS = st.sampled_from(["", " ", "\t", "  "])
_LETTERS = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Nd"], exclude_characters="\x7f"), max_size=6
)


def paths_of(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """All that is inside `value`: path and value."""
    below: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        below = list(value.items())
    elif isinstance(value, list):
        below = list(enumerate(value))
    for step, one in below:
        yield (*path, step), one
        yield from paths_of(one, (*path, step))


def line_in(text: str, marker: object) -> int:
    """The line where the only `marker` of the text stands."""
    return text.count("\n", 0, text.index(str(marker))) + 1


class Toml:
    """Writes a TOML text in any of the spellings that the language has."""

    def __init__(self, draw: Draw) -> None:
        self._draw = draw
        self._numbers = itertools.count(_FIRST)
        self._tables = itertools.count()

    def text(self) -> str:
        parts = [self._pairs()]
        for _ in range(self._draw(st.integers(0, 4))):
            parts += [self._header(), self._break(), self._pairs()]
        return "".join(parts)

    def _header(self) -> str:
        kind = self._draw(st.integers(0, 3))
        if kind == 0:
            return f"[[{self._blank()}list{self._blank()}]]"
        if kind == 1:
            return f"[[{self._key()}.{self._key()}]]"
        if kind == 2:
            return f"[list.{self._key()}]"  # of the newest element, if there is one
        return f"[{self._blank()}{self._key()}{self._blank()}.{self._blank()}{self._key()}]"

    def _pairs(self) -> str:
        return "".join(
            f"{self._blank()}{self._pair()}{self._break()}"
            for _ in range(self._draw(st.integers(0, 4)))
        )

    def _pair(self, depth: int = 0) -> str:
        keys = [self._key() for _ in range(self._draw(st.integers(1, 3)))]
        dot = f"{self._blank()}.{self._blank()}"
        return f"{dot.join(keys)}{self._blank()}={self._blank()}{self._value(depth)}"

    def _key(self) -> str:
        unique = f"k{chr(97 + next(self._tables) % 26)}{'x' * (next(self._tables) // 26)}"
        noise = self._draw(_LETTERS)
        spelling = self._draw(st.integers(0, 3))
        if spelling == 0:
            return json.dumps(unique + noise)
        if spelling == 1 and "'" not in noise:
            return f"'{unique}{noise}'"
        return unique

    def _value(self, depth: int) -> str:
        kind = self._draw(st.integers(0, 5 if depth < 3 else 3))
        if kind <= 2:
            return str(next(self._numbers))
        if kind == 3:
            return self._draw(st.sampled_from(_ODD_TOML))
        if kind == 4:
            items = [self._value(depth + 1) for _ in range(self._draw(st.integers(0, 3)))]
            comma = self._draw(st.sampled_from(["", ","])) if items else ""
            return f"[{self._gap()}" + f",{self._gap()}".join(items) + f"{comma}{self._gap()}]"
        pairs = [self._pair(depth + 1) for _ in range(self._draw(st.integers(0, 2)))]
        return "{" + f"{self._blank()},{self._blank()}".join(pairs) + self._blank() + "}"

    def _gap(self) -> str:
        return self._draw(st.sampled_from(["", " ", "\n", "\r\n  ", ' # ] , } = "\n', "\n\n"]))

    def _break(self) -> str:
        return self._draw(
            st.sampled_from(["\n", "\r\n", " # [no] = '\n", "\n\n", '\n# """\n\t\n', "\t\r\n"])
        )

    def _blank(self) -> str:
        return self._draw(_BLANKS)


_ODD_TOML = [
    "true",
    "-1.5e3",
    "0x1F",
    "inf",
    "1979-05-27 07:32:00Z",
    "1979-05-27T07:32:00.5+01:00",
    "07:32:00",
    '""',
    "''",
    r'"\\ \" # ] } , = \u00e9"',
    "'\\'",
    '"""\n# no comment ] }\\\n   on """',
    '"""two ""quotes"" and at the end"""""',
    "'''\nit's = 'one' \\'''",
    "'''''''",
    '"""\\""" """',
]


@given(st.data())
def test_toml(data: st.DataObject) -> None:
    text = Toml(data.draw).text()
    try:
        value = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        assume(False)  # a name was used twice
    lines = toml_lines(text)
    expected = dict(paths_of(value))
    assert lines.keys() == expected.keys()
    for path, one in expected.items():
        if type(one) is int and one >= _FIRST:
            assert lines[path] == line_in(text, one), path


class Json:
    """Writes a JSON text with blanks and line breaks wherever they may be."""

    def __init__(self, draw: Draw) -> None:
        self._draw = draw
        self._numbers = itertools.count(_FIRST)
        self.lines: list[tuple[Path, int]] = []  # path, the number that marks its place

    def text(self) -> str:
        return self._gap() + self._value((), 0) + self._gap()

    def _value(self, path: Path, depth: int) -> str:
        kind = self._draw(st.integers(0, 4 if depth < 4 else 2))
        if kind <= 1:
            number = next(self._numbers)
            if not path or isinstance(path[-1], int):
                self.lines.append((path, number))
            return str(number)
        if kind == 2:
            return self._draw(
                st.sampled_from(['"]} , : \\" \\\\"', "null", "-0.5e2", "true", '""'])
            )
        count = range(self._draw(st.integers(0, 3)))
        if kind == 3:
            items = [self._value((*path, index), depth + 1) + self._gap() for index in count]
            return f"[{self._gap()}" + f",{self._gap()}".join(items) + "]"
        return "{" + self._gap() + ",".join(self._pair(path, depth) for _ in count) + "}"

    def _pair(self, path: Path, depth: int) -> str:
        number = next(self._numbers)
        key = f"{self._draw(_LETTERS)}{number}"
        self.lines.append(((*path, key), number))
        spelled = json.dumps(key, ensure_ascii=self._draw(st.booleans()))
        value = self._value((*path, key), depth + 1)
        return f"{self._gap()}{spelled}{self._gap()}:{self._gap()}{value}{self._gap()}"

    def _gap(self) -> str:
        return self._draw(st.sampled_from(["", " ", "\n", "\r\n", "\t", "\n \n"]))


@given(st.data())
def test_json(data: st.DataObject) -> None:
    writer = Json(data.draw)
    text = writer.text()
    lines = json_lines(text, twice := [])
    assert twice == []
    assert lines.keys() == {(), *(path for path, _ in paths_of(json.loads(text)))}
    for path, number in writer.lines:
        assert lines[path] == line_in(text, number), path


@given(st.data())
def test_duplicate_keys_of_json_are_found(data: st.DataObject) -> None:
    keys = data.draw(st.lists(st.sampled_from("abc"), max_size=6))
    text = "{" + ",".join(f'\n"{key}": 1' for key in keys) + "}"
    json_lines(text, twice := [])
    assert twice == [(at + 2, key) for at, key in enumerate(keys) if key in keys[:at]]


@given(st.data())
def test_json_read_as_yaml_stands_at_the_same_lines(data: st.DataObject) -> None:
    """JSON is YAML, but for tabs and some characters, which YAML refuses."""
    text = Json(data.draw).text().replace("\t", " ")
    assume("\\ud" not in text)  # a pair of surrogates is one character in JSON alone
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        assume(False)
    assert yaml_lines(root) == json_lines(text)
