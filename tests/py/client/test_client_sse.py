"""client/sse.py without a network: how bytes become events, and where a stream goes on."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azora_orchestrator.client.sse import Decoder, Frame, LineSplitter, OtherLog, Position, TooLong


def event(seq: int, type: str = "serviceHealthy", **more: Any) -> dict[str, Any]:
    return {"seq": seq, "time": "2026-01-01T00:00:00.000Z", "type": type} | more


def frame(data: dict[str, Any]) -> Frame:
    return Frame("", json.dumps(data).encode())


def gap(place: int, first: int, last: int, count: int, reason: str = "slow") -> dict[str, Any]:
    span = {"fromSeq": first, "toSeq": last, "count": count, "reason": reason}
    return event(place, "gap", **span)


STREAM = (
    b'retry: 1000\n\nid: 1\nevent: a\ndata: {"seq":1}\n\n: still here\n\n'
    b'id: 2\r\nevent: b\r\ndata: {"seq":\r\ndata: 2}\r\n\r\nevent: gap\ndata: {}\n\ndata: cut'
)
FRAMES = [Frame("1", b'{"seq":1}'), Frame("2", b'{"seq":\n2}'), Frame("", b"{}")]


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_a_stream_is_the_same_however_it_is_cut(cuts: list[int]) -> None:
    decoder, found, before = Decoder(), [], 0
    for cut in [*sorted(cuts), len(STREAM)]:
        found += decoder.feed(STREAM[before:cut])
        before = cut
    assert found == FRAMES


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=8))
def test_lines_are_the_same_however_they_are_cut(text: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(text) + 200]
    chunks = [text[a:b] for a, b in pairwise(edges)]
    lines = list(LineSplitter().all_of(chunks))
    expected = [part.decode("utf-8", "replace") for part in text.split(b"\n")]
    assert lines == (expected[:-1] if not expected[-1] else expected)


def test_an_event_without_end_is_refused() -> None:
    decoder = Decoder()
    assert list(decoder.feed(b"data: " + b"x" * 1_000_000)) == []
    with pytest.raises(TooLong):
        list(decoder.feed(b"x" * 9_000_000))


def test_it_begins_where_it_was_told_and_goes_on_with_the_last_event() -> None:
    position = Position(7, ["a", "b"], "db")
    asked = position.request()
    assert asked.path == "/events?since=7&type=a&type=b&service=db"
    assert asked.headers == {}
    first = frame(event(8))
    assert position.take(first) == first.data
    again = position.request()
    assert again.headers == {"Last-Event-ID": "7"}
    assert position.take(first) is None  # it was read before
    assert position.take(frame(event(9))) is not None


def test_another_event_of_that_number_is_of_another_log() -> None:
    position = Position(0, None, None)
    assert position.take(frame(event(5, serviceId="a"))) is not None
    position.request()
    with pytest.raises(OtherLog):
        position.take(frame(event(5, serviceId="b")))
    asked = position.request()
    assert asked.headers == {}
    assert "since=4611686018427387904" in asked.path  # beyond its end: it sends a reset, then all
    reset = frame(gap(0, 0, 0, 0, "reset"))
    assert position.take(reset) == reset.data
    assert position.take(frame(event(1))) is not None
    assert position.request().headers == {"Last-Event-ID": "0"}


def test_a_reset_by_the_server_is_passed_on() -> None:
    position = Position(0, None, None)
    assert position.take(frame(event(50))) is not None
    position.request()
    reset = frame(gap(0, 0, 0, 0, "reset"))
    assert position.take(reset) == reset.data
    assert position.take(frame(event(1))) is not None


def test_a_gap_is_told_once_and_only_for_what_was_not_read() -> None:
    position = Position(0, None, None)
    first = frame(gap(0, 1, 10, 10))
    assert position.take(first) == first.data
    assert position.take(frame(event(11))) is not None
    position.request()
    assert position.take(frame(gap(10, 1, 10, 10))) is None
    assert position.take(frame(event(11))) is None
    position.request()
    found = position.take(frame(gap(10, 11, 20, 10)))  # the last event is gone meanwhile, too
    assert found is not None
    assert json.loads(found) == gap(10, 12, 20, 9)
    assert position.take(frame(event(21))) is not None


@pytest.mark.parametrize("data", [b"[]", b"{}", b'{"seq":"1"}', b"no"])
def test_what_is_not_an_event_is_an_error(data: bytes) -> None:
    with pytest.raises(ValueError):
        Position(0, None, None).take(Frame("", data))
