"""Turns services, as users write them, into the JSON text that the core reads.

A value that JSON cannot express is refused here, with its field; the core checks the rest.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from azora_orchestrator import _core
from azora_orchestrator._json_values import MOST_DEPTH, expressible, expressible_part, rule_of
from azora_orchestrator._shown import shown
from azora_orchestrator.errors import InvalidArgument, InvalidSpec
from azora_orchestrator.service_config import ServiceConfig

__all__ = ["split", "texts_of", "unsayable"]


def split(
    service: ServiceConfig | Mapping[str, Any],
) -> tuple[dict[str, Any], Callable[..., object] | None]:
    """Split a service into its wire object without the restart callable, and the callable."""
    if isinstance(service, ServiceConfig):
        return service.to_dict(), service.restart_callable
    if not isinstance(service, Mapping):
        raise InvalidArgument(
            f"register: {shown(service)} is not a service; give a ServiceConfig or a mapping"
        )
    wire = dict(service)
    function = wire.get("restart")
    if callable(function):
        del wire["restart"]
        return wire, function
    return wire, None


def texts_of(wires: list[dict[str, Any]]) -> list[str]:
    """The texts for the core. Raises InvalidSpec with every value that JSON cannot express."""
    try:
        return [_text_of(wire) for wire in wires]
    except (TypeError, ValueError, RecursionError) as error:
        raise unsayable(wires, str(error)) from None


def text_of_file(data: dict[str, Any]) -> str:
    """The same for what has the shape of a configuration file."""
    try:
        return _text_of(data)
    except (TypeError, ValueError, RecursionError) as error:
        raise _refusal(list(_unsayable(data)) or [("services", str(error))]) from None


def _text_of(data: dict[str, Any]) -> str:
    return json.dumps(data, default=_plain, allow_nan=False)


def unsayable(wires: list[dict[str, Any]], otherwise: str) -> InvalidSpec:
    """The error for services that JSON cannot express: each such value, and what else is wrong."""
    faults = [
        (f"services[{index}].{field}" if len(wires) > 1 else field, rule)
        for index, wire in enumerate(wires)
        for field, rule in _faults(wire)
    ] or [("service", otherwise)]
    return _refusal(faults)


def _refusal(faults: list[tuple[str, str]]) -> InvalidSpec:
    return InvalidSpec("; ".join(map(": ".join, faults)), faults)


def _faults(wire: dict[str, Any]) -> list[tuple[str, str]]:
    faults = list(_unsayable(wire))
    named = {field for field, _ in faults}
    with contextlib.suppress(RecursionError):
        checked = _core.check(json.dumps(expressible_part(wire, _plain)), "python", "")
        faults += [fault for fault in checked if fault[0] and fault[0] not in named]
    return faults


def _plain(value: object) -> object:
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if isinstance(value, Mapping):
        return dict(value)
    if hasattr(value, "tolist"):  # numbers of numpy are written like Python's
        return value.tolist()
    raise TypeError(f"{shown(value)} cannot be written as JSON")


def _unsayable(wire: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    pending: list[tuple[str, object, int]] = [("", wire, 0)]
    while pending:
        field, value, depth = pending.pop()
        with contextlib.suppress(TypeError):
            value = _plain(value)
        if not isinstance(value, dict | list | tuple):
            if not expressible(value):
                yield field, f"is {shown(value)}; it must be {rule_of(field, value)}"
        elif depth >= MOST_DEPTH:
            yield field.partition(".")[0], f"is nested deeper than {MOST_DEPTH}; flatten it"
            return
        elif isinstance(value, dict):
            for key, below in reversed(value.items()):
                name = f"{field}.{key}" if field else f"{key}"
                if expressible(key):
                    pending.append((name, below, depth + 1))
                else:
                    yield ascii(name), "is not a valid name of a field; it must be a string"
        else:
            pending += [
                (f"{field}[{index}]", below, depth + 1)
                for index, below in reversed(list(enumerate(value)))
            ]
