"""Values of callers in messages."""

from __future__ import annotations

__all__ = ["shown"]


def shown(value: object) -> str:
    """The value as Python would write it, cut short."""
    try:
        return f"{value!r:.60}"
    except Exception:  # of the value's own __repr__, or an integer of thousands of digits
        return f"a value of type {type(value).__name__}"
