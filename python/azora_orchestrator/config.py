"""Configuration files: TOML first, JSON and YAML of the same shape.

All faults are found in one run, each with file, line, field and rule. The core's field table alone
judges services; this module judges only the rest of the file.
"""

from __future__ import annotations

import contextlib
import difflib
import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from azora_orchestrator import _core
from azora_orchestrator._addresses import in_the_clear, is_network
from azora_orchestrator._config_lines import Lines, line_of, path_of
from azora_orchestrator._config_rehearsal import rehearse
from azora_orchestrator._config_text import Unreadable, read_text
from azora_orchestrator._json_values import MOST_DEPTH, expressible, expressible_part, rule_of
from azora_orchestrator.config_fault import ConfigFault
from azora_orchestrator.config_rules import (
    ORCHESTRATOR,
    POOL,
    Rules,
    Wrong,
    milliseconds,
    shown_value,
)

__all__ = [
    "DEFAULT_HOST",
    "DEFAULT_PORT",
    "Config",
    "ConfigFault",
    "load",
    "load_text",
    "milliseconds",
]

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 5000

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_Path = tuple[str | int, ...]


@dataclass(slots=True)
class Config:
    """What a file says. Use it only when `faults` is empty.

    Attributes:
        settings: Of [orchestrator], as options in snake_case, durations in ms.
        pools: Options of each pool, ready for `configure_pool`.
        services: Each service as JSON text.
        base_dir: Where relative paths of services start.
        faults: What is wrong.
        warnings: What is odd but allowed.
    """

    base_dir: str
    settings: dict[str, Any] = field(default_factory=dict)
    pools: dict[str, dict[str, Any]] = field(default_factory=dict)
    services: list[str] = field(default_factory=list)
    faults: list[ConfigFault] = field(default_factory=list)
    warnings: list[ConfigFault] = field(default_factory=list)


_TOP = ("orchestrator", "pools", "services")


def _unknown(key: str, known: Any) -> str:
    near = difflib.get_close_matches(key, list(known), n=1, cutoff=0.4)
    if near:
        return f'is not a known key; did you mean "{near[0]}"?'
    return f"is not a known key; the known keys are {', '.join(known)}"


