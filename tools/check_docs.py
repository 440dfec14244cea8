#!/usr/bin/env python3
"""What Python says of fields and events is what the core's tables say.

The `Args` of the classes of service_config.py, the docstrings of Event's properties and all of
event_classes.py come from these tables. Prints what differs; with `--write` it is written.
Needs the installed package.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from azora_orchestrator import _core
from azora_orchestrator._fault_names import words_in_python_names
from azora_orchestrator.service_config import wire_name
from repo import run

PACKAGE = "python/azora_orchestrator"
CLASSES = {
    "": "ServiceConfig",
    "healthCheck": "HealthCheck",
    "process": "ProcessConfig",
    "process.log": "LogConfig",
    "dependencies[]": "Dependency",
}
WIDTH = 100
SPOKEN_RULES = {"word", "text", "integer", "number", "duration", "bytes", "other"}
TYPES = {"integer": "int", "string": "str", "boolean": "bool", "strings": "tuple[str, ...]"}
EXACT = {"status": "Status"}
MS = {"responseTime"}
WIDER = {"restart"}  # Python takes a callable, too


def check(root: Path, write: bool = False) -> list[str]:
    """The files whose text is not that of the tables."""
    faults = []
    for name, made in (
        ("service_config.py", _service_config),
        ("events.py", _events),
        ("event_classes.py", _event_classes),
    ):
        file = root / PACKAGE / name
        old = file.read_text() if file.exists() else ""
        new = _formatted(made(old))
        if new != old:
            faults.append(
                f"{PACKAGE}/{name}: is not what the core's tables say;"
                " run `.venv/bin/python tools/check_docs.py --write`"
            )
            if write:
                file.write_text(new)
    return [] if write else faults


def _formatted(text: str) -> str:
    """As ruff would have it, so that `make format` changes nothing."""
    ruff = Path(sys.executable).parent / "ruff"
    done = subprocess.run(
        [ruff, "format", "--quiet", f"--line-length={WIDTH}", "--stdin-filename=a.py", "-"],
        input=text,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


# Fields of services.


def _service_config(text: str) -> str:
    for section, name in CLASSES.items():
        rows = [row for row in _core.service_fields() if row["section"] == section]
        args = "\n".join(
            line for python in _fields(text, name) for line in _entry(python, _row(rows, python))
        )
        pattern = rf'(\nclass {name}\(.*?\):\n    """.*?)(?:\n\n    Args:\n.*?)?(?:\n    )?(""")'
        whole = rf"\1\n\n    Args:\n{_literal(args)}\n    \2"
        text, count = re.subn(pattern, whole, text, count=1, flags=re.DOTALL)
        assert count == 1, name
    return text


def _literal(text: str) -> str:
    return text.replace("\\", r"\\")


def _fields(text: str, name: str) -> list[str]:
    """The fields of a dataclass, in order."""
    return [
        item.target.id
        for node in ast.parse(text).body
        if isinstance(node, ast.ClassDef) and node.name == name
        for item in node.body
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
    ]


def _row(rows: list[dict[str, Any]], python: str) -> dict[str, Any]:
    return next(row for row in rows if row["name"] == wire_name(python))


def field_text(row: dict[str, Any]) -> str:
    """What is said of a field: meaning, rule with unit, default."""
    meaning, told, default = words_in_python_names(row["doc"]).partition("Default: ")
    said = [meaning.strip()]
    if row["kind"] in SPOKEN_RULES and row["rule"] and row["name"] not in WIDER:
        said.append(f"Must be {words_in_python_names(row['rule'])}.")
    if row["required"]:
        said.append("Required.")
    elif told:
        said.append(told + default)
    elif row["kind"] != "object":
        said.append(f"Default: {json.loads(row['default']) if row['default'] else None!r}.")
    return " ".join(said)


def _entry(name: str, row: dict[str, Any]) -> list[str]:
    return _wrapped(f"{name}: {field_text(row)}", "        ", "            ")


def _wrapped(text: str, first: str, rest: str) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


# Events.


def attribute(key: str) -> str:
    """`responseTime` -> `response_time_ms`."""
    name = re.sub("([A-Z])", lambda match: "_" + match[1].lower(), key)
    return name + "_ms" if key in MS else name


def property_text(key: tuple[str, str, bool, bool, str]) -> tuple[str, str]:
    """What is said of a property of Event: its meaning, and which events have it."""
    name, _, _, common, doc = key
    if common:
        return doc, ""
    having = [row[0] for row in _core.event_table() if name in (*row[2], *row[3])]
    return doc, f"Of {', '.join(having)}; otherwise {'empty' if name == 'blockedBy' else 'None'}."


def _events(text: str) -> str:
    for key in _core.event_keys():
        doc, having = property_text(key)
        said = f'        """{doc}"""'
        if having:
            lines = _wrapped(having, " " * 8, " " * 8)
            said = "\n".join([f'        """{doc}', "", *lines, '        """'])
        name = attribute(key[0])
        pattern = rf'(\n    def {name}\(self\) -> [^\n]*:\n)        """.*?"""'
        text, count = re.subn(pattern, rf"\1{_literal(said)}", text, count=1, flags=re.DOTALL)
        assert count == 1, name
    return text


HEAD = '''"""A class for each event, for `isinstance`, `match` and typed handlers.

Events need not be asked for by these classes: `event.type` and all properties of `Event` serve as
well. But where the class is known, its properties have no None that this event never has.
Written by tools/check_docs.py from the core's tables.

Example:
    >>> for event in orch.events():
    ...     match event:
    ...         case ServiceRestartedEvent(service_id=id, downtime_ms=away):
    ...             print(f"{id} is back after {away} ms")
"""

from __future__ import annotations

from abc import ABCMeta
from typing import Any, Literal

from azora_orchestrator.events import Event
from azora_orchestrator.vocabulary import Status

__all__ = [
{names}]


class _Kind(ABCMeta):
    """The type of the classes below: an event is an instance of that of its name."""

    _type: str

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Event) and instance.type == cls._type


class _Named(Event, metaclass=_Kind):
    """Never made: events are made by the orchestrator, and these classes only recognise them."""

    _type = ""

    json: bytes
    time_ms: int
'''


def class_name(event: str) -> str:
    """`serviceRestarted` -> `ServiceRestartedEvent`."""
    return event[0].upper() + event[1:] + "Event"


def _event_classes(_: str) -> str:
    rows = _core.event_table()
    names = sorted(class_name(row[0]) for row in rows)
    parts = [HEAD.replace("{names}", "".join(f'    "{name}",\n' for name in names))]
    return "\n\n".join([*parts, *("\n".join(_class(row)) + "\n" for row in rows)])


def _class(row: tuple[str, str, list[str], list[str], bool]) -> Iterator[str]:
    event, doc, always, more, of_service = row
    keys = {key[0]: key for key in _core.event_keys()}
    yield f"class {class_name(event)}(_Named):"
    if always or more:
        yield f'    """{doc}'
        yield "\n    Attributes:"
        for key in (*always, *more):
            said = f"{attribute(key)}: {keys[key][4]}"
            if key in more:
                said += " None: there is none."
            yield from _wrapped(said, "        ", "            ")
        yield '    """\n'
    else:
        yield f'    """{doc}"""\n'
    yield f'    _type = "{event}"\n'
    yield f'    type: Literal["{event}"]'
    if of_service:
        yield "    service_id: str"
    for key in (*always, *more):
        _, kind, nullable, _, _ = keys[key]
        exact = EXACT.get(key, TYPES[kind])
        yield f"    {attribute(key)}: {exact}{' | None' if nullable or key in more else ''}"


if __name__ == "__main__":
    if "--write" in sys.argv[1:]:
        check(Path(__file__).resolve().parent.parent, write=True)
    else:
        run(check, __doc__ or "")
