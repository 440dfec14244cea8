"""Reads server-sent events and remembers where to go on. No input or output of its own.

A stream goes on with the last event that it has read, not after it: if the server sends that event
again, it is the same log, and the event is left out. If it sends another one, the server was
started anew and its numbers begin again; the log is then read from its beginning behind a `gap`
whose reason is `reset`. So no event is lost without a `gap` that says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from azora_orchestrator.client import requests
from azora_orchestrator.client.requests import Request

_LONGEST = 4 << 20  # characters of one event: far above what a server sends
MOST_SEQ = 2**63 - 1
_BEYOND_ANY_LOG = 2**62  # asked for, the server sends a `gap` with the reason `reset`, then all


class Frame(NamedTuple):
    """One event of the stream: its number, if it has one, and its data."""

    id: str
    data: bytes


class TooLong(Exception):
    """An event is longer than any that a server of ours sends."""


class Decoder:
    """Turns the bytes of a stream into frames, however they are cut."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []
        self._id = ""

    def feed(self, chunk: bytes) -> Iterator[Frame]:
        """The frames that are complete with these bytes. Raises TooLong."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > _LONGEST:
            raise TooLong
        for line in lines:
            name, _, value = line.removesuffix(b"\r").partition(b":")
            value = value.removeprefix(b" ")
            if name == b"data":
                self._data.append(value)
            elif name == b"id":
                self._id = value.decode("latin-1")
            elif not line.strip() and self._data:
                yield Frame(self._id, b"\n".join(self._data))
                self._data, self._id = [], ""


class LineSplitter:
    """Turns the bytes of a service's output into lines without their end, however they are cut."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> list[str]:
        """The lines that are complete with these bytes."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        return [line.decode("utf-8", "replace") for line in lines]

    def rest(self) -> list[str]:
        """What is left at the end."""
        return [self._rest.decode("utf-8", "replace")] if self._rest else []

    def all_of(self, chunks: Iterable[bytes]) -> Iterator[str]:
        """All lines."""
        for chunk in chunks:
            yield from self.feed(chunk)
        yield from self.rest()


class OtherLog(Exception):
    """The server does not know the last event: connect once more, from the beginning."""


def wants_failures(types: Sequence[str] | None, service: str | None) -> bool:
    """Whether failures of the client's own handlers are among these events."""
    return service is None and (types is None or "callbackFailed" in types)


class Position:
    """Where a stream is, and what it asks for next.

    Args:
        since: The number after which it begins.
        types: Names of events; None: all.
        service: Id of a service or an entry; None: all.
    """

    def __init__(self, since: int, types: Sequence[str] | None, service: str | None) -> None:
        self._since = since
        self._types = types
        self._service = service
        self._last: dict[str, Any] | None = None  # the last event with a number
        self._reported = 0  # the end of the last gap
        self._resuming = False

    def request(self, *, follow: bool = True) -> Request:
        """The request that opens the stream, or opens it again."""
        asked = requests.get(
            "events",
            since=self._since,
            type=list(self._types) if self._types else None,
            service=self._service,
            follow=None if follow else "0",
        )
        self._resuming = self._last is not None
        if self._last is None:
            return asked
        return asked._replace(headers={"Last-Event-ID": str(self._last["seq"] - 1)})

    def take(self, frame: Frame) -> bytes | None:
        """The event of a frame; None: it was read before.

        Raises:
            OtherLog: The server was started anew.
            ValueError: The frame has no event.
        """
        event = json.loads(frame.data)
        if not isinstance(event, dict) or not isinstance(event.get("seq"), int):
            raise ValueError("it sent an event without a number")
        if event.get("type") == "gap":
            return self._take_gap(event, frame.data)
        last, resuming, self._resuming = self._last, self._resuming, False
        if resuming and last is not None and event["seq"] <= last["seq"]:
            if event == last:
                return None
            self._since, self._last, self._reported = _BEYOND_ANY_LOG, None, 0
            raise OtherLog
        self._last = event
        return frame.data

    def _take_gap(self, gap: dict[str, Any], data: bytes) -> bytes | None:
        if gap.get("reason") == "reset":
            self._since, self._last, self._reported, self._resuming = 0, None, 0, False
            return data
        known = max(self._reported, self._last["seq"] if self._last and self._resuming else 0)
        self._reported = max(self._reported, gap["toSeq"])
        if gap["fromSeq"] > known:
            return data
        if gap["toSeq"] <= known:
            return None
        count = min(gap["count"], gap["toSeq"] - known)
        rest = gap | {"fromSeq": known + 1, "count": count}
        return json.dumps(rest, ensure_ascii=False, separators=(",", ":")).encode()