class _Loader:
    """One file on its way to a Config."""

    def __init__(
        self,
        name: str,
        base_dir: str,
        host: str | None = None,
        port: int | None = None,
        *,
        insecure_plaintext: bool = False,
    ) -> None:
        self.name = name
        self._host = host
        self._port = port
        self._insecure_plaintext = insecure_plaintext
        self.config = Config(base_dir)
        self.lines: Lines = {}
        self._places: list[int] = []  # of config.services in the list of the file

    def fault(self, path: _Path, shown: str, message: str) -> None:
        self.config.faults.append(ConfigFault(self.name, line_of(self.lines, path), shown, message))

    def table(self, data: Any, path: _Path, rules: Rules) -> dict[str, Any]:
        """The options of one table in which every key must be known."""
        shown = ".".join(map(str, path))
        if not isinstance(data, dict):
            self.fault(path, shown, f"is {shown_value(data)}; it must be a table")
            return {}
        options: dict[str, Any] = {}
        for key, value in ((str(key), value) for key, value in data.items()):
            here = f"{shown}.{key}"
            if key not in rules:
                self.fault((*path, key), here, _unknown(key, rules))
                continue
            option, rule = rules[key]
            try:
                options[option] = rule(value)
            except Wrong as wrong:
                self.fault((*path, key), here, str(wrong))
        return options

    def read(self, data: Any) -> Config:
        if not isinstance(data, dict):
            self.fault((), "", f"the file holds {shown_value(data)}; it must hold a table")
            return self.config
        for key in map(str, data):
            if key not in _TOP:
                self.fault((key,), key, _unknown(key, _TOP))
        self.config.settings = self.table(
            data.get("orchestrator", {}), ("orchestrator",), ORCHESTRATOR
        )
        self._plaintext()
        self._pools(data.get("pools", {}))
        self._services(data.get("services", []))
        self._addresses()
        self.config.faults.sort(key=lambda fault: fault.line)
        rehearse(self, self.config)
        self.config.warnings.sort(key=lambda fault: fault.line)
        return self.config

    def _plaintext(self) -> None:
        """Reports an address that other machines can reach, unless that is spelled out."""
        settings = self.config.settings
        host = settings.get("host") if self._host is None else None  # an option is judged later
        allowed = self._insecure_plaintext or settings.get("insecure_plaintext", False)
        if host is not None and is_network(host) and not allowed:
            how = "to accept that, set insecurePlaintext = true"
            self.fault(
                ("orchestrator", "host"), "orchestrator.host", f"{in_the_clear(host)}; {how}"
            )

    def _pools(self, pools: Any) -> None:
        if not isinstance(pools, dict):
            self.fault(("pools",), "pools", f"is {shown_value(pools)}; it must be a table of pools")
            return
        for name, data in ((str(name), data) for name, data in pools.items()):
            if not _WORD.fullmatch(name):
                self.fault(
                    ("pools", name),
                    f"pools.{name}",
                    'is not a valid name of a pool; use 1 to 63 letters, digits, ".", "_" or "-"',
                )
                continue
            self.config.pools[name] = self.table(data, ("pools", name), POOL)

    def _services(self, services: Any) -> None:
        if not isinstance(services, list):
            self.fault(("services",), "services", f"is {shown_value(services)}; it must be a list")
            return
        seen: dict[str, int] = {}
        for index, service in enumerate(services):
            path = ("services", index)
            try:
                text = json.dumps(service, ensure_ascii=False, allow_nan=False)
                text.encode()
            except (TypeError, ValueError):  # a half character: a surrogate without its pair
                before = len(self.config.faults)
                self._unfit(service, path)
                named = {fault.field for fault in self.config.faults[before:]}
                self._report_others(service, path, named)
                continue
            if not isinstance(service, dict):
                self.fault(
                    path, f"services[{index}]", f"is {shown_value(service)}; it must be a table"
                )
                continue
            self.config.services.append(text)
            self._places.append(index)
            name = service.get("id")
            whose = f' (service "{name}")' if isinstance(name, str) else f" (services[{index}])"
            for at, message in _core.check(text, "file", self.config.base_dir):
                if not at and self._unfit(service, path):  # the text itself is refused
                    continue
                self.fault((*path, *path_of(at)), at or f"services[{index}]", message + whose)
            if isinstance(name, str):
                if name in seen:
                    first = line_of(self.lines, ("services", seen[name], "id"))
                    self.fault((*path, "id"), "id", f'"{name}" is taken by the one in line {first}')
                seen.setdefault(name, index)
        _Relations(self, services, seen).check()

    def _report_others(self, service: Any, path: _Path, named: set[str]) -> None:
        """Reports what else is wrong with a service of which some values are unfit."""
        with contextlib.suppress(RecursionError):
            text = json.dumps(expressible_part(service, _not_json))
            for at, message in _core.check(text, "file", self.config.base_dir):
                if at and at not in named:
                    self.fault((*path, *path_of(at)), at, message)

    def _addresses(self) -> None:
        """Reports process services that share an address, or have the one we will listen on."""
        settings = self.config.settings
        host = self._host or settings.get("host", DEFAULT_HOST)
        port = settings.get("port", DEFAULT_PORT) if self._port is None else self._port
        services, folder = self.config.services, self.config.base_dir
        for place, message in _core.check_addresses(services, folder, host, port):
            self.fault(("services", self._places[place], "endpoint"), "endpoint", message)

    def _unfit(self, value: Any, path: _Path) -> bool:
        """Reports values that JSON or we cannot use: dates, nan, half characters, deep nesting."""
        before = len(self.config.faults)
        pending: list[tuple[_Path, Any]] = [(path, value)]
        while pending:
            at, item = pending.pop()
            if isinstance(item, dict):
                below = [((*at, str(key)), key, value) for key, value in item.items()]
            elif isinstance(item, list):
                below = [((*at, index), index, value) for index, value in enumerate(item)]
            elif not expressible(item):
                name = _dotted(at)
                self.fault(at, name, f"is {shown_value(item)}; it must be {rule_of(name, item)}")
                continue
            else:
                continue
            if len(at) - len(path) >= MOST_DEPTH:
                self.fault(at, _dotted(at[:8]), f"is nested deeper than {MOST_DEPTH}; flatten it")
                continue
            for inner, key, value in below:
                if not expressible(key):
                    rule = "is not a valid name of a field; it must be a string"
                    self.fault(inner, shown_value(key), rule)
                pending.append((inner, value))
        return len(self.config.faults) > before


def _not_json(value: object) -> object:
    raise TypeError(value)


def _dotted(path: _Path) -> str:
    """Turns a path in the list of services into a field of one service."""
    _, index, *steps = path
    if not steps:
        return f"services[{index}]"
    words = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return "".join(words).removeprefix(".")


