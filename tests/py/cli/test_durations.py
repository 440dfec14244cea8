"""One grammar of durations (R65): in services, settings and options. REST takes integers alone."""

from __future__ import annotations

import json

import pytest

from azora_orchestrator import _core, config_rules
from azora_orchestrator.cli.client import Failure
from azora_orchestrator.cli.common import duration_ms

GOOD = {
    "0ms": 0,
    "1ms": 1,
    "500ms": 500,
    "500 ms": 500,
    "1s": 1000,
    "2s": 2000,
    "1.5s": 1500,
    "0.25s": 250,
    "1.001s": 1001,
    "0.29s": 290,
    "00030s": 30_000,
    "90 s": 90_000,
    "1m": 60_000,
    "1.5m": 90_000,
    "2min": 120_000,
    "0.5 min": 30_000,
    "1h": 3_600_000,
    "0.1h": 360_000,
    "24h": 86_400_000,
    "596h": 2_145_600_000,
}
BAD = [
    "",
    " ",
    "s",
    "ms",
    "-1s",
    "+1s",
    "1 s ",
    " 1s",
    "1  s",
    "1\ts",
    "1S",
    "1sec",
    "1 seconds",
    "1d",
    "1us",
    "1.s",
    ".5s",
    "1.5.0s",
    "1,5s",
    "1e3ms",
    "0x10ms",
    "0.5ms",
    "1.0005s",
    "1m30s",
    "1h 30m",
    "597h",
    "99999999999h",
    "nan s",
    "infs",
    "soon",
    "\u0663s",
    "\u00b2s",
    "1s\n",
]


def of_a_service(value: object, origin: str = "file") -> int | None:
    """As the core reads the wait between restarts; None: refused."""
    service = {"id": "a", "type": "t", "endpoint": "http://h", "restartDelay": value}
    faults = _core.check(json.dumps(service), origin, "")
    assert all(field == "restartDelay" for field, _ in faults), faults
    return None if faults else 1


def of_a_setting(text: str) -> int | None:
    try:
        return config_rules.duration(text)
    except config_rules.Wrong:
        return None


def of_an_option(text: str) -> int | None:
    try:
        return duration_ms("--timeout", text)
    except Failure:
        return None


@pytest.mark.parametrize("text", GOOD)
def test_a_duration_is_one_everywhere(text: str) -> None:
    assert of_a_setting(text) == GOOD[text]
    assert of_an_option(text) == GOOD[text]
    assert of_a_service(text) is not None


@pytest.mark.parametrize("text", BAD)
def test_what_is_none_is_none_anywhere(text: str) -> None:
    assert of_a_setting(text) is None
    assert of_an_option(text) is None
    assert of_a_service(text) is None


def test_a_plain_number_is_milliseconds_in_files_and_seconds_in_options() -> None:
    assert config_rules.duration(250) == 250
    assert of_a_service(250) is not None
    assert (of_an_option("2"), of_an_option("0.5")) == (2000, 500)
    # In quotes it has no unit, where it could mean either.
    assert of_a_setting("250") is None
    assert of_a_service("250") is None


@pytest.mark.parametrize("text", GOOD)
def test_over_rest_it_is_an_integer(text: str) -> None:
    assert of_a_service(text, "rest") is None
    assert of_a_service(GOOD[text], "rest") is not None
