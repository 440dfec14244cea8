"""Parameters of queries: every number has bounds, and a wrong one begins nothing."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from azora_orchestrator import MasterOrchestrator
from azora_orchestrator.server import parameters

pytestmark = [pytest.mark.native, pytest.mark.process]

HUGE = ["0000000009999999999", "9" * 5000, "1" * 40, str(2**63), str(2**64), str(2**70)]
NOT_NUMBERS = ["-1", "+1", "1.0", "1e3", " 1", "1_0", "\u0663", "\u00b2", "x", "0x10", "nan"]


@pytest.fixture
def stopped(orch: MasterOrchestrator, process: Any) -> str:
    """A process service that is down."""
    orch.register(process("p"))
    orch.stop_service("p")
    orch.wait_stopped("p", timeout_ms=30_000)
    return "p"


@pytest.mark.parametrize("number", [*HUGE, *NOT_NUMBERS])
def test_a_number_out_of_bounds_is_refused_before_anything_begins(
    number: str, stopped: str, orch: MasterOrchestrator, api: Any
) -> None:
    seq = api.get("/healthz").headers["Azora-Seq"]
    for method, path, name in (
        ("POST", f"/services/{stopped}/start?wait=ready&", "timeoutMs"),
        ("POST", f"/services/{stopped}/stop?wait=stopped&", "timeoutMs"),
        ("POST", f"/services/{stopped}/restart?wait=ready&", "timeoutMs"),
        ("GET", f"/services/{stopped}/logs?", "lines"),
        ("GET", "/events?follow=0&", "since"),
    ):
        answer = api.ask(method, f"{path}{name}={quote(number)}")
        if (name, number) == ("since", HUGE[0]):
            assert answer.status == 200  # an event number may be so large
            continue
        assert (answer.status, answer.json["code"]) == (400, "invalid_argument"), (path, number)
        assert answer.json["error"].startswith(f"{name}: is ")
        assert "it must be 0 to " in answer.json["error"]
    assert api.get("/healthz").headers["Azora-Seq"] == seq
    assert orch.service(stopped).desired == "down"


def test_leading_zeros_pass_no_bound(stopped: str, api: Any) -> None:
    assert api.get(f"/services/{stopped}/logs?lines=0000000000099999").status == 400
    assert api.get(f"/services/{stopped}/logs?lines=00010").status == 200


def test_an_empty_value_is_the_default(stopped: str, api: Any) -> None:
    assert api.get(f"/services/{stopped}/logs?lines=&follow=&timestamps=").status == 200
    with api.stream("/events?follow=0&since=&service=&type=") as frames:
        assert list(frames) == []
    assert api.ask("POST", f"/services/{stopped}/start?wait=&timeoutMs=&dependents=").status == 202


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("wait=up", 'wait: is "up"; it must be ready'),
        ("dependents=maybe", 'dependents: is "maybe"; it must be 1 or 0'),
        ("wait=ready&wait=ready", "wait: given 2 times; give it once"),
        ("timeoutMs=600001", 'timeoutMs: is "600001"; it must be 0 to 600000'),
        ("&".join(f"x{index}=1" for index in range(65)), "the query has more than 64 parameters"),
    ],
)
def test_what_is_wrong_is_said_with_its_rule(query: str, said: str, stopped: str, api: Any) -> None:
    answer = api.ask("POST", f"/services/{stopped}/start?{query}")
    assert (answer.status, answer.json["error"]) == (400, said)
    assert answer.json["success"] is False


def test_several_wrong_ones_are_said_together(stopped: str, api: Any) -> None:
    error = api.get(f"/services/{stopped}/logs?lines=x&follow=y").json["error"]
    assert error == 'lines: is "x"; it must be 0 to 10000; follow: is "y"; it must be 1 or 0'


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=40), st.integers(0, 100), st.integers(100, 10**6))
def test_whatever_a_number_is_it_is_within_bounds_or_refused(
    text: str, low: int, high: int
) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(Annotated[int, parameters.whole_number(low, high)])
    given_text = text or "x"
    if given_text.isascii() and given_text.isdigit() and low <= int(given_text) <= high:
        assert adapter.validate_python(given_text) == int(given_text)
        return
    with pytest.raises(ValidationError, match=f"it must be {low} to {high}"):
        adapter.validate_python(given_text)