class _Relations:
    """Relations between services: cycles, missing ids, groups that have the name of a type."""

    def __init__(self, loader: _Loader, services: list[Any], seen: dict[str, int]) -> None:
        self._loader = loader
        self._services = services
        self._seen = seen
        self._edges: dict[str, list[str]] = {}

    def check(self) -> None:
        for name, index in self._seen.items():
            self._edges[name] = []
            dependencies = self._services[index].get("dependencies", ())
            if not isinstance(dependencies, list):
                continue
            for place, dependency in enumerate(dependencies):
                target = dependency.get("id") if isinstance(dependency, dict) else dependency
                if not isinstance(target, str):
                    continue
                self._edges[name].append(self._entry(target))
                path = ("services", index, "dependencies", place)
                if odd := self._odd(name, target):
                    line = line_of(self._loader.lines, path)
                    self._loader.config.warnings.append(
                        ConfigFault(self._loader.name, line, f"dependencies[{place}]", odd)
                    )
                self._enough(dependency, target, path)
        self._cycle()
        self._groups()

    def _odd(self, name: str, target: str) -> str:
        """What is odd about a dependency; empty if it can be met."""
        base, at, number = target.rpartition("@")
        if not at:
            known = self._replicas(target) > 0
        else:
            known = number.isdigit() and int(number) < self._replicas(base) > 1
        return "" if known else f'"{target}" is not in this file; "{name}" waits for it'

    def _entry(self, target: str) -> str:
        """The entry that a dependency names, directly or by one of its instances."""
        return target if target in self._seen else target.rpartition("@")[0] or target

    def _enough(self, dependency: Any, target: str, path: _Path) -> None:
        """A dependency must not ask for more instances than its entry has."""
        least = dependency.get("min", 1) if isinstance(dependency, dict) else 1
        replicas = self._replicas(target)
        if isinstance(least, int) and 0 < replicas < least:
            has = "one instance" if replicas == 1 else f"{replicas} instances"
            self._loader.fault(
                (*path, "min"),
                f"dependencies[{path[-1]}].min",
                f'is {least}, but "{target}" has {has}; lower it or give "{target}" more replicas',
            )

    def _replicas(self, name: str) -> int:
        """How many services an entry becomes; 0: there is no entry with that id."""
        if name not in self._seen:
            return 0
        process = self._services[self._seen[name]].get("process")
        replicas = process.get("replicas", 1) if isinstance(process, dict) else 1
        return max(1, replicas) if isinstance(replicas, int) else 1

    def _cycle(self) -> None:
        done: set[str] = set()
        for start in self._edges:
            if start in done:
                continue
            trail: list[str] = [start]
            todo = [iter(self._edges[start])]
            while todo:
                target = next(todo[-1], None)
                if target is None:
                    todo.pop()
                    done.add(trail.pop())
                elif target in trail:
                    ring = [*trail[trail.index(target) :], target]
                    path = ("services", self._seen[trail[-1]], "dependencies")
                    self._loader.fault(
                        path,
                        "dependencies",
                        f"closes a cycle: {' -> '.join(ring)}; remove one of these",
                    )
                elif target in self._edges and target not in done:
                    trail.append(target)
                    todo.append(iter(self._edges[target]))

    def _groups(self) -> None:
        types = {
            service.get("type")
            for service in self._services
            if isinstance(service, dict) and isinstance(service.get("type"), str)
        }
        for index in self._seen.values():
            group = self._services[index].get("group")
            if isinstance(group, str) and group in types:
                self._loader.fault(
                    ("services", index, "group"),
                    "group",
                    f'"{group}" is a type in use; give the group a name of its own',
                )


def load(
    path: str | os.PathLike[str],
    *,
    host: str | None = None,
    port: int | None = None,
    insecure_plaintext: bool = False,
) -> Config:
    """Reads and judges a configuration file.

    Args:
        path: A .toml, .json, .yaml or .yml file; any other name is read as TOML.
        host: Where the server is to listen; None: where the file says, else 127.0.0.1.
        port: Likewise; None: as the file says, else 5000. No process service may have it.
        insecure_plaintext: Whether the file's host may be one that other machines can reach.

    Returns:
        What it says; look at `faults` before using it. A file that cannot be read is a fault.
    """
    name = os.fspath(path)
    folder = Path(name).resolve().parent
    loader = _Loader(name, str(folder))
    try:
        text = Path(name).read_bytes().removeprefix(b"\xef\xbb\xbf").decode()
    except OSError as error:
        loader.fault((), "", f"cannot be read: {error.strerror}")
        return loader.config
    except UnicodeDecodeError as error:
        start = error.object[: error.start].count(b"\n") + 1
        loader.lines = {(): start}
        loader.fault((), "", "is not UTF-8; save it as UTF-8")
        return loader.config
    return load_text(
        text, name, folder, host=host, port=port, insecure_plaintext=insecure_plaintext
    )


def load_text(
    text: str,
    name: str,
    folder: Path,
    *,
    host: str | None = None,
    port: int | None = None,
    insecure_plaintext: bool = False,
) -> Config:
    """Judges the text of a configuration file.

    Args:
        text: What the file holds.
        name: Its name, for faults; its ending says how it is read.
        folder: Where relative paths of its services start.
        host: As for `load`.
        port: As for `load`.
        insecure_plaintext: As for `load`.
    """
    loader = _Loader(name, str(folder), host, port, insecure_plaintext=insecure_plaintext)
    try:
        read = read_text(text, Path(name).suffix)
    except Unreadable as error:
        loader.lines = {(): error.line}
        loader.fault((), "", str(error))
        return loader.config
    loader.lines = read.lines
    for line, key in read.twice:
        loader.config.faults.append(
            ConfigFault(name, line, shown_value(key), "is a duplicate key; remove one of them")
        )
    return loader.read(read.data)
