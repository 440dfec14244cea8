"""Reload of a configuration file: what would change, and the change itself.

A plan compares the file with what is registered. Only services of files take part: those of REST
and Python stay as they are. A file with faults, or one that does not fit beside them, changes
nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

from azora_orchestrator import _core
from azora_orchestrator.config import Config
from azora_orchestrator.errors import InvalidSpec

__all__ = ["ReloadChange", "ReloadPlan"]

_Known = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ReloadChange:
    """What happens to one service or entry.

    Attributes:
        service_id: Its id.
        action: `add`, `change` or `remove`.
        fields: Of a change: the fields that differ, those of objects with a dot (`process.argv`).
        restart: Of a change: its process runs another program than the file has now, which takes
            effect with a restart.
        effect: What happens and why, in one sentence.
    """

    service_id: str
    action: Literal["add", "change", "remove"]
    fields: tuple[str, ...]
    restart: bool
    effect: str

    def __str__(self) -> str:
        return f"{_SIGNS[self.action]} {self.service_id}: {self.effect}"

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Make it from its form on the wire."""
        return cls(
            data["serviceId"],
            data["action"],
            tuple(data["fields"]),
            data["restart"],
            data["effect"],
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as the REST API spells it."""
        return {
            "serviceId": self.service_id,
            "action": self.action,
            "fields": list(self.fields),
            "restart": self.restart,
            "effect": self.effect,
        }


@dataclass(frozen=True, slots=True)
class ReloadPlan:
    """What a reload changes, or has changed.

    Attributes:
        file: The configuration file.
        changes: Removals first, dependents before what they need; then changes and additions.
        unchanged: How many entries stay as they are.
        applied: Whether it was done.
    """

    file: str
    changes: tuple[ReloadChange, ...]
    unchanged: int
    applied: bool = False

    def __str__(self) -> str:
        rest = f"{self.unchanged} unchanged"
        return "\n".join([*map(str, self.changes), rest if self.changes else f"no changes, {rest}"])

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Make it from an answer of `POST /orchestrator/reload`."""
        changes = tuple(map(ReloadChange.from_dict, data["changes"]))
        return cls(data["file"], changes, data["unchanged"], data["applied"])

    def to_dict(self) -> dict[str, Any]:
        """Return it as the REST API spells it."""
        return {
            "file": self.file,
            "changes": [change.to_dict() for change in self.changes],
            "unchanged": self.unchanged,
            "applied": self.applied,
        }


_SIGNS = {"add": "+", "change": "~", "remove": "-"}


def take_file(core: Any, file: str, config: Config) -> None:
    """Register what a file says, at the start.

    The file has the last word on what is its own (R32c): a durable fleet may have been taken back
    with services of a former version of it, and with services of REST and Python, which stay.
    """
    if core.list():
        run(core, file, config)
        return
    texts = list(config.services)
    if texts:
        core.register(texts, "file", config.base_dir, [False] * len(texts))
    for name, options in config.pools.items():
        core.configure_pool(name, options)


def run(
    core: Any, file: str, config: Config, *, plan: bool = False, restart_changed: bool = False
) -> ReloadPlan:
    """Compare a file without faults with what is registered and, unless only `plan`, apply it.

    Raises:
        InvalidSpec: It does not fit beside the services of REST and Python. Nothing is changed.
    """
    found = _plan_of(core, file, config, restart_changed=restart_changed)
    return found if plan else _apply(core, config, found, restart_changed=restart_changed)


def _plan_of(core: Any, file: str, config: Config, *, restart_changed: bool) -> ReloadPlan:
    before = {view.id.split("@")[0] for view in core.list() if view.origin == "file"}
    texts = {str(json.loads(text)["id"]): text for text in config.services}
    _check_beside_others(core, config, before)
    changes = [
        ReloadChange(name, "remove", (), restart=False, effect="is stopped and unregistered")
        for name in _dependents_first(core, before - texts.keys())
    ]
    unchanged = 0
    for name, text in texts.items():
        known, restarts, old, new = core.compare(text, config.base_dir)
        if not known:
            effect = "is registered and started"
            changes.append(ReloadChange(name, "add", (), restart=False, effect=effect))
        elif fields := _differing(json.loads(old), json.loads(new)):
            changes.append(_change(name, fields, restarts, restart_changed, old, new))
        else:
            unchanged += 1
    return ReloadPlan(file, tuple(changes), unchanged)


def _apply(core: Any, config: Config, plan: ReloadPlan, *, restart_changed: bool) -> ReloadPlan:
    touched = {change.service_id for change in plan.changes if change.action != "remove"}
    for change in plan.changes:
        if change.action == "remove":
            core.unregister(change.service_id, "file")
    texts = [text for text in config.services if json.loads(text)["id"] in touched]
    if texts:
        when = "restart" if restart_changed else "next-start"
        core.register(texts, "file", config.base_dir, [False] * len(texts), when)
    for name, options in config.pools.items():
        core.configure_pool(name, options)
    return replace(plan, applied=True)


def _change(
    name: str, fields: tuple[str, ...], restarts: bool, restart_changed: bool, old: str, new: str
) -> ReloadChange:
    counts = [json.loads(text).get("process", {}).get("replicas", 1) for text in (old, new)]
    words = ", ".join(fields)
    if counts[0] != counts[1]:
        effect = f"{counts[1]} instances instead of {counts[0]} ({words})"
    elif not restarts:
        effect = f"applies at once, nothing is restarted ({words})"
    elif restart_changed:
        effect = f"is restarted ({words})"
    else:
        effect = f"goes on as it is; the new program runs from its next start ({words})"
    return ReloadChange(name, "change", fields, restart=restarts, effect=effect)


def _differing(old: _Known, new: _Known, prefix: str = "") -> tuple[str, ...]:
    found: list[str] = []
    for key in sorted(old.keys() | new.keys()):
        before, after = old.get(key), new.get(key)
        if before == after:
            continue
        if isinstance(before, dict) and isinstance(after, dict) and not prefix:
            found += _differing(before, after, f"{key}.")
        else:
            found.append(prefix + key)
    return tuple(found)


def _dependents_first(core: Any, names: set[str]) -> list[str]:
    """In an order in which none is removed before what depends on it."""
    needs = {name: _needs(core, name) & names for name in sorted(names)}
    order: list[str] = []
    while needs:
        needed = set().union(*needs.values())
        free = [name for name in needs if name not in needed] or list(needs)
        order += free
        needs = {name: what for name, what in needs.items() if name not in free}
    return order


def _needs(core: Any, name: str) -> set[str]:
    view = core.find(name)
    if view is None:
        return set()
    dependencies = json.loads(view.json)["config"].get("dependencies", ())
    ids = (one["id"] if isinstance(one, dict) else one for one in dependencies)
    return {str(id).split("@")[0] for id in ids}


def _check_beside_others(core: Any, config: Config, of_files: set[str]) -> None:
    """Registers everything as it would be in a core that starts nothing."""
    scratch: Any = _core.Core({})
    try:
        others = [core.source_of(name) for name in _others(core, of_files)]
        if others:
            scratch.register(others, "python", "/", [False] * len(others))
        if config.services:
            services = list(config.services)
            scratch.register(services, "file", config.base_dir, [False] * len(services))
    except _core.CoreError as error:
        raise InvalidSpec(str(error)) from None
    finally:
        scratch.close(0)


def _others(core: Any, of_files: set[str]) -> Sequence[str]:
    names = dict.fromkeys(view.id.split("@")[0] for view in core.list())
    return [name for name in names if name not in of_files]
