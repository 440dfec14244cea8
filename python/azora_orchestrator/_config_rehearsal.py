"""Tests whether the core accepts a file, by the same registration that `azora serve` makes.

The core for this test is never started: it makes no thread, no process and no file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from azora_orchestrator import _core
from azora_orchestrator._config_lines import Path, path_of

__all__ = ["Loader", "Read", "rehearse"]

_INDEX = re.compile(r"services\[(\d+)\](?:\.|$)")
_NAME = re.compile(r'"([^"]+)"')


class Loader(Protocol):
    """Takes the faults."""

    def fault(self, path: Path, shown: str, message: str) -> None:
        """Take one fault."""


class Read(Protocol):
    """The content of a file, as `config.Config` holds it."""

    base_dir: str
    pools: dict[str, dict[str, Any]]
    services: list[str]
    faults: list[Any]


def rehearse(loader: Loader, read: Read) -> None:
    """Reports faults that only all services together have, unless there are faults already."""
    if read.faults:
        return
    ids = [str(json.loads(text).get("id", "")) for text in read.services]
    for refusal in _refusals(read.services, ids, read.base_dir, read.pools):
        path: Path = ("services",) if refusal.place is None else ("services", refusal.place)
        shown = refusal.field or ".".join(map(str, path))
        loader.fault((*path, *path_of(refusal.field)), shown, refusal.message)


class _Refusal(NamedTuple):
    """One refusal of the core.

    Attributes:
        place: The place of the service it is about; None: not known.
        field: As faults name it; may be empty.
        message: The rule, and what to do.
    """

    place: int | None
    field: str
    message: str


def _refusals(
    services: Sequence[str],
    ids: Sequence[str],
    base_dir: str,
    pools: Mapping[str, Mapping[str, Any]],
) -> list[_Refusal]:
    """The refusals of these services and pools at a registration; mostly none.

    Args:
        services: Each as JSON text.
        ids: Of each.
        base_dir: Where their relative paths start.
        pools: Options of each pool.
    """
    core: Any = _core.Core({})
    try:
        if services:
            core.register(list(services), "file", base_dir, [False] * len(services))
        for name, options in pools.items():
            core.configure_pool(name, dict(options))
    except _core.CoreError as error:
        _, message, faults = error.args[:3]
        return [_placed(field, text, ids) for field, text in faults] or [_placed("", message, ids)]
    finally:
        core.close(0)
    return []


def _placed(field: str, message: str, ids: Sequence[str]) -> _Refusal:
    if found := _INDEX.match(field):
        return _Refusal(int(found[1]), field[found.end() :], message)
    if not field and (at := re.match(r"(\w[\w.\[\]]*): ", message)):
        field, message = at[1], message[at.end() :]
    # The last service in the message is the one that cannot join the others.
    named = [name for name in _NAME.findall(message) if name in ids]
    return _Refusal(ids.index(named[-1]) if named else None, field, message)
