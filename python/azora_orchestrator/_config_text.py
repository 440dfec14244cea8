"""Reads the three languages of configuration files: turns text into data and its lines."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable
from typing import Any, NamedTuple

from azora_orchestrator._config_lines import Lines, json_lines, toml_lines, yaml_lines

__all__ = ["Text", "Unreadable", "read_text"]

_HUGE = re.compile(r"\d[\d_]{4000,}")


class Unreadable(Exception):
    """The text is not valid in its language."""

    def __init__(self, rule: str, line: int) -> None:
        super().__init__(rule)
        self.line = line


class Text(NamedTuple):
    """The content of a text.

    Attributes:
        data: Its values.
        lines: Where they stand.
        twice: Line and name of each key that its table has already had.
    """

    data: Any
    lines: Lines
    twice: list[tuple[int, str]]


def _read_json(text: str) -> Text:
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        rule = f"is not valid JSON: {error.msg} (column {error.colno})"
        raise Unreadable(rule, error.lineno) from None
    twice: list[tuple[int, str]] = []
    return Text(data, json_lines(text, twice), twice)


def _read_toml(text: str) -> Text:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        match = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        line = int(match[1]) if match else text.count("\n") + 1
        raise Unreadable(f"is not valid TOML: {error}", line) from None
    return Text(data, toml_lines(text), [])


def _read_yaml(text: str) -> Text:
    import yaml

    class Strict(yaml.SafeLoader):
        """YAML with the scalars of JSON only: no dates, no `yes` and `no`, no base 60."""

        def construct_object(self, node: Any, deep: bool = False) -> Any:
            try:
                return super().construct_object(node, deep)
            except (LookupError, ValueError):
                tag, shown = node.tag.rpartition(":")[2], json.dumps(str(node.value))[:60]
                told = f"the tag {tag} does not fit {shown}"
                mark = node.start_mark
                raise yaml.constructor.ConstructorError(None, None, told, mark) from None

    keep = {
        "tag:yaml.org,2002:null": re.compile(r"~|null|Null|NULL|"),
        "tag:yaml.org,2002:bool": re.compile(r"true|True|TRUE|false|False|FALSE"),
        "tag:yaml.org,2002:int": re.compile(r"[-+]?(?:0|[1-9][0-9]*)"),
        "tag:yaml.org,2002:float": re.compile(
            r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?"
        ),
        "tag:yaml.org,2002:merge": re.compile(r"<<"),
    }
    Strict.yaml_implicit_resolvers = {}
    for tag, pattern in keep.items():
        whole = re.compile(f"(?:{pattern.pattern})$")
        Strict.add_implicit_resolver(tag, whole, None)

    try:
        reader = Strict(text)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise Unreadable(f"is not valid YAML: {error.reason}", line) from None
    try:
        root = reader.get_single_node()
        if root is None:
            return Text({}, {}, [])
        lines, twice = yaml_lines(root), _yaml_keys(root)
        return Text(reader.construct_document(root), lines, twice)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise Unreadable(f"is not valid YAML: {error.problem}", line) from None
    finally:
        reader.dispose()


def _yaml_keys(root: Any) -> list[tuple[int, str]]:
    """The duplicate keys of tables. Raises Unreadable if a key is not a string."""
    twice: list[tuple[int, str]] = []
    pending, met = [root], set()
    while pending:
        node = pending.pop()
        if id(node) in met:
            continue
        met.add(id(node))
        if node.id == "mapping":
            keys: set[str] = set()
            for key, value in node.value:
                line, name = key.start_mark.line + 1, key.value
                if key.id != "scalar":
                    rule = "has a key that is a list or a table; it must be a string"
                    raise Unreadable(rule, line)
                if name in keys and name != "<<":
                    twice.append((line, name))
                keys.add(name)
                pending.append(value)
        elif node.id == "sequence":
            pending += node.value
    return twice


_READERS: dict[str, Callable[[str], Text]] = {
    ".toml": _read_toml,
    ".json": _read_json,
    ".yaml": _read_yaml,
    ".yml": _read_yaml,
}


def read_text(text: str, suffix: str) -> Text:
    """Reads a text by the ending of the file's name; an unknown ending means TOML.

    Raises:
        Unreadable: The text is not valid in that language.
    """
    try:
        return _READERS.get(suffix.lower(), _read_toml)(text)
    except RecursionError:
        raise Unreadable("is nested too deeply", 1) from None
    except ValueError:  # Python reads no integer of so many digits
        huge = _HUGE.search(text)
        line = text.count("\n", 0, huge.start()) + 1 if huge else 1
        rule = "holds a number of more than 4000 digits, which is too large"
        raise Unreadable(rule, line) from None
