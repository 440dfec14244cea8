"""Rolling restarts: members of a pool one after the other, each ready before the next one goes.

The driver knows no input or output: it yields what it wants to know or to have done, in the names
that orchestrators and clients share, and gets the answers. Each face carries that out in its way.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from azora_orchestrator._arguments import integer_of, milliseconds_of, string_of
from azora_orchestrator._calls import caller_has_left
from azora_orchestrator.errors import (
    AzoraError,
    HealingUnavailable,
    InvalidArgument,
    NotComing,
    OrchestratorClosed,
    UnknownService,
)
from azora_orchestrator.models import Service

__all__ = ["AsyncRolling", "RollStopped", "Rolling", "RollingRestart", "roll"]

_MIN_READY_MS = 10_000
_TIMEOUT_MS = 60_000
_MOST_UNAVAILABLE = 10_000
_MOST_DRAIN_MS = 30_000
_LOOK_AGAIN_MS = 1_000  # also without an event: a reader may lose some
_LOST = ("serviceUnhealthy", "serviceDegraded", "serviceExited")
_CHANGES = (
    *_LOST,
    "serviceHealthy",
    "serviceStarted",
    "serviceStopped",
    "serviceFailed",
    "serviceStuck",
    "serviceRestarted",
    "serviceUnregistered",
)

Progress = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class RollingRestart:
    """What a rolling restart has done.

    Attributes:
        name: The entry, group, type or service it was asked for.
        restarted: Ids of those that were restarted and were ready for `min_ready_ms`.
        failed: Ids of those that were restarted and were not, or that could not be restarted.
        left: Ids of those that keep their old process.
        reason: Why it stopped before its end; None: it did not.
    """

    name: str
    restarted: tuple[str, ...]
    failed: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    reason: str | None = None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Make it from what `to_dict()` returned."""
        restarted, failed, left = (tuple(data[key]) for key in ("restarted", "failed", "left"))
        return cls(data["name"], restarted, failed, left, data["reason"])

    def to_dict(self) -> dict[str, Any]:
        """Return it as `azora rolling-restart --json` prints it."""
        return {
            "name": self.name,
            "restarted": list(self.restarted),
            "failed": list(self.failed),
            "left": list(self.left),
            "reason": self.reason,
        }

    def __str__(self) -> str:
        parts = [f"restarted: {_names(self.restarted)}"]
        if self.reason is not None:
            parts = [f"{self.name}: {self.reason}", *parts]
            parts += [f"failed: {_names(self.failed)}", f"left as they were: {_names(self.left)}"]
        return "; ".join(parts)


class RollStopped(NotComing):
    """A rolling restart stopped before its end.

    Attributes:
        outcome: Who was restarted, who failed and why, who was left.
    """

    outcome: RollingRestart

    def __init__(self, outcome: RollingRestart) -> None:
        super().__init__(str(outcome))
        self.outcome = outcome

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.outcome,)


class Rolling:
    """The verb of orchestrators and clients whose calls wait."""

    def rolling_restart(
        self: Any,
        name: str,
        *,
        max_unavailable: int = 1,
        min_ready_ms: float = _MIN_READY_MS,
        timeout_ms: float = _TIMEOUT_MS,
    ) -> RollingRestart:
        """Restart the members of a pool one after the other, each ready before the next one goes.

        Those whose program has changed (`restart_required`) go first. A healthy one goes only while
        fewer than `max_unavailable` are unavailable, for whatever reason; those that their owner
        has stopped are not counted and stay stopped. Each is drained first: its leases have 30 s to
        come back, at most half of the time that is left beside `min_ready_ms`. It ends with the
        first that fails: the rest keep their processes. Ctrl-C ends it, too.

        Args:
            name: An entry with replicas, a group, a type, or one service.
            max_unavailable: How many may be unavailable at a time, at least 1.
            min_ready_ms: How long a new one must be healthy before the next one goes, in ms.
            timeout_ms: How long one may take until then, in ms.

        Returns:
            Who was restarted: all of them.

        Raises:
            RollStopped: One failed, or was not ready in time; `outcome` and the message say who was
                restarted, who failed and why, and who was left.
            UnknownService: Nothing has that name.
            HealingUnavailable: One of them has only a URL; nothing was restarted.

        Example:
            >>> print(orch.rolling_restart("worker", min_ready_ms=500))
            restarted: worker@0, worker@1, worker@2
        """
        limits = limits_of(max_unavailable, min_ready_ms, timeout_ms)
        return roll(self, string_of("name", name), limits)


