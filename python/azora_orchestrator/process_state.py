"""The process of a service and how the last one ended; its drain and its maintenance."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, cast

from azora_orchestrator._record import Record, time_of
from azora_orchestrator.vocabulary import DrainThen

__all__ = ["Drain", "LastExit", "LogLoss", "Maintenance", "Process"]


class LastExit(Record):
    """How the last process of a service ended."""

    __slots__ = ()

    @property
    def code(self) -> int | None:
        """Exit code; None when a signal ended it."""
        return self._data["code"]  # type: ignore[no-any-return]

    @property
    def signal(self) -> str | None:
        """Name of the signal that ended it, such as `SIGKILL`; None when it exited."""
        return self._data["signal"]  # type: ignore[no-any-return]

    @property
    def oom(self) -> bool | None:
        """Whether it was killed for lack of memory; None: that cannot be known."""
        return self._data["oom"]  # type: ignore[no-any-return]

    @property
    def at(self) -> datetime:
        """When it ended, UTC."""
        return cast(datetime, time_of(self._data["at"]))

    @property
    def reason(self) -> str | None:
        """Human-readable explanation, where there is more to say."""
        return self._data.get("reason")


class LogLoss(Record):
    """The latest loss of lines of a service's output."""

    __slots__ = ()

    @property
    def lines(self) -> int:
        """Number of lines that were lost."""
        return int(self._data["lines"])

    @property
    def bytes(self) -> int:
        """Number of bytes that were lost."""
        return int(self._data["bytes"])

    @property
    def since(self) -> datetime:
        """When it began, UTC."""
        return cast(datetime, time_of(self._data["since"]))

    @property
    def reason(self) -> str:
        """Why, such as `No space left on device`."""
        return str(self._data["reason"])

    @property
    def goes_on(self) -> bool:
        """Whether lines are still being lost."""
        return bool(self._data["goesOn"])


class Drain(Record):
    """A drain: the service is out of rotation until that is undone."""

    __slots__ = ()

    @property
    def state(self) -> Literal["draining", "drained"]:
        """Whether it still waits for leases (`draining`) or is over (`drained`)."""
        return cast(Literal["draining", "drained"], self._data["state"])

    @property
    def then(self) -> DrainThen:
        """What follows: `keep`, `stop` or `restart`."""
        return cast(DrainThen, self._data["then"])

    @property
    def since(self) -> datetime:
        """When it began, UTC."""
        return cast(datetime, time_of(self._data["since"]))

    @property
    def until(self) -> datetime:
        """When it is over at the latest, UTC."""
        return cast(datetime, time_of(self._data["until"]))


class Maintenance(Record):
    """A maintenance: the service is checked, but neither picked nor restarted."""

    __slots__ = ()

    @property
    def reason(self) -> str:
        """Why, in the words of its owner."""
        return str(self._data["reason"])

    @property
    def since(self) -> datetime:
        """When it began, UTC."""
        return cast(datetime, time_of(self._data["since"]))

    @property
    def until(self) -> datetime | None:
        """When it ends by itself, UTC; None: when its owner ends it."""
        return time_of(self._data["until"])


class Process(Record):
    """The process of a service, as it is now."""

    __slots__ = ()

    @property
    def pid(self) -> int | None:
        """Id of the main process while it runs; else None."""
        return self._data["pid"]  # type: ignore[no-any-return]

    @property
    def incarnation(self) -> int:
        """Number of this process of the service, from 1; 0 before the first."""
        return int(self._data["incarnation"])

    @property
    def started_at(self) -> datetime | None:
        """When it was started, UTC; None while none runs."""
        return time_of(self._data["startedAt"])

    @property
    def cpu_percent(self) -> float | None:
        """CPU use of the process and its descendants, 100 a core; None: not measured yet."""
        return self._data["cpuPercent"]  # type: ignore[no-any-return]

    @property
    def rss_bytes(self) -> int | None:
        """Memory of the process and its descendants in bytes; None: not measured yet."""
        return self._data["rssBytes"]  # type: ignore[no-any-return]

    @property
    def last_exit(self) -> LastExit | None:
        """How the previous process ended; None: none has ended."""
        data = self._data["lastExit"]
        return None if data is None else LastExit(data)

    @property
    def log_dropped(self) -> int:
        """Lines of output that a slow or full disk has cost."""
        return int(self._data["logDropped"])

    @property
    def log_loss(self) -> LogLoss | None:
        """The latest loss of output; None: there was none."""
        data = self._data.get("logLoss")
        return None if data is None else LogLoss(data)
