"""Checks the arguments of callers before they are used: what is wrong is `InvalidArgument`."""

from __future__ import annotations

import difflib
import math
import operator
import os
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from azora_orchestrator._shown import shown
from azora_orchestrator.errors import InvalidArgument
from azora_orchestrator.vocabulary import EVENT_TYPES

__all__ = [
    "choice_of",
    "deadline_of",
    "flag_of",
    "history_options",
    "integer_of",
    "limit_of",
    "milliseconds_of",
    "moment_of",
    "optional_string_of",
    "path_of",
    "pool_options",
    "string_of",
    "strings_of",
    "types_of",
]

_LONGEST_MS = 10**11  # years: no timeout at all
_MOST = 100_000  # of starts
_MOST_TTL_MS = 2**31 - 1
LEAST_AGE_MS, MOST_AGE_MS = 60_000, 100 * 366 * 86_400_000
LEAST_HISTORY, MOST_HISTORY = 2**20, 2**40  # bytes


def string_of(name: str, value: object) -> str:
    """A string that has a form in UTF-8."""
    if not isinstance(value, str):
        raise InvalidArgument(f"{name} is {shown(value)}; it must be a string")
    if not value.isascii() and value != value.encode("utf-8", "ignore").decode():
        raise InvalidArgument(f"{name} is {value!a:.60}; it must not have lone surrogates")
    return value


def optional_string_of(name: str, value: object) -> str | None:
    """The same, or None."""
    return None if value is None else string_of(name, value)


def strings_of(name: str, value: object) -> list[str]:
    """The strings of one string or of several."""
    if isinstance(value, str):
        return [string_of(name, value)]
    if not isinstance(value, Iterable):
        raise InvalidArgument(f"{name} is {shown(value)}; it must be a string or several")
    return [string_of(name, one) for one in value]


def flag_of(name: str, value: object) -> bool:
    """True or False."""
    if not isinstance(value, bool):
        raise InvalidArgument(f"{name} is {shown(value)}; it must be True or False")
    return value


def integer_of(name: str, value: object, low: int, high: int) -> int:
    """An integer from `low` to `high`, also one of numpy."""
    number = None if isinstance(value, bool) else _index(value)
    if number is None or not low <= number <= high:
        raise InvalidArgument(
            f"{name} is {shown(value)}; it must be an integer from {low} to {high}"
        )
    return number


def _index(value: Any) -> int | None:
    try:
        return operator.index(value)
    except TypeError:
        return None


def choice_of(name: str, value: object, choices: Sequence[str]) -> str:
    """One of the choices."""
    if value not in choices:
        allowed = " or ".join(f'"{choice}"' for choice in choices)
        raise InvalidArgument(f"{name} is {shown(value)}; it must be {allowed}")
    return str(value)


def path_of(name: str, value: object) -> str:
    """A path, as the system takes it."""
    try:
        path = os.fsdecode(value)  # type: ignore[arg-type]
    except TypeError:
        raise InvalidArgument(f"{name} is {shown(value)}; it must be a path") from None
    if "\0" in path:
        raise InvalidArgument(f"{name} is {path!r:.60}; it must not have a NUL character")
    return path


def types_of(type: object) -> list[str] | None:
    """Names of events; None: all. Raises InvalidArgument if one is not the name of an event."""
    if type is None:
        return None
    names = [type] if isinstance(type, str) or not isinstance(type, Iterable) else list(type)
    names = [getattr(name, "_type", name) for name in names]  # of the classes of events
    for name in names:
        if name not in EVENT_TYPES and name != "*":
            raise InvalidArgument(f"type: {shown(name)} is not an event; {_near(name)}")
    return None if "*" in names else [str(name) for name in names]


def _near(name: object) -> str:
    near = difflib.get_close_matches(name, EVENT_TYPES, n=1) if isinstance(name, str) else []
    return f'did you mean "{near[0]}"?' if near else 'use one such as "serviceFailed"'


def milliseconds_of(name: str, value: object) -> int:
    """A time to wait, at least 0. Raises InvalidArgument if it is not a number."""
    if isinstance(value, timedelta):
        ms = round(value.total_seconds() * 1000)
        raise InvalidArgument(f"{name} is {value!r}; it must be milliseconds: {ms}")
    whole = None if isinstance(value, bool) else _index(value)
    number = value if isinstance(value, float) else whole
    if number is None or number != number:
        raise InvalidArgument(f"{name} is {shown(value)}; it must be milliseconds")
    return math.ceil(min(max(number, 0), _LONGEST_MS))


def moment_of(name: str, value: object) -> int | None:
    """A moment in ms since 1970, of a time with its zone or of its ISO text; None: none is given.

    Raises InvalidArgument if it is neither.
    """
    if value is None:
        return None
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        at = None
    if not isinstance(at, datetime) or at.tzinfo is None:
        raise InvalidArgument(
            f"{name} is {shown(value)}; it must be a time with its zone, such as "
            '"2030-01-31T12:00:00Z"'
        )
    return round((at - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1))


def deadline_of(timeout_ms: object) -> float:
    """When the timeout ends. Raises InvalidArgument if it is not a number of milliseconds."""
    return time.monotonic() + milliseconds_of("timeout_ms", timeout_ms) / 1000


def limit_of(name: str, value: int | None) -> int | None:
    """A cap of starts. Raises InvalidArgument if it is not a valid one."""
    if value is None or (type(value) is int and 0 <= value <= _MOST):
        return value
    raise InvalidArgument(
        f"{name} is {shown(value)}; it must be an integer from 0 (no cap) to {_MOST}"
    )


def history_options(max_age_ms: object, max_bytes: object) -> dict[str, int | None]:
    """How much of the history is kept. Raises InvalidArgument if a value is wrong."""
    given = {
        "history_max_age_ms": (max_age_ms, LEAST_AGE_MS, MOST_AGE_MS),
        "history_max_bytes": (max_bytes, LEAST_HISTORY, MOST_HISTORY),
    }
    return {
        name: None if value is None else integer_of(name, value, low, high)
        for name, (value, low, high) in given.items()
    }


def pool_options(
    *,
    strategy: object,
    allow_degraded: object,
    panic_threshold: object,
    lease_ttl_ms: object,
) -> dict[str, object]:
    """The options of a pool that are given. Raises InvalidArgument if a value is wrong."""
    options: dict[str, object] = {}
    if strategy is not None:
        options["strategy"] = string_of("strategy", strategy)
    if allow_degraded is not None:
        options["allow_degraded"] = flag_of("allow_degraded", allow_degraded)
    if panic_threshold is not None:
        options["panic_threshold"] = _share_of("panic_threshold", panic_threshold)
    if lease_ttl_ms is not None:
        options["lease_ttl_ms"] = integer_of("lease_ttl_ms", lease_ttl_ms, 1, _MOST_TTL_MS)
    return options


def _share_of(name: str, value: object) -> float:
    number = value if isinstance(value, float) else _index(value)
    if isinstance(value, bool) or number is None or not 0 <= number <= 1:
        raise InvalidArgument(f"{name} is {shown(value)}; it must be a number from 0 to 1")
    return float(number)