class AsyncRolling:
    """The same for a client of asyncio."""

    async def rolling_restart(
        self: Any,
        name: str,
        *,
        max_unavailable: int = 1,
        min_ready_ms: float = _MIN_READY_MS,
        timeout_ms: float = _TIMEOUT_MS,
    ) -> RollingRestart:
        """See `Client.rolling_restart`."""
        limits = limits_of(max_unavailable, min_ready_ms, timeout_ms)
        steps = _steps(string_of("name", name), limits, _no_news)
        async with contextlib.aclosing(self.events(type=_CHANGES)) as stream:
            answer: Any = None
            error: AzoraError | None = None
            while True:
                try:
                    ask = steps.send(answer) if error is None else steps.throw(error)
                except StopIteration as end:
                    return end.value  # type: ignore[no-any-return]
                answer = error = None
                try:
                    if ask.method is None:
                        answer = await stream.batch(timeout_ms=ask.wait_ms)
                    else:
                        answer = await getattr(self, ask.method)(*ask.args, **ask.options)
                except AzoraError as raised:
                    error = raised
                if self.closed:
                    error = OrchestratorClosed("the client is closed")

    rolling_restart.__doc__ = Rolling.rolling_restart.__doc__


class Limits(NamedTuple):
    """How careful a rolling restart is."""

    max_unavailable: int
    min_ready: float  # seconds
    timeout: float  # seconds

    @property
    def drain_ms(self) -> int:
        """How long the leases of one may take to come back: its restart needs time, too."""
        return round(min(_MOST_DRAIN_MS, (self.timeout - self.min_ready) * 500))


def limits_of(max_unavailable: object, min_ready_ms: object, timeout_ms: object) -> Limits:
    """Limits of these values. Raises InvalidArgument if one is wrong."""
    most = integer_of("max_unavailable", max_unavailable, 1, _MOST_UNAVAILABLE)
    ready = milliseconds_of("min_ready_ms", min_ready_ms)
    whole = milliseconds_of("timeout_ms", timeout_ms)
    if ready >= whole:
        raise InvalidArgument(f"min_ready_ms is {ready}; it must be less than timeout_ms, {whole}")
    return Limits(most, ready / 1000, whole / 1000)


def _no_news(_line: str) -> None:
    pass


def roll(face: Any, name: str, limits: Limits, progress: Progress = _no_news) -> RollingRestart:
    """Carry the steps out by an orchestrator or a client whose calls wait.

    Args:
        face: The orchestrator or client.
        name: As for `rolling_restart()`.
        limits: How careful to be.
        progress: Called with a line whenever something has happened.
    """
    steps = _steps(name, limits, progress)
    with contextlib.closing(face.events(type=_CHANGES)) as stream:
        answer: Any = None
        error: AzoraError | None = None
        while True:
            try:
                ask = steps.send(answer) if error is None else steps.throw(error)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            answer = error = None
            try:
                if ask.method is None:
                    answer = stream.batch(timeout_ms=ask.wait_ms)
                else:
                    answer = getattr(face, ask.method)(*ask.args, **ask.options)
            except AzoraError as raised:
                error = raised
            if face.closed or caller_has_left():
                error = OrchestratorClosed("it was closed during a rolling restart")


