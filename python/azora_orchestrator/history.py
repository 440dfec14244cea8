"""Past events: what `history()` answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, overload

from azora_orchestrator._moments import Span, moment_text, span_at

if TYPE_CHECKING:
    from azora_orchestrator.events import Event

__all__ = ["History", "HistoryGap", "Moment"]

# The number of an event, a time, or an age, as text or as a value.
Moment = int | str | datetime | timedelta

_PAGE = 1_000


class HistoryGap(NamedTuple):
    """Events that were lost before they could be stored, because the disk was slow or full.

    Attributes:
        from_seq: Number of the first of them.
        to_seq: Number of the last of them.
        lost: How many they are.
    """

    from_seq: int
    to_seq: int
    lost: int


class History(Sequence["Event"]):
    """Past events, oldest first: those there were when it was asked for. Immutable.

    Attributes:
        gaps: What is missing among them; usually nothing.

    Example:
        >>> for event in orch.history("24h", type="serviceRestarted"):
        ...     print(event.time, event.service_id, event.reason)
    """

    __slots__ = ("_events", "gaps")

    gaps: tuple[HistoryGap, ...]

    def __init__(self, events: Iterable[Event], gaps: Iterable[HistoryGap] = ()) -> None:
        self._events = tuple(events)
        self.gaps = tuple(gaps)

    def __len__(self) -> int:
        return len(self._events)

    @overload
    def __getitem__(self, index: int) -> Event: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Event]: ...
    def __getitem__(self, index: int | slice) -> Event | Sequence[Event]:
        return self._events[index]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, History):
            return NotImplemented
        return self._events == other._events and self.gaps == other.gaps

    def __hash__(self) -> int:
        return hash(self._events)

    def __repr__(self) -> str:
        if not self._events:
            return "<History empty>"
        first, last = self._events[0], self._events[-1]
        return f"<History {len(self)} events, {first.seq} to {last.seq}>"


_Rows = Sequence[tuple[int, int, int]]


def read(
    page: Callable[..., tuple[Sequence[Any], int, bool, _Rows]],
    since: Moment | None,
    until: Moment | None,
    types: Sequence[str] | None,
    service: str | None,
) -> History:
    """The history of a core, whose `history` is `page`. Raises InvalidArgument."""
    span = span_at(since, until)
    events: list[Event] = []
    gaps: dict[int, HistoryGap] = {}
    more = True
    while more:
        found, through, more, lost = page(*span, types, service, _PAGE)
        events += found
        gaps |= {row[0]: HistoryGap(*row) for row in lost}
        span = Span(through, *span[1:])
    return History(events, (gaps[seq] for seq in sorted(gaps)))


def query_of(
    since: Moment | None, until: Moment | None, types: Sequence[str] | None, service: str | None
) -> dict[str, object]:
    """The same for a request. Raises InvalidArgument."""
    return {
        "since": moment_text("since", since),
        "until": moment_text("until", until),
        "type": None if types is None else list(types),
        "service": service,
        "limit": _PAGE,
    }
