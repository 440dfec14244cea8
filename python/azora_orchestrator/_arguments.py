"""Checks the arguments of callers before they are used."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from azora_orchestrator.errors import InvalidArgument

__all__ = ["deadline_of", "limit_of", "pool_options", "types_of"]

_LONGEST_MS = 10**11  # years: no timeout at all
_MOST = 100_000  # of starts
_KINDS: dict[object, str] = {
    str: "a text",
    bool: "True or False",
    int: "an integer",
    int | float: "a number",
}
_POOL_OPTIONS: dict[str, Any] = {
    "strategy": str,
    "allow_degraded": bool,
    "panic_threshold": int | float,
    "lease_ttl_ms": int,
}


def types_of(type: str | Sequence[str] | None) -> list[str] | None:
    """Names of events; None: all. Raises InvalidArgument if one is not a string."""
    if type is None:
        return None
    names = [type] if isinstance(type, str) else list(type)
    for name in names:
        if not isinstance(name, str):
            raise InvalidArgument(f'type: {name!r} is no event; use one such as "serviceFailed"')
    return None if "*" in names else names


def deadline_of(timeout_ms: float) -> float:
    """When the timeout ends. Raises InvalidArgument if it is not a number of milliseconds."""
    if isinstance(timeout_ms, bool) or not isinstance(timeout_ms, int | float):
        raise InvalidArgument(f"timeout_ms is {timeout_ms!r}; it must be milliseconds")
    if timeout_ms != timeout_ms:
        raise InvalidArgument("timeout_ms is nan; it must be milliseconds")
    return time.monotonic() + min(timeout_ms, _LONGEST_MS) / 1000


def limit_of(name: str, value: int | None) -> int | None:
    """A cap of starts. Raises InvalidArgument if it is not a valid one."""
    if value is None or (type(value) is int and 0 <= value <= _MOST):
        return value
    raise InvalidArgument(f"{name} is {value!r}; it must be an integer from 0 (no cap) to {_MOST}")


def pool_options(**options: object) -> dict[str, object]:
    """The options of a pool. Raises InvalidArgument if a value is of the wrong kind."""
    for name, value in options.items():
        kind = _POOL_OPTIONS[name]
        right = isinstance(value, kind) and isinstance(value, bool) is (kind is bool)
        if value is not None and not right:
            raise InvalidArgument(f"{name}: is {value!r}; it must be {_KINDS[kind]}")
    return options
