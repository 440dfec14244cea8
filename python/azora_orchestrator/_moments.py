"""Moments of the past as callers name them: the number of an event, a time, or an age."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from azora_orchestrator._shown import shown
from azora_orchestrator.errors import InvalidArgument

__all__ = [
    "MOMENT_RULE",
    "Span",
    "age_ms",
    "cursor_of",
    "moment_of",
    "moment_text",
    "span_at",
    "span_of_cursor",
]

MOMENT_RULE = (
    'the number of an event, a time such as "2026-12-01T09:00:00Z", or an age such as "24h"'
)
_AGE = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?) ?(ms|s|m|min|h|d)")
_UNITS = {"ms": 1, "s": 1000, "m": 60_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
_LONGEST_MS = 100 * 366 * 86_400_000
_MOST_SEQ = 2**63 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CURSOR = re.compile(r"([0-9]{1,18})\.([0-9]{1,19})\.(-?[0-9]{0,15})\.(-?[0-9]{0,15})")


class Span(NamedTuple):
    """Which past events are asked for.

    Attributes:
        after: Behind this number.
        before: And before this one.
        since_ms: Not earlier than this, in ms since 1970; None: no such bound.
        until_ms: Earlier than this.
    """

    after: int = 0
    before: int = _MOST_SEQ
    since_ms: int | None = None
    until_ms: int | None = None


class _Time(NamedTuple):
    ms: int


def age_ms(text: str) -> int | None:
    """An age such as "90s", "24h" or "30d"; None: it is none."""
    match = _AGE.fullmatch(text)
    ms = round(float(match[1]) * _UNITS[match[2]]) if match else _LONGEST_MS + 1
    return ms if ms <= _LONGEST_MS else None


def moment_of(value: object, now_ms: int) -> int | _Time | None:
    """The number of an event, or a time; None: the value is neither."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if 0 <= value <= _MOST_SEQ else None
    if isinstance(value, timedelta):
        ms = _ms(value)
        return _Time(now_ms - ms) if 0 <= ms <= _LONGEST_MS else None
    if isinstance(value, datetime):
        return None if value.tzinfo is None else _Time(_ms(value - _EPOCH))
    return _moment_of_text(value, now_ms) if isinstance(value, str) else None


def _moment_of_text(text: str, now_ms: int) -> int | _Time | None:
    if text.isascii() and text.isdigit():
        number = int(text) if len(text) <= 19 else _MOST_SEQ + 1
        return number if number <= _MOST_SEQ else None
    if (age := age_ms(text)) is not None:
        return _Time(now_ms - age)
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return _Time(_ms((time if time.tzinfo else time.replace(tzinfo=UTC)) - _EPOCH))


def _ms(span: timedelta) -> int:
    return -(-span // timedelta(milliseconds=1))  # rounded up: events have whole milliseconds


def moment_text(name: str, value: object) -> str | None:
    """The same as a query has it. Raises InvalidArgument."""
    if value is None:
        return None
    _checked(name, value, 0)
    if isinstance(value, timedelta):
        return f"{_ms(value)}ms" if _ms(value) < 10**9 else f"{_ms(value) // 1000}s"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value)


def span_at(since: object, until: object, now_ms: int | None = None) -> Span:
    """What lies between two moments; None: no bound. Raises InvalidArgument."""
    now_ms = round(time.time() * 1000) if now_ms is None else now_ms
    span = Span()
    if since is not None:
        begin = _checked("since", since, now_ms)
        span = (
            span._replace(since_ms=begin.ms)
            if isinstance(begin, _Time)
            else span._replace(after=begin)
        )
    if until is not None:
        end = _checked("until", until, now_ms)
        span = (
            span._replace(until_ms=end.ms) if isinstance(end, _Time) else span._replace(before=end)
        )
    return span


def _checked(name: str, value: object, now_ms: int) -> int | _Time:
    moment = moment_of(value, now_ms)
    if moment is None:
        raise InvalidArgument(f"{name} is {shown(value)}; it must be {MOMENT_RULE}")
    return moment


def cursor_of(span: Span, through: int) -> str:
    """The text with which the next page begins: ages are resolved in it, once for all pages."""
    since = "" if span.since_ms is None else span.since_ms
    until = "" if span.until_ms is None else span.until_ms
    return f"{through}.{span.before}.{since}.{until}"


def span_of_cursor(text: str) -> Span | None:
    """The rest of what is asked for; None: it is no such text."""
    match = _CURSOR.fullmatch(text)
    if match is None or "-" in (match[3], match[4]) or int(match[2]) > _MOST_SEQ:
        return None
    since, until = (int(one) if one else None for one in (match[3], match[4]))
    return Span(int(match[1]), int(match[2]), since, until)
