"""The rules for [orchestrator] and [pools] of a configuration file: what each key may hold."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from azora_orchestrator import _core
from azora_orchestrator._arguments import (
    LEAST_AGE_MS,
    LEAST_HISTORY,
    MOST_AGE_MS,
    MOST_HISTORY,
)
from azora_orchestrator._hosts import Hosts
from azora_orchestrator._json_values import expressible
from azora_orchestrator._moments import age_ms
from azora_orchestrator.errors import InvalidArgument

__all__ = [
    "ORCHESTRATOR",
    "POOL",
    "Rules",
    "Wrong",
    "duration",
    "milliseconds",
    "shown_value",
]

_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?(ms|s|m|min|h)")  # as model/units.cpp reads it
_UNITS = {"ms": 1, "s": 1000, "m": 60_000, "min": 60_000, "h": 3_600_000}
_SIZE = re.compile(r"([0-9]{1,15}) ?(KiB|MiB|GiB)")
_SIZES = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_MAX_MS = 2**31 - 1
_EXACT = 1e-6  # of a millisecond: rounding error of binary fractions, as in "1.001s"


class Wrong(Exception):
    """The rule a value breaks."""


def shown_value(value: Any) -> str:
    """A value as faults show it."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        text = str(value)
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= 60 else text[:57] + "..."


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value or not expressible(value):
        raise Wrong(f"is {shown_value(value)}; it must be a string")
    return value


def _integer(low: int, high: int) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise Wrong(f"is {shown_value(value)}; it must be an integer from {low} to {high}")
        return value

    return check


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Wrong(f"is {shown_value(value)}; it must be true or false")
    return value


def _share(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise Wrong(f"is {shown_value(value)}; it must be a number from 0 to 1")
    return float(value)


def milliseconds(text: str) -> int | None:
    """A duration as files and options spell it ("500ms", "1.5s", "2m"); None: not a duration."""
    match = _DURATION.fullmatch(text)
    ms = float(match[1]) * _UNITS[match[2]] if match else -1.0
    return round(ms) if 0 <= ms <= _MAX_MS and abs(ms - round(ms)) <= _EXACT else None


def duration(value: Any) -> int:
    """The rule of durations, in ms."""
    ms: int | None = None
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MAX_MS:
        ms = value
    elif isinstance(value, str):
        ms = milliseconds(value)
    if ms is None:
        raise Wrong(f'is {shown_value(value)}; it must be milliseconds or a string such as "30s"')
    return ms


def _age(value: Any) -> int:
    ms = age_ms(value) if isinstance(value, str) else value
    if isinstance(ms, bool) or not isinstance(ms, int) or not LEAST_AGE_MS <= ms <= MOST_AGE_MS:
        raise Wrong(
            f'is {shown_value(value)}; it must be milliseconds or a string such as "30d", from '
            '"1m" to "36600d"'
        )
    return ms


def _bytes(value: Any) -> int:
    count: Any = value
    if isinstance(value, str) and (match := _SIZE.fullmatch(value)):
        count = int(match[1]) * _SIZES[match[2]]
    if (
        isinstance(count, bool)
        or not isinstance(count, int)
        or not LEAST_HISTORY <= count <= MOST_HISTORY
    ):
        raise Wrong(
            f'is {shown_value(value)}; it must be bytes or a string such as "64MiB", from "1MiB" '
            'to "1024GiB"'
        )
    return count


def _lease_ttl(value: Any) -> int:
    if (ms := duration(value)) < 1:
        raise Wrong(f"is {shown_value(value)}; it must be at least 1 ms")
    return ms


def _choice(*allowed: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if value not in allowed:
            raise Wrong(f"is {shown_value(value)}; it must be one of {', '.join(allowed)}")
        return str(value)

    return check


def _texts(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise Wrong(f"is {shown_value(value)}; it must be a list of strings")
    return list(value)


def _hosts(value: Any) -> list[str]:
    names = _texts(value)
    try:
        Hosts(names)
    except InvalidArgument as error:
        raise Wrong(str(error).removeprefix("allowed_hosts: ")) from None
    return names


Rules = dict[str, tuple[str, Callable[[Any], Any]]]

# Key in the file -> option and rule.
ORCHESTRATOR: Rules = {
    "host": ("host", _text),
    "port": ("port", _integer(0, 65_535)),
    "auth": ("auth", _choice("owner", "token")),
    "allowedHosts": ("allowed_hosts", _hosts),
    "insecurePlaintext": ("insecure_plaintext", _boolean),
    "maxConnections": ("max_connections", _integer(1, 1_000_000)),
    "maxConnectionsPerPeer": ("max_connections_per_peer", _integer(1, 1_000_000)),
    "stopTimeout": ("stop_timeout_ms", duration),
    "maxConcurrentStarts": ("max_concurrent_starts", _integer(0, 100_000)),
    "startsPerSecond": ("starts_per_second", _integer(0, 100_000)),
    "historyMaxAge": ("history_max_age_ms", _age),
    "historyMaxBytes": ("history_max_bytes", _bytes),
}
POOL: Rules = {
    "strategy": ("strategy", _choice(*_core.strategies())),
    "allowDegraded": ("allow_degraded", _boolean),
    "panicThreshold": ("panic_threshold", _share),
    "leaseTtl": ("lease_ttl_ms", _lease_ttl),
}
