"""Shared by the readers: the services found, the notes, and the file that is written."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from azora_orchestrator._config_text import Unreadable, read_text

_ID = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_ID = 63
# Characters that make a command line more than one plain command.
_OF_A_SHELL = re.compile(r"[;&|<>\n]|\b(if|for|while)\b|^\s*(cd|exec|export)\b|^\s*\w+=")
_TYPE = "service"
NO_SUCH = "there is no such setting here"
UNSET = "the variable is not set here and was read as empty"
_TEMPLATES = ("argv", "cwd", "env", "envFile")  # where {port} and {index} are replaced
_MARK = re.compile(r"\{(?:port|index)\}")
FIRST_PORT = 5100  # for programs that listen on the port they are given


class NotImportable(Exception):
    """The file is not of its kind, or nothing in it can be run; `notes` say what was left out."""

    def __init__(self, message: str, notes: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.notes = list(notes)


@dataclass(slots=True)
class Imported:
    """The services of one file, and what of it could not be carried over, one line each."""

    services: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _ids: dict[str, str] = field(default_factory=dict)

    def note(self, name: str, what: str, why: str) -> None:
        """Remember that `what` of the program `name` is not in the result."""
        self.notes.append(f"{name}: {what}: {why}")

    def left_out(
        self,
        name: str,
        given: Mapping[str, Any],
        known: Sequence[str],
        told: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """A note for each key that is not among the known ones.

        Args:
            name: The program.
            given: What the file says of it.
            known: Keys that are carried over.
            told: Keys with their own note text; {} in it stands for their value.
        """
        for key, value in given.items():
            if key not in known:
                text = told.get(str(key), NO_SUCH)
                self.note(name, str(key), text.replace("{}", str(value)))

    def id_of(self, name: str) -> str:
        """The id of the program `name`: the same at every call, unique in the file."""
        if name in self._ids:
            return self._ids[name]
        made = _ID.sub("-", name).strip("-._")[:_LONGEST_ID] or "service"
        taken = set(self._ids.values())
        wanted, number = made, 2
        while made in taken:
            ending = f"-{number}"
            made, number = wanted[: _LONGEST_ID - len(ending)] + ending, number + 1
        if made != name:
            self.note(name, "name", f'its id here is "{made}"')
        self._ids[name] = made
        return made

    def add(
        self,
        name: str,
        argv: Sequence[str],
        process: Mapping[str, Any],
        *,
        template: bool = False,
    ) -> dict[str, Any]:
        """A service without an endpoint: it is healthy while its process lives.

        Args:
            name: Its name in the file.
            argv: The command that it runs.
            process: Further fields of `process`; empty ones are left out.
            template: {port} and {index} in it are our placeholders; else they are literal.
        """
        run = {"argv": list(argv), **{k: v for k, v in process.items() if v}}
        if not template:
            run |= {key: literal(run[key]) for key in _TEMPLATES if key in run}
        service = {
            "id": self.id_of(name),
            "type": _TYPE,
            "healthCheck": {"type": "process"},
            "process": run,
        }
        self.services.append(service)
        return service


def literal(value: Any) -> Any:
    """Escapes strings, or lists or tables of them, so that {port} and {index} stay literal."""
    if isinstance(value, list):
        return [literal(item) for item in value]
    if isinstance(value, dict):
        return {key: literal(item) for key, item in value.items()}
    return _MARK.sub(r"{\g<0>}", value) if isinstance(value, str) else value


def listen_on(service: dict[str, Any], url: str) -> None:
    """Check the service at this URL instead of by its process alone."""
    service["endpoint"] = url
    check = {k: v for k, v in service.get("healthCheck", {}).items() if k != "type"}
    service.pop("healthCheck", None)
    if check:
        service["healthCheck"] = check


def shell(command: str) -> list[str]:
    """The argv for a command line that a shell reads; with exec if it is one plain command."""
    return ["sh", "-c", command if _OF_A_SHELL.search(command) else f"exec {command}"]


def words(command: str) -> list[str]:
    """A command line split as a shell would, without any other meaning of a shell.

    Raises:
        NotImportable: A quotation is not closed.
    """
    try:
        return shlex.split(command)
    except ValueError as error:
        raise NotImportable(f"has a command with {error}: {command[:60]!r}") from None


def mapping(value: Any, what: str) -> dict[str, Any]:
    """`value` as a table; nothing is an empty one.

    Raises:
        NotImportable: It is something else.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise NotImportable(f"{what} must be a table")
    return {str(key): item for key, item in value.items()}


def read_yaml(text: str) -> dict[str, Any]:
    """A YAML document that is a table.

    Raises:
        NotImportable: It is not.
    """
    try:
        return mapping(read_text(text, ".yaml").data, "the document")
    except Unreadable as error:
        raise NotImportable(f"line {error.line}: {error}") from None


def environment(value: Any) -> dict[str, str]:
    """NAME=value lines or a table as a table of strings; names without a value are left out."""
    if isinstance(value, list):
        pairs = (str(item).partition("=") for item in value)
        return {name: text for name, sign, text in pairs if sign}
    table = value if isinstance(value, dict) else {}
    return {str(k): _text(v) for k, v in table.items() if v is not None}


def inherited(value: Any) -> list[str]:
    """The names without a value: variables that come from the environment."""
    if isinstance(value, list):
        return [str(item) for item in value if "=" not in str(item)]
    return [str(k) for k, v in value.items() if v is None] if isinstance(value, dict) else []


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


_SPAN = re.compile(r"(\d+(?:\.\d+)?)(ms|us|ns|h|m|s)")
_SPAN_MS = {"h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1, "us": 0.001, "ns": 0.000001}


def milliseconds(value: Any) -> int | None:
    """A duration as Go spells it ("1m30s"), or a number of seconds; None: neither."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return round(value * 1000)
    parts = _SPAN.findall(str(value))
    if not parts or "".join(n + u for n, u in parts) != str(value).replace(" ", ""):
        return None
    return round(sum(float(number) * _SPAN_MS[unit] for number, unit in parts))


def size(value: Any) -> str | None:
    """A size such as 512m, 1G or 100MB in our spelling ("512MiB"); None: not a size."""
    found = re.fullmatch(r"(\d+)\s*([kmg]?)i?b?", str(value).strip().lower())
    if not found:
        return None
    return found[1] + {"": "", "k": "KiB", "m": "MiB", "g": "GiB"}[found[2]]


def write_toml(found: Imported, source: str) -> str:
    """The configuration file, with the notes at its top."""
    import tomli_w

    lines = [f"# Made from {source} by `azora import`. Check it with `azora check`."]
    if found.notes:
        lines.append("# Not carried over, or to be looked at:")
        lines += [f"#   {note}" for note in found.notes]
    clean = [re.sub(r"[\x00-\x08\x0a-\x1f\x7f]", " ", line) for line in lines]
    return "\n".join(clean) + "\n\n" + tomli_w.dumps({"services": found.services})