class _Ask(NamedTuple):
    """A call of a face, or, without a method, a wait for events."""

    method: str | None
    args: tuple[object, ...] = ()
    options: Mapping[str, object] = {}
    wait_ms: float = 0


_Steps = Generator[_Ask, Any, Any]


def _ask(method: str, *args: object, **options: object) -> _Ask:
    return _Ask(method, args, options)


@dataclass(slots=True)
class _Going:
    """One that was restarted and is not yet ready long enough."""

    before: Service
    deadline: float
    ready_since: float | None = None


@dataclass(slots=True)
class _Roll:
    """What is known while it lasts; no input or output."""

    name: str
    limits: Limits
    waiting: list[str]  # in the order in which they go
    views: dict[str, Service] = field(default_factory=dict)
    going: dict[str, _Going] = field(default_factory=dict)
    restarted: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)  # id and reason
    stalled_since: float | None = None

    def outcome(self, reason: str | None = None) -> RollingRestart:
        """How it stands."""
        failed = (*self.failed, *self.going)
        return RollingRestart(self.name, tuple(self.restarted), failed, tuple(self.waiting), reason)

    def next_one(self) -> str | None:
        """The first that may be taken down now: an unavailable one always, others by the limit."""
        down = sum(not _available(view) for id, view in self.views.items() if id not in self.going)
        room = self.limits.max_unavailable - down - len(self.going)
        for id in self.waiting:
            view = self.views[id]
            if room > 0 if _available(view) else not _is_coming(view):
                return id
        return None

    def lost(self, ids: Iterable[str | None]) -> None:
        """These were unhealthy for a moment: their time begins anew."""
        for id in ids:
            if id in self.going:
                self.going[id].ready_since = None

    def look(self, now: float) -> None:
        """Who is ready long enough, and who will not be."""
        for id, one in list(self.going.items()):
            view = self.views.get(id)
            if view is None:
                self._fails(id, "it was unregistered")
            elif not (_available(view) and _is_newer(view, one.before)):
                one.ready_since = None
                if view.desired != "up":
                    self._fails(id, "it was stopped")
                elif view.lifecycle in ("FAILED", "STUCK"):
                    self._fails(id, "")
                elif now >= one.deadline:
                    self._fails(id, f"it was not ready within {self.limits.timeout:g} s")
            else:
                if one.ready_since is None:
                    one.ready_since = now
                if now - one.ready_since >= self.limits.min_ready:
                    del self.going[id]
                    self.restarted.append(id)
                elif now >= one.deadline:
                    least = f"for {self.limits.min_ready:g} s"
                    self._fails(id, f"it was not ready {least} within {self.limits.timeout:g} s")

    def _fails(self, id: str, reason: str) -> None:
        del self.going[id]
        self.failed[id] = reason

    def wait_ms(self, now: float) -> float:
        """How long there is nothing to do unless something happens."""
        times = [one.deadline for one in self.going.values()]
        times += [
            one.ready_since + self.limits.min_ready
            for one in self.going.values()
            if one.ready_since is not None
        ]
        left = min(times, default=now + 1) - now
        return min(max(left * 1000, 1), _LOOK_AGAIN_MS)

    def blockers(self) -> list[str]:
        """Who is unavailable, so that no healthy one may go."""
        return [id for id, view in self.views.items() if not _available(view)]


def _steps(name: str, limits: Limits, progress: Progress) -> _Steps:
    found: Sequence[Service] = yield from _members(name)
    _check(found)
    members = [view for view in found if view.desired == "up"]
    # A stable sort: else in order of registration.
    order = sorted(members, key=lambda view: (not view.restart_required, _available(view)))
    state = _Roll(name, limits, [view.id for view in order])
    state.views = {view.id: view for view in members}
    try:
        yield from _run(state, progress)
    except UnknownService:
        raise
    except AzoraError as error:
        if not (state.going or state.restarted or state.failed):
            raise
        raise RollStopped(state.outcome(str(error))) from error
    if state.failed or state.waiting:
        raise RollStopped(state.outcome((yield from _reason(state))))
    return state.outcome()


