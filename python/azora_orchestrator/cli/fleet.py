"""`azora status`: the fleet as the server sees it, whether it is well, and the wait until it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from azora_orchestrator.cli import render
from azora_orchestrator.vocabulary import EVENT_TYPES

if TYPE_CHECKING:
    from azora_orchestrator.client import Client, RemoteEvents

HEADINGS = (
    "SERVICE",
    "STATUS",
    "LIFECYCLE",
    "UP",
    "CHECK",
    "RESTARTS",
    "ERRORS",
    "REMARK",
)
# What may change the fleet; checks alone change nothing.
_CHANGES = [name for name in EVENT_TYPES if name not in ("healthCheck", "callbackFailed", "gap")]
# Some changes are no event, such as the end of the last descendant of a process.
_LOOK_AGAIN_SECONDS = 1.0
_TOGETHER_SECONDS = 0.1  # a large fleet that starts has many events: it is not read for each
# Of each service in JSON: what GET /status says, and why a script may have to wait.
_KEYS: tuple[str, ...] = (
    "serviceId",
    "status",
    "lastCheck",
    "uptime",
    "restartCount",
    "errorCount",
)
_KEYS += ("responseTime", "cpu", "memory", "lastError", "lifecycle", "desired", "drain")
_KEYS += ("maintenance",)


@dataclass(frozen=True)
class Fleet:
    """One answer of `GET /status/detailed`."""

    data: dict[str, Any]

    @property
    def running(self) -> bool:
        """Whether the fleet is started."""
        return bool(self.data["running"])

    @property
    def ended(self) -> list[str]:
        """Ids of services that ended by themselves, though they should be running."""
        return list(self.data.get("endedServices", ()))

    @property
    def unverified(self) -> list[str]:
        """Ids of services of which the kernel could not say whose listener answers."""
        return list(self.data.get("unverifiedServices", ()))

    @property
    def missing(self) -> list[str]:
        """Ids of services that should be running and are neither healthy nor done."""
        return [one["serviceId"] for one in self.data["services"] if not _is_well(one)]

    @property
    def well(self) -> bool:
        """Whether nothing is missing."""
        return self.running and not self.missing

    def headline(self) -> str:
        """The fleet in one line."""
        found = self.data
        return (
            f"{'running' if self.running else 'stopped'}, {render.count(found['totalServices'])}, "
            f"{found['healthyServices']} healthy, {found['unhealthyServices']} unhealthy"
        )

    def rows(self) -> Iterator[tuple[str, ...]]:
        """The table."""
        for one in self.data["services"]:
            yield (
                one["serviceId"],
                one["status"],
                one["lifecycle"],
                render.span(one["uptime"]),
                _check_time(one),
                str(one["restartCount"]),
                str(one["errorCount"]),
                _remark(one),
            )

    def summary(self) -> dict[str, Any]:
        """The same as JSON: `GET /status`, with lifecycle and desired of each service."""
        services = [
            {name: one[name] for name in _KEYS if name in one} for one in self.data["services"]
        ]
        return self.data | {"services": services}


def _is_well(one: dict[str, Any]) -> bool:
    done = one["lifecycle"] == "DONE" and one["config"].get("endpoint") is None
    return one["desired"] != "up" or one["status"] == "healthy" or done


def _remark(one: dict[str, Any]) -> str:
    """Its last error while it is not healthy, and what its owner asked for."""
    parts = [one["drain"]["state"]] if "drain" in one else []
    if "maintenance" in one:
        parts.append(f"under maintenance ({one['maintenance']['reason']})")
    if one["status"] != "healthy" and one.get("lastError"):
        parts.append(one["lastError"])
    return "; ".join(parts) or "-"


def _check_time(one: dict[str, Any]) -> str:
    if one["responseTime"]:
        return f"{one['responseTime']} ms"
    check = one["config"].get("healthCheck") or {}
    answered = one["status"] in ("healthy", "degraded") and check.get("type") != "process"
    return "<1 ms" if answered else "-"


def read(client: Client) -> Fleet:
    """The fleet now."""
    return Fleet(client.request("GET", "status", "detailed"))


def wait(
    client: Client, found: Fleet, timeout_ms: int, progress: Callable[[str], object]
) -> tuple[Fleet, list[str]]:
    """Waits until the fleet is well, and says how far it is whenever that changes.

    Returns:
        The fleet, and why it is not well: the time is over, or a service cannot become healthy in
        time.
    """
    horizon = time.time() + timeout_ms / 1000
    deadline = time.monotonic() + timeout_ms / 1000
    told = ""
    with client.events(type=_CHANGES) as changes:
        while True:
            found = read(client)
            if found.well:
                return found, []
            if reasons := _in_vain(client, found, horizon):
                return found, reasons
            told = _tell(found, told, progress)
            left = deadline - time.monotonic()
            if left <= 0:
                return found, [f"not in time: {_names(found) or 'the fleet is stopped'}"]
            _await_change(changes, min(left, _LOOK_AGAIN_SECONDS))


def _await_change(changes: RemoteEvents, seconds: float) -> None:
    """Waits for an event, then for those that come with it: one look for all of them."""
    if changes.next(timeout_ms=seconds * 1000) is None:
        return
    end = time.monotonic() + _TOGETHER_SECONDS
    while (left := end - time.monotonic()) > 0 and changes.batch(timeout_ms=left * 1000):
        pass


def _in_vain(client: Client, found: Fleet, horizon: float) -> list[str]:
    suspect = [
        one["serviceId"]
        for one in found.data["services"]
        if one["lifecycle"] in ("BACKOFF", "BLOCKED", "DONE", "FAILED") and not _is_well(one)
    ]
    return list(client.not_coming(suspect, horizon).values())


def _tell(found: Fleet, told: str, progress: Callable[[str], object]) -> str:
    wanted = [one for one in found.data["services"] if one["desired"] == "up"]
    missing = found.missing
    text = f"{len(wanted) - len(missing)} of {len(wanted)} ready; waiting for {_names(found)}"
    if text != told and missing:
        progress(text)
    return text


def _names(found: Fleet) -> str:
    missing = found.missing
    more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
    return ", ".join(missing[:5]) + more
