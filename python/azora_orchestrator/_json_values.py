"""Which values JSON and the core can take, and what is said of one that they cannot."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable
from datetime import timedelta

from azora_orchestrator import _core

__all__ = ["MOST_DEPTH", "expressible", "expressible_part", "rule_of"]

MOST_DEPTH = 32  # of nesting, as the core reads it


def expressible(value: object) -> bool:
    """Whether a value without parts can be written: a string, a number of 64 bits, a boolean."""
    if isinstance(value, str):
        return value == value.encode("utf-8", "ignore").decode()
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int | None) and -(2**63) <= (value or 0) < 2**64


def expressible_part(value: object, plain: Callable[[object], object]) -> object:
    """The same with null for each value that cannot be written, so that the rest can be checked.

    A name that cannot be written is left out. Raises RecursionError where it is nested deeply.

    Args:
        value: A service, or a part of it.
        plain: Turns an object into what JSON has, or raises TypeError.
    """
    if isinstance(value, dict):
        parts = {key: below for key, below in value.items() if expressible(key)}
        return {key: expressible_part(below, plain) for key, below in parts.items()}
    if isinstance(value, list | tuple):
        return [expressible_part(below, plain) for below in value]
    if isinstance(value, str | float | int | None):
        return value if expressible(value) else None
    try:
        return expressible_part(plain(value), plain)
    except TypeError:
        return None


def rule_of(field: str, value: object) -> str:
    """What the value of a field must be, for one that cannot be written."""
    if isinstance(value, timedelta):
        return f"milliseconds: {round(value.total_seconds() * 1000)}"
    if isinstance(value, float):
        return "a finite number"
    if isinstance(value, int):
        return _rules().get(re.sub(r"\[\d+\]", "[]", field)) or "a number of 64 bits"
    return "a string, number, boolean, list or table"


@functools.cache
def _rules() -> dict[str, str]:
    """What the core says that each field must be, by its path."""
    return {
        f"{row['section']}.{row['name']}".removeprefix("."): row["rule"]
        for row in _core.service_fields()
    }
