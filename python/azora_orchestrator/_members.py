"""The services that a wait is for: by ids, by entries or by groups, or all that are wanted up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["members_of", "wanted_up"]


def wanted_up(core: Any) -> list[str]:
    """The ids of all services that their owners want up."""
    return [view.id for view in core.list() if view.desired == "up"]


def members_of(core: Any, names: Sequence[str]) -> list[str]:
    """The names themselves, but of a group the ids of its members."""
    members: list[str] = []
    for name in names:
        group = []
        if core.find(name) is None:
            group = [view.id for view in core.list() if view.group == name]
        members += group or [name]
    return members
