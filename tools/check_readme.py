#!/usr/bin/env python3
"""What README.md says to type exists, and what docs/operations.md lists is all there is.

Needs the installed package: the command line and the server are asked what they know. Whether the
Python examples do what they promise is for tests/py/test_repository_readme.py, which runs them.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import re
import shlex
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import typer

from repo import run

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ROUTE_ROW = re.compile(r"^\| (GET|POST|DELETE|PUT|PATCH) \| `([^`]+)` \|", re.MULTILINE)
_FIELD_ROW = re.compile(r"^\| `([^`]+)`", re.MULTILINE)
_VARIABLE_ROW = re.compile(r"^\| `([A-Z*_]+)` \|", re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
_METRIC_ROW = re.compile(r'"(\w+)",\s*"?[\w:]*?[kK]?(?:counter|gauge)\b', re.IGNORECASE)
_TARGET = re.compile(r"^([a-z][\w-]*):", re.MULTILINE)


def check(root: Path) -> list[str]:
    """README.md, the tables of docs/operations.md, and the links of every document."""
    readme = root / "README.md"
    text = readme.read_text()
    return [
        *_commands(root, text),
        *_configurations(text),
        *_routes(text),
        *_variables(root, text),
        *_operations(root),
        *_links(root),
    ]


def blocks(text: str, language: str) -> Iterator[tuple[int, str]]:
    """The fenced blocks of a language, with the line each begins in."""
    for match in _BLOCK.finditer(text):
        if match.group(1) == language:
            yield text.count("\n", 0, match.start(2)) + 1, match.group(2)


def _commands(root: Path, text: str) -> Iterator[str]:
    targets = set(_TARGET.findall((root / "Makefile").read_text()))
    for start, block in blocks(text, "sh"):
        for number, line in enumerate(block.splitlines(), start):
            if fault := _command_fault(line, targets):
                yield f"README.md:{number}: {fault}"


def _command_fault(line: str, targets: set[str]) -> str | None:
    try:
        program, *arguments = shlex.split(line, comments=True) or ["#"]
    except ValueError as error:
        return f"{line}: {error}"
    match program:
        case "azora":
            return _azora_fault(arguments)
        case "make":
            missing = [one for one in arguments if "=" not in one and one not in targets]
            return f"make {missing[0]}: the Makefile has no such target" if missing else None
        case "curl":
            return _curl_fault(arguments)
        case "pip":
            return None
    return f"{program}: a program that this check does not know"


def _azora_fault(arguments: list[str]) -> str | None:
    """Parses as the program would, and runs nothing."""
    from azora_orchestrator.cli import app

    group: Any = typer.main.get_command(app)
    try:
        with group.make_context("azora", list(arguments), resilient_parsing=True) as context:
            name, verb, rest = group.resolve_command(context, list(arguments))
            if verb is None:
                return f"azora {shlex.join(arguments)}: there is no verb {arguments[0]}"
            verb.make_context(name, rest, parent=context)
    except Exception as error:  # of typer's own copy of click, which has no public name
        message = getattr(error, "format_message", None)
        return f"azora {shlex.join(arguments)}: {message() if message else error}"
    return None


def _curl_fault(arguments: list[str]) -> str | None:
    method = "GET"
    for option, value in itertools.pairwise(arguments):
        if option == "-X":
            method = value
    urls = [one for one in arguments if one.startswith("http://127.0.0.1:5000")]
    path = urlsplit(urls[0]).path if urls else ""
    if any(method == known and _fits(pattern, path) for known, pattern in known_routes()):
        return None
    return f"curl {method} {path}: the server has no such route"


def _fits(pattern: str, path: str) -> bool:
    return re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", pattern), path) is not None


@functools.cache
def known_routes() -> set[tuple[str, str]]:
    """Every method and path of the server."""
    from azora_orchestrator import MasterOrchestrator
    from azora_orchestrator.server import create_app

    with contextlib.closing(MasterOrchestrator()) as orch:
        app: Any = create_app(orch, auth=None)
    return {
        (method, route.path)
        for route in app.routes
        if route.include_in_schema  # not the files of the page
        for method in getattr(route, "methods", None) or ()
        if method != "HEAD"
    }


def _routes(text: str) -> Iterator[str]:
    said = set(_ROUTE_ROW.findall(text))
    known = known_routes()
    for method, path in sorted(said - known):
        yield f"README.md: the table of routes has {method} {path}, the server has not"
    for method, path in sorted(known - said):
        yield f"README.md: the table of routes lacks {method} {path}"


def _configurations(text: str) -> Iterator[str]:
    from azora_orchestrator.config import load

    for start, block in blocks(text, "toml"):
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write(block)
            file.flush()
            for fault in load(file.name).faults:
                yield f"README.md:{start + fault.line - 1}: {fault.field}: {fault.message}"


def _variables(root: Path, text: str) -> Iterator[str]:
    sources = [*(root / "python").rglob("*.py"), *(root / "cpp").rglob("*.?pp")]
    code = "\n".join(file.read_text() for file in sources)
    for name in _VARIABLE_ROW.findall(text):
        if name.strip("*") not in code:
            yield f"README.md: nothing reads the variable {name}"


def _operations(root: Path) -> Iterator[str]:
    """Its tables of fields and events are the core's; its metrics are."""
    from azora_orchestrator import _core
    from azora_orchestrator.config_rules import ORCHESTRATOR
    from azora_orchestrator.server.refusals import METRIC as REFUSED
    from azora_orchestrator.server.streaming import METRIC as STREAMS

    text = (root / "docs/operations.md").read_text()
    fields = set(_FIELD_ROW.findall(_section(text, "Fields of a service")))
    yield from _differ("field", fields, set(_fields(json.loads(_core.service_schema()), "")))
    settings = set(_FIELD_ROW.findall(_section(text, "Settings of the server")))
    yield from _differ("setting", settings, set(ORCHESTRATOR))
    rows = [line.split("|")[1] for line in _section(text, "Events").splitlines() if "|" in line]
    events = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    yield from _differ("event", events, set(_core.event_types()))
    code = "\n".join(file.read_text() for file in (root / "cpp/azora").rglob("*.cpp"))
    made = {f"azora_{name}" for name in _METRIC_ROW.findall(code)} | {REFUSED, STREAMS}
    yield from _differ("metric", set(re.findall(r"`(azora_\w+)`", text)), made)


def _section(text: str, title: str) -> str:
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def _differ(what: str, said: set[str], known: set[str]) -> Iterator[str]:
    for name in sorted(said - known):
        yield f"docs/operations.md: there is no {what} {name}"
    for name in sorted(known - said):
        yield f"docs/operations.md: lacks the {what} {name}"


def _fields(schema: dict[str, Any], prefix: str) -> Iterator[str]:
    """Names as config files nest them; `[]` marks what stands in a list."""
    for name, field in schema.get("properties", {}).items():
        yield prefix + name
        for inner in (field, *field.get("anyOf", ())):
            yield from _fields(inner, f"{prefix}{name}.")
        for inner in field.get("items", {}).get("anyOf", ()):
            yield from _fields(inner, f"{prefix}{name}[].")


def _links(root: Path) -> Iterator[str]:
    for file in sorted([*root.glob("*.md"), *root.glob("docs/**/*.md"), *root.glob("cpp/**/*.md")]):
        for link in _LINK.findall(file.read_text()):
            if "://" not in link and not (file.parent / link).exists():
                yield f"{file.relative_to(root)}: the link {link} leads nowhere"


if __name__ == "__main__":
    run(check, __doc__ or "")