def _run(state: _Roll, progress: Progress) -> _Steps:
    """Until all were restarted, or one failed and the others that were under way are decided."""
    while True:
        known = len(state.restarted)
        state.look(time.monotonic())
        for id in state.restarted[known:]:
            progress(f"{id}: ready ({_left(state)} left)")
        if not state.failed:
            yield from _take_down(state, progress)
        if not state.going and (state.failed or not state.waiting or _stalled(state)):
            return
        events = yield _Ask(None, wait_ms=state.wait_ms(time.monotonic()))
        state.lost(event.service_id for event in events if event.type in _LOST)
        yield from _read(state)


def _take_down(state: _Roll, progress: Progress) -> _Steps:
    """Restart as many as may go now."""
    while (id := state.next_one()) is not None:
        before = state.views[id]
        state.waiting.remove(id)
        try:
            yield _ask("drain", id, timeout_ms=state.limits.drain_ms, then="restart")
        except UnknownService:
            state.views.pop(id)
            continue
        except AzoraError as error:
            state.failed[id] = str(error)
            return
        state.stalled_since = None
        state.going[id] = _Going(before, time.monotonic() + state.limits.timeout)
        progress(f"{id}: restarting")


def _read(state: _Roll) -> _Steps:
    """The present state of all members."""
    for id in list(state.views):
        try:
            view: Service = yield _ask("service", id)
        except UnknownService:
            state.views.pop(id)
            if id in state.waiting:
                state.waiting.remove(id)
            continue
        if view.desired == "up" or id in state.going:
            state.views[id] = view
        elif id in state.waiting:  # its owner has stopped it meanwhile
            state.waiting.remove(id)
            state.views.pop(id)


def _stalled(state: _Roll) -> bool:
    """Whether the limit has held everything up for too long."""
    now = time.monotonic()
    if state.stalled_since is None:
        state.stalled_since = now
    return now - state.stalled_since >= state.limits.timeout


def _left(state: _Roll) -> int:
    return len(state.waiting) + len(state.going)


def _reason(state: _Roll) -> _Steps:
    """Why it ends before its time, in words."""
    said = []
    for id, reason in state.failed.items() or dict.fromkeys(state.blockers(), "").items():
        with contextlib.suppress(UnknownService):
            why = yield _ask("why", id)
            reason = "; ".join(filter(None, (reason, why.summary)))
        said.append(f"{id}: {reason}")
    return ", ".join(said)


def _members(name: str) -> _Steps:
    """The services that the name stands for, in order of registration."""
    try:
        entry: Service | None = yield _ask("service", name)
    except UnknownService:
        entry = None
    found: list[Service] = []
    for id in entry.instances if entry is not None else ():
        found.append((yield _ask("service", id)))
    found = found or (yield _ask("services", group=name)) or (yield _ask("services", type=name))
    if not found:
        raise UnknownService(f"{name}: there is no such service, entry, group or type")
    return found


def _check(members: Sequence[Service]) -> None:
    watched = [view.id for view in members if view.lifecycle == "WATCHING"]
    if watched:
        raise HealingUnavailable(f"{_names(watched)}: has only a URL, so Azora cannot restart it")


def _available(view: Service) -> bool:
    return view.status == "healthy" or (view.lifecycle == "DONE" and view.endpoint is None)


def _is_coming(view: Service) -> bool:
    return view.lifecycle in ("STARTING", "ADOPT")


def _is_newer(view: Service, before: Service) -> bool:
    if view.incarnation or before.incarnation:
        return view.incarnation > before.incarnation
    return view.restart_count > before.restart_count  # by a callable, which has no process


def _names(ids: Iterable[str]) -> str:
    return ", ".join(ids) or "none"
