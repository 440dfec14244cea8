"""What the verbs print, from values alone."""

from __future__ import annotations

import pytest

from azora_orchestrator.cli import render


def test_a_tree_shows_each_service_once_under_what_starts_last() -> None:
    nodes = {
        "shop": ["db", "auth"],
        "db": [],
        "auth": ["db"],
        "web": ["shop", "db"],
        "mail": ["smtp"],
        "cron": [],
    }
    statuses = dict.fromkeys(nodes, "healthy") | {"shop": "degraded"}
    assert render.tree(nodes, statuses) == [
        "smtp [not registered]",
        "└─ mail [healthy]",
        "db [healthy]",
        "└─ auth [healthy]",
        "   └─ shop [degraded] needs db too",
        "      └─ web [healthy] needs db too",
        "cron [healthy]",
    ]
    assert render.tree({}, {}) == []


def test_a_tree_may_be_deep() -> None:
    nodes = {f"s{index}": [f"s{index - 1}"] if index else [] for index in range(5000)}
    assert len(render.tree(dict(reversed(nodes.items())), {})) == 5000


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "-"),
        (1, "1 ms"),
        (999, "999 ms"),
        (1000, "1 s"),
        (119_999, "119 s"),
        (120_000, "2 min"),
        (3 * 3_600_000, "3 h"),
        (50 * 3_600_000, "2 d"),
    ],
)
def test_a_span_is_short(ms: int, text: str) -> None:
    assert render.span(ms) == text


def test_an_event_is_one_line() -> None:
    event = {
        "seq": 7,
        "time": "2026-01-02T03:04:05.678Z",
        "type": "serviceExited",
        "serviceId": "shop",
        "incarnation": 2,
        "cause": "crash",
        "pid": 42,
        "code": None,
        "signal": "SIGKILL",
        "actor": "orchestrator",
    }
    assert render.event_line(event).split() == (
        [
            "7",
            "03:04:05.678",
            "serviceExited",
            "shop",
            "crash",
            "pid=42",
            "signal=SIGKILL",
        ]
    )


def test_who_asked_is_shown_if_it_was_not_the_orchestrator() -> None:
    event = {"seq": 7, "type": "serviceStopped", "serviceId": "a", "actor": "rest"}
    assert render.event_line(event).split()[-1] == "actor=rest"


def test_a_gap_has_no_number_to_go_on_from() -> None:
    assert render.event_line({"seq": 3, "type": "gap", "fromSeq": 4}).split()[0] == "-"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, \ttab, line\n", "plain text, \ttab, line\n"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("a\rb\x08", "a\\x0db\\x08"),
        ("\x9b31m \x7f", "\\x9b31m \\x7f"),
        ("\u00e4 \u2026 \U0001f600", "\u00e4 \u2026 \U0001f600"),
    ],
)
def test_controls_are_spelled_out(text: str, shown: str) -> None:
    assert render.visible(text) == shown


def test_a_warning_has_its_word_after_its_place() -> None:
    assert render.warning("a.toml:3: x: unused") == "a.toml:3: warning: x: unused"
