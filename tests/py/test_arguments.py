"""Wrong arguments are refused in the words of the caller, by every method."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from azora_orchestrator import (
    AzoraError,
    Dependency,
    HealthCheck,
    InvalidArgument,
    InvalidSpec,
    LogConfig,
    MasterOrchestrator,
    ProcessConfig,
    ServiceConfig,
)

pytestmark = pytest.mark.native

HUGE = 2**70
ENDLESS = 10**5000
# Words that only the inside of the package knows.
INSIDE = re.compile(r"_core|pybind11|incompatible function|0x[0-9a-f]+|C\+\+|cast|self:|Core\b")
WRONG: dict[str, tuple[Any, ...]] = {
    "id": (5, None, b"a", "\ud800", ["a"]),
    "pool": (5, None, b"a", "\ud800"),
    "timeout_ms": ("1s", True, float("nan"), timedelta(seconds=2), [1]),
    "type": (5, b"a", "\ud800", [5], "serviceTypo"),
    "group": (5, "\ud800"),
    "service": (5, "\ud800"),
    "since": (-1, HUGE, 1.5, "1", True),
    "until": (-1, HUGE, ENDLESS, 1.5, "x", True, b"1h"),
    "lines": (-1, HUGE, ENDLESS, 1.5, "x", None),
    "timestamps": (1, None, "yes"),
    "path": (5, ["a"]),
    "plan": (1, None, "yes"),
    "restart_changed": (1, None, "yes"),
    "dependents": (1, None, "yes"),
    "dependencies": (1, None, "yes"),
    "strategy": (5, "best", "\ud800"),
    "key": (5, b"a", "\ud800"),
    "allow_degraded": (1, "yes"),
    "panic_threshold": (-0.1, 1.1, float("nan"), HUGE, ENDLESS, True, "x"),
    "lease_ttl_ms": (-5, 0, HUGE, ENDLESS, 1.5, True, float("nan")),
    "apply": (5, "now", None),
    "services": (5, None, "a", [5]),
    "leave": (True,),
    "name": (5, None, b"a", "\ud800"),
    "max_unavailable": (0, -1, HUGE, 1.5, "1", True, None),
    "min_ready_ms": ("1s", True, float("nan"), timedelta(seconds=2), 60_000),
    "then": (5, None, "later", "\ud800"),
    "reason": (5, None, "", "\ud800", "x" * 1001),
}
# Of a method whose parameter means something else than those of the same name.
OWN_WRONG: dict[tuple[str, str], tuple[Any, ...]] = {
    ("maintenance", "until"): (
        5,
        "soon",
        "2030-01-31T12:00:00",
        "2001-01-31T12:00:00Z",
        datetime(2100, 1, 1),
    ),
}
LEFT_TO_OTHERS = {
    ("pick", "pool"),  # a builtin: it raises TypeError as any function of C does
    ("pick", "key"),
    ("pick", "strategy"),
    ("wait_ready", "id"),  # takes lists, too: below
    ("wait_stopped", "id"),
    ("services", "type"),  # any text may be a type
    ("register", "service"),  # below
    ("history", "since"),  # takes texts, too: test_history.py
}


def cases() -> list[tuple[str, str, Any]]:
    found = []
    for method, function in inspect.getmembers(MasterOrchestrator, inspect.isfunction):
        if method.startswith("_"):
            continue
        for name in inspect.signature(function).parameters:
            if name in WRONG and (method, name) not in LEFT_TO_OTHERS:
                values = OWN_WRONG.get((method, name), WRONG[name])
                found += [(method, name, wrong) for wrong in values]
    return found


def call(orch: MasterOrchestrator, method: str, **given: Any) -> Any:
    """Call a method with the right arguments and one wrong one."""
    function = getattr(orch, method)
    parameters = inspect.signature(getattr(MasterOrchestrator, method)).parameters
    right: dict[str, Any] = {"id": "a", "pool": "core", "type": "gap", "services": [], "name": "a"}
    right["reason"] = "work"
    if method == "register":
        right = {"service": ServiceConfig(id="z", type="core", endpoint="http://127.0.0.1:9")}
    needed = {
        name: right[name]
        for name, parameter in list(parameters.items())[1:]
        if name in right and parameter.default is parameter.empty
    }
    values = {**needed, **given}
    if method == "register":
        return function(given.get("service", right["service"]), apply=given.get("apply"))
    return function(**values)


@pytest.mark.parametrize(
    ("method", "name", "wrong"),
    cases(),
    ids=lambda one: str(one)[:20] if isinstance(one, str) or one != ENDLESS else "10**5000",
)
def test_a_wrong_argument_is_refused_by_name(
    orch: MasterOrchestrator, method: str, name: str, wrong: Any
) -> None:
    orch.register(id="a", type="core", endpoint="http://127.0.0.1:9")
    with pytest.raises(AzoraError) as caught:
        call(orch, method, **{name: wrong})
    assert isinstance(caught.value, InvalidArgument), caught.value
    assert INSIDE.search(str(caught.value)) is None
    assert name in str(caught.value) or name == "services"
    assert len(orch.services()) == 1


def test_every_parameter_has_its_wrong_values() -> None:
    known = {(method, name) for method, name, _ in cases()} | LEFT_TO_OTHERS
    harmless = {"handler", "fields", "wait", "detailed"}  # any value, or judged elsewhere
    for method, function in inspect.getmembers(MasterOrchestrator, inspect.isfunction):
        if not method.startswith("_"):
            for name in list(inspect.signature(function).parameters)[1:]:
                if name not in harmless and (method, name) != ("register", "service"):
                    assert (method, name) in known


@pytest.mark.parametrize("wrong", [5, "a", b"a", None, [("id", "a")]])
def test_what_is_no_service_is_refused(orch: MasterOrchestrator, wrong: Any) -> None:
    with pytest.raises(InvalidArgument, match="register"):
        orch.register(wrong)


@pytest.mark.parametrize("wrong", [5, [None], 1.5, [b"a"], "\ud800"])
def test_ids_to_wait_for_are_strings(orch: MasterOrchestrator, wrong: Any) -> None:
    for wait in (orch.wait_ready, orch.wait_stopped):
        with pytest.raises(InvalidArgument, match="id is "):
            wait(wrong)


@pytest.mark.parametrize("wrong", [5, 1.5, ["a"], "\0"])
def test_a_folder_is_a_path(wrong: Any) -> None:
    with pytest.raises(InvalidArgument, match="runtime_dir is "):
        MasterOrchestrator(runtime_dir=wrong)


@pytest.mark.parametrize("wrong", [(5,), ("\ud800",), ("core", b"k"), ("core", None, 5)])
def test_the_builtin_pick_says_what_it_takes(orch: MasterOrchestrator, wrong: Any) -> None:
    with pytest.raises((TypeError, UnicodeEncodeError)) as caught:
        orch.pick(*wrong)
    assert INSIDE.search(str(caught.value)) is None


def test_times_that_are_numbers_are_taken(orch: MasterOrchestrator) -> None:
    for timeout in (0, -5, 2.5, float("inf"), HUGE, ENDLESS):
        orch.stop(timeout_ms=timeout)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgument, match=r"it must be milliseconds: 2500"):
        orch.stop(timeout_ms=timedelta(seconds=2.5))  # type: ignore[arg-type]


Judge = Callable[[MasterOrchestrator, list[Any]], InvalidSpec]


def refused(orch: MasterOrchestrator, *services: Any) -> dict[str, str]:
    with pytest.raises(InvalidSpec) as caught:
        orch.register_many(services)
    assert str(caught.value) == "; ".join(map(": ".join, caught.value.faults))
    return dict(caught.value.faults)


def config(**fields: Any) -> ServiceConfig:
    return ServiceConfig(**{"id": "a", "type": "core", "endpoint": "http://127.0.0.1:9", **fields})


def test_faults_name_fields_as_they_were_written(orch: MasterOrchestrator) -> None:
    assert set(refused(orch, config(health_check_interval_ms=5, max_restarts=-7))) == {
        "health_check_interval_ms",
        "max_restarts",
    }
    typed = config(
        endpoint=None,
        health_check=HealthCheck(type="process", start_timeout_ms=-1, timeout_ms=-1),
        process=ProcessConfig(argv=["x"], stop_timeout_ms=-1, log=LogConfig(max_bytes=1)),
        dependencies=["b", Dependency(id="c", on_restart="never")],  # type: ignore[arg-type]
    )
    assert set(refused(orch, typed)) == {
        "health_check.start_timeout_ms",
        "health_check.timeout_ms",
        "process.stop_timeout_ms",
        "process.log.max_bytes",
        "dependencies[1].on_restart",
    }


def test_inside_a_plain_dict_the_names_of_the_wire_stay(orch: MasterOrchestrator) -> None:
    plain = config(health_check={"startTimeout": -1}, process={"argv": [], "stopTimeout": -1})
    assert set(refused(orch, plain)) == {
        "health_check.startTimeout",
        "process.argv",
        "process.stopTimeout",
    }
    wire = {"id": "b", "type": "core", "endpoint": "x", "healthCheckInterval": 5}
    assert set(refused(orch, wire)) == {"endpoint", "healthCheckInterval"}
    several = refused(orch, wire, config(health_check_interval_ms=5))
    assert set(several) == {
        "services[0].endpoint",
        "services[0].healthCheckInterval",
        "services[1].health_check_interval_ms",
    }


def test_rules_speak_of_fields_as_they_were_written(orch: MasterOrchestrator) -> None:
    faults = refused(
        orch,
        config(
            health_check_interval_ms=1000,
            health_check=HealthCheck(timeout_ms=2000, unhealthy_threshold=5, restart_threshold=2),
        ),
        config(id="b", endpoint=None, process=ProcessConfig(argv=["x"])),
    )
    text = " ".join(faults.values())
    assert "health_check_interval_ms" in text
    assert "health_check.type" in text
    assert re.search(r"\b[a-z]+[A-Z]", re.sub(r'"[^"]*"', "", text)) is None, text


class Unshowable:
    def __repr__(self) -> str:
        raise RuntimeError("no text")


def test_a_value_that_cannot_be_shown_is_refused_all_the_same(orch: MasterOrchestrator) -> None:
    for wrong in (ENDLESS, Unshowable()):
        assert set(refused(orch, config(priority=wrong))) == {"priority"}
        with pytest.raises(InvalidArgument, match="lines is a value of type"):
            orch.logs("a", lines=wrong)  # type: ignore[arg-type]
        with pytest.raises(InvalidArgument, match="register: a value of type"):
            orch.register(wrong)  # type: ignore[call-overload]
        with pytest.raises(InvalidArgument, match="starts_per_second is a value of type"):
            MasterOrchestrator(starts_per_second=wrong)  # type: ignore[arg-type]


def test_what_json_cannot_say_is_named_likewise(orch: MasterOrchestrator) -> None:
    assert set(refused(orch, config(health_check_path=object()))) == {"health_check_path"}
    assert set(refused(orch, config(restart_max_delay_ms=float("nan")))) == {"restart_max_delay_ms"}
    huge = config(priority=HUGE, health_check=HealthCheck(timeout_ms=HUGE), metadata={"a": HUGE})
    faults = refused(orch, huge)
    assert faults["priority"].endswith("it must be an integer from 1 to 10")
    assert "at most 2147483647 (milliseconds)" in faults["health_check.timeout_ms"]
    assert faults["metadata.a"].endswith("it must be a number of 64 bits")
    (fault,) = refused(orch, config(kill_timeout_ms=timedelta(seconds=2))).values()
    assert fault.endswith("it must be milliseconds: 2000")


@pytest.mark.parametrize("weight", [float("inf"), 2**70, object()])
def test_a_value_that_json_cannot_say_hides_no_other_fault(
    orch: MasterOrchestrator, weight: Any
) -> None:
    fields = {"type": "core", "endpoint": "http://h"}
    wrong = {"id": "a", "weight": weight, "priority": 11} | fields
    with pytest.raises(InvalidSpec) as caught:
        orch.register(wrong)
    assert sorted(fault.field for fault in caught.value.faults) == ["priority", "weight"]
    with pytest.raises(InvalidSpec) as caught:
        orch.register_many([{"id": "b"} | fields | {"priority": 0}, wrong])
    assert sorted(fault.field for fault in caught.value.faults) == [
        "services[0].priority",
        "services[1].priority",
        "services[1].weight",
    ]
