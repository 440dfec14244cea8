"""What `wait_ready` and `wait_stopped` wait for, judged by what the server says. Pure.

A generator yields requests and is sent the JSON of each answer, None for a service that is not
there. The rules are those of the orchestrator (R55): a wait that is in vain ends at once.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import datetime
from typing import Any

from azora_orchestrator.client import requests
from azora_orchestrator.client.answers import data_of_listed
from azora_orchestrator.client.requests import Request
from azora_orchestrator.errors import AzoraError, NotComing, TimedOut, UnknownService
from azora_orchestrator.vocabulary import EVENT_TYPES

Data = dict[str, Any]
Asking = Generator[Request, Any, Any]

# What may change an answer of these functions; checks alone change nothing.
TYPES = tuple(name for name in EVENT_TYPES if name not in ("healthCheck", "callbackFailed", "gap"))
# Some changes are no event, such as the end of the last descendant of a process.
LOOK_AGAIN_SECONDS = 1.0


class Wait:
    """A wait for some services.

    Args:
        names: Ids, entries or groups; None: all that are wanted up.
        goal: "ready" or "stopped".
        horizon: Until when, as a wall clock time in seconds: an attempt that comes later is no use.
    """

    def __init__(self, names: Sequence[str] | None, goal: str, horizon: float) -> None:
        self._names = names
        self._goal = goal
        self._horizon = horizon
        self._left: list[str] = []
        self._known = False
        self._listed: dict[str, Data] = {}  # of this look
        self.open = ""  # what is still waited for, in words

    def look(self) -> Asking:
        """Look at those that are left. Returns True when there are none.

        Raises:
            NotComing: One of them cannot become ready in time.
            UnknownService: There is none of that name.
        """
        if not self._known:
            self._left = yield from self._resolve()
            self._known = True
        self._listed = (yield from _all()) if len(self._left) > 1 else {}
        left = []
        for name in self._left:
            if not (yield from self._is_met(name)):
                left.append(name)
        self._left = left
        return not left

    def late(self) -> AzoraError:
        """The error when the time is over."""
        return TimedOut(self.open or f"not {self._goal} in time")

    def _resolve(self) -> Asking:
        if self._names is None:
            listed = yield from _all()
            return [id for id, one in listed.items() if one["desired"] == "up"]
        left: list[str] = []
        for name in self._names:
            if (yield requests.service(name)) is None and self._goal == "ready":
                listed = yield from _all()
                members = [id for id, one in listed.items() if one["config"].get("group") == name]
                if not members:
                    raise UnknownService(f"{name}: there is no such service")
                left += members
            else:
                left.append(name)
        return left

    def _is_met(self, name: str) -> Asking:
        service = self._listed.get(name) or (yield requests.service(name))
        if service is None:
            # One of all or of a group may go; one that was named may not.
            if self._goal == "stopped" or self._names is None or name not in self._names:
                return True
            raise UnknownService(f"{name}: there is no such service")
        instances = yield from _instances(service)
        if self._goal == "ready":
            up = [one for one in instances if one["desired"] != "down"] or instances
            return (yield from self._all_ready(name, up))
        running = [one for one in instances if one["lifecycle"] not in ("IDLE", "DONE")]
        self._say_open(name, running)
        return not running

    def _all_ready(self, name: str, instances: list[Data]) -> Asking:
        waiting = [one for one in instances if not is_ready(one)]
        for one in waiting:
            reason = yield from not_coming(one, self._horizon, set())
            if reason:
                raise NotComing(f"service '{name}' will not be ready: {reason}")
        self._say_open(name, waiting)
        return not waiting

    def _say_open(self, name: str, waiting: list[Data]) -> None:
        if waiting:
            one = waiting[0]
            error = one["health"].get("lastError")
            self.open = (
                f"service '{name}' is not {self._goal} in time: {one['config']['id']} is "
                f"{one['lifecycle']}, {one['health']['status']}" + (f" ({error})" if error else "")
            )


def _all() -> Asking:
    found = yield requests.get("status", "detailed")
    return {one["serviceId"]: data_of_listed(one) for one in found["services"]}


def is_ready(service: Data) -> bool:
    """Whether it answers its checks, or is a job that ended with 0."""
    answers = service["health"]["status"] in ("healthy", "degraded")
    return _is_done_job(service) or (answers and service["lifecycle"] in ("READY", "WATCHING"))


def _is_done_job(service: Data) -> bool:
    return bool(service["lifecycle"] == "DONE" and service["config"].get("endpoint") is None)


def _instances(service: Data) -> Asking:
    found = []
    for id in service.get("instances", ()):
        one = yield requests.service(id)
        if one is not None:
            found.append(one)
    return found or [service]


def reason_in_vain(id: str, horizon: float) -> Asking:
    """Why a service will not be ready by `horizon` unless an operator acts; empty: it may be."""
    service = yield requests.service(id)
    return "" if service is None else (yield from not_coming(service, horizon, set()))


def not_coming(service: Data, horizon: float, seen: set[str]) -> Asking:
    """Why it will not be ready by `horizon` unless an operator acts; empty: it may be."""
    id, lifecycle = str(service["config"]["id"]), service["lifecycle"]
    if id in seen:
        return ""
    seen.add(id)
    if service["desired"] == "down":
        return f"{id} is stopped, or about to be, and has to be started"
    if lifecycle == "BLOCKED":
        return (yield from _blocked(id, horizon, seen))
    if lifecycle not in ("BACKOFF", "FAILED", "DONE") or _is_done_job(service):
        return ""
    why = yield requests.service(id, "why")
    if why is None or why["lifecycle"] != lifecycle:
        return ""  # it has gone on meanwhile, and an event says so
    if lifecycle != "DONE":
        next_at = why["nextAttemptAt"]
        if next_at is None and lifecycle == "BACKOFF":
            return ""
        if next_at is not None and datetime.fromisoformat(next_at).timestamp() <= horizon:
            return ""
        if lifecycle == "BACKOFF" and "process" not in service:
            return ""  # it runs without the server and may answer again at any time
    later = ", which is after the end of this wait" if why["nextAttemptAt"] else ""
    return f"{why['summary']}{later}"


def _blocked(id: str, horizon: float, seen: set[str]) -> Asking:
    found = yield requests.service(id, "dependencies")
    for need in (found or {}).get("dependencies", ()):
        if need.get("satisfied") or need.get("strength") == "soft":
            continue
        service = yield requests.service(need["id"])
        if service is None:
            continue  # it may be registered yet
        possible, reason = 0, ""
        for one in (yield from _instances(service)):
            its = yield from not_coming(one, horizon, seen)
            if not its and _is_done_job(one) and need.get("condition") != "completed":
                its = f"{one['config']['id']} is already done"
            if its:
                reason = reason or its
            else:
                possible += 1
        if possible < need.get("min", 1):
            return f"{id} waits for its dependency: {reason}"
    return ""
