"""Faults of services in the names that their owner wrote.

The core names fields as the wire does. Of a service that was given as a `ServiceConfig` or by
keywords the faults get Python's names; inside a plain dict the wire's names were written, and stay.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from typing import Any

from azora_orchestrator.errors import Fault, InvalidSpec
from azora_orchestrator.service_config import (
    Dependency,
    HealthCheck,
    LogConfig,
    ProcessConfig,
    ServiceConfig,
    wire_name,
)

__all__ = ["in_python_names", "words_in_python_names"]

_PLACE = re.compile(r"services\[(\d+)\](?:\.|$)")
_STEP = re.compile(r"(\w+)((?:\[\d+\])*)")
_QUOTED = re.compile(r'("(?:[^"\\]|\\.)*")')
_WORD = re.compile(r"\b[a-z]+(?:[A-Z]\w*|(?:\.\w+)+)[\w.]*\b")


def _names_of(made: type) -> dict[str, str]:
    return {wire_name(item.name): item.name for item in dataclasses.fields(made)}


_NAMES: dict[type, dict[str, str]] = {
    made: _names_of(made)
    for made in (ServiceConfig, HealthCheck, ProcessConfig, LogConfig, Dependency)
}
_NESTED = {"healthCheck": HealthCheck, "process": ProcessConfig, "log": LogConfig}
_ALL = {
    wire: name for names in _NAMES.values() for wire, name in names.items() if wire != wire.lower()
}


def in_python_names(error: InvalidSpec, services: Sequence[object]) -> InvalidSpec:
    """The same error, with the names of the fields as the services were written."""
    faults = [_translated(Fault(*fault), services) for fault in error.faults]
    if not faults or faults == list(error.faults):
        return error
    return InvalidSpec("; ".join(f"{fault.field}: {fault.message}" for fault in faults), faults)


def _translated(fault: Fault, services: Sequence[object]) -> Fault:
    place = _PLACE.match(fault.field) if len(services) > 1 else None
    head = "" if place is None else place[0]
    service = services[0 if place is None else int(place[1])]
    if not isinstance(service, ServiceConfig):
        return fault
    field, whole = _path(fault.field.removeprefix(head), service)
    return Fault(head + field, words_in_python_names(fault.message) if whole else fault.message)


def _path(path: str, service: ServiceConfig) -> tuple[str, bool]:
    """The path in Python's names, and whether none of it is inside a plain dict."""
    steps: list[str] = []
    value: Any = service
    for step in path.split("."):
        match = _STEP.fullmatch(step)
        names = _NAMES.get(type(value))
        if match is None or names is None or match[1] not in names:
            rest = path.split(".")[len(steps) :]
            return ".".join([*steps, *rest]), not isinstance(value, dict)
        name = names[match[1]]
        steps.append(name + match[2])
        value = getattr(value, name)
        for index in re.findall(r"\d+", match[2]):
            value = value[int(index)] if isinstance(value, Sequence) else None
    return ".".join(steps), True


def words_in_python_names(text: str) -> str:
    """The fields that a text speaks of; what is quoted in it is what the user wrote."""
    pieces = _QUOTED.split(text)
    pieces[::2] = [_WORD.sub(_word, piece) for piece in pieces[::2]]
    return "".join(pieces)


def _word(match: re.Match[str]) -> str:
    made: type = ServiceConfig
    steps = []
    for step in match[0].split("."):
        steps.append(_NAMES[made].get(step, _ALL.get(step, step)))
        made = _NESTED.get(step, made)
    return ".".join(steps)
