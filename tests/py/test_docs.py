"""What help(), completion and hovering show: all that is public, and nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import doctest
import inspect
import pydoc
import queue
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import azora_orchestrator
from azora_orchestrator import (
    EVENT_TYPES,
    AsyncClient,
    AsyncMasterOrchestrator,
    AzoraError,
    Client,
    Event,
    EventStream,
    HealthCheckEvent,
    InvalidArgument,
    Lease,
    MasterOrchestrator,
    ServiceConfig,
    Subscription,
    _core,
    event_classes,
)
from azora_orchestrator.client import RemoteEvents
from azora_orchestrator.server import create_app
from conftest import WebService
from repository_rig import faults_of
from rest.conftest import serving

pytestmark = pytest.mark.native

Web = Callable[[], WebService]
PUBLIC = {name: getattr(azora_orchestrator, name) for name in azora_orchestrator.__all__}
CLASSES = {
    name: value
    for name, value in PUBLIC.items()
    if inspect.isclass(value) and not issubclass(value, AzoraError)
}
# What help() must not show.
INSIDE = re.compile(r"\b_core\b|pybind11|_runtime|_view_|Runtime\b|CoreHandle|0x[0-9a-f]{6}")


def members(made: type) -> Iterator[tuple[str, Any]]:
    """The public members that a class defines, or a base of ours."""
    for name in dir(made):
        if not name.startswith("_"):
            owner = next(base for base in made.__mro__ if name in vars(base))
            if owner.__module__.startswith("azora_orchestrator"):
                yield name, inspect.getattr_static(made, name)


def test_the_texts_are_those_of_the_tables() -> None:
    assert faults_of("docs") == []


def test_completion_of_the_package_offers_what_is_public() -> None:
    assert dir(azora_orchestrator) == sorted(azora_orchestrator.__all__)
    assert not [name for name in dir(azora_orchestrator) if name[0] == "_" and name[1] != "_"]


@pytest.mark.parametrize("name", CLASSES)
def test_every_member_is_documented(name: str) -> None:
    made = CLASSES[name]
    assert made.__doc__
    for member, value in members(made):
        if isinstance(value, property | staticmethod | classmethod) or inspect.isroutine(value):
            text = inspect.getdoc(getattr(made, member))
            assert text, f"{name}.{member}"
            assert text.splitlines()[0].endswith((".", ":")), f"{name}.{member}: {text}"


@pytest.mark.parametrize(
    "made",
    [
        AsyncClient,
        AsyncMasterOrchestrator,
        Client,
        EventStream,
        Lease,
        MasterOrchestrator,
        RemoteEvents,
        Subscription,
    ],
)
def test_every_parameter_is_documented(made: type) -> None:
    for name, value in members(made):
        function = getattr(made, name)
        if isinstance(value, property) or not inspect.isroutine(function):
            continue
        text = inspect.getdoc(function) or ""
        for parameter in inspect.signature(function).parameters:
            if parameter not in ("self", "cls"):
                assert re.search(rf"^    \*{{0,2}}{parameter}: \S", text, re.MULTILINE), (
                    f"{made.__name__}.{name}: {parameter}"
                )


@pytest.mark.parametrize("name", [*CLASSES, "check_config"])
def test_help_shows_nothing_internal(name: str) -> None:
    text = pydoc.plain(pydoc.render_doc(PUBLIC[name]))
    found = INSIDE.search(text)
    assert found is None, text[max(0, found.start() - 200) : found.end() + 50]


def test_help_of_the_package_is_short_of_nothing() -> None:
    assert "MasterOrchestrator" in (azora_orchestrator.__doc__ or "")
    for name, value in PUBLIC.items():
        if inspect.isclass(value) or inspect.isfunction(value):
            assert inspect.getdoc(value), name


class PortsAside(doctest.OutputChecker):
    """Ports differ from run to run."""

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        aside = re.compile(r"(127\.0\.0\.1):\d+")
        return super().check_output(
            aside.sub(r"\1:PORT", want), aside.sub(r"\1:PORT", got), optionflags
        )


def examples() -> list[doctest.DocTest]:
    finder = doctest.DocTestFinder(recurse=True)
    found = {
        test.docstring: test
        for name, value in PUBLIC.items()
        if inspect.isclass(value) or inspect.isfunction(value)
        for test in finder.find(value, name)
        if test.examples and not test.name.startswith("Async")
    }
    whole = finder.find(AsyncMasterOrchestrator, "AsyncMasterOrchestrator")[0]
    return [*found.values(), whole, finder.find(RemoteEvents, "Client.events")[0]]


@pytest.mark.parametrize("test", examples(), ids=lambda test: test.name)
def test_an_example_does_what_it_shows(
    test: doctest.DocTest, web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = web().endpoint
    monkeypatch.chdir(tmp_path)
    (tmp_path / "azora.toml").write_text(
        f'[[services]]\nid = "db"\ntype = "core"\nendpoint = "{endpoint}"\n'
    )
    with MasterOrchestrator() as orch, contextlib.ExitStack() as stack:
        orch.register(id="db", type="base", endpoint=endpoint)
        orch.wait_ready("db")
        orch.register(id="orders", type="core", endpoint=endpoint)
        orch.wait_ready("orders")
        test.globs = {**PUBLIC, "asyncio": asyncio, "orch": orch}
        if test.name.startswith("Client"):
            api = stack.enter_context(serving(create_app(orch)))
            monkeypatch.setenv("AZORA_URL", f"http://127.0.0.1:{api.port}")
            test.globs["client"] = stack.enter_context(Client())
        said: list[str] = []
        runner = doctest.DocTestRunner(checker=PortsAside())
        assert runner.run(test, out=said.append).failed == 0, "".join(said)
        assert test.examples


def test_an_event_is_of_the_class_of_its_name(orch: MasterOrchestrator) -> None:
    classes = {
        vars(made)["_type"]: made
        for name, made in vars(event_classes).items()
        if name in event_classes.__all__
    }
    assert list(classes) == list(EVENT_TYPES)
    keys = {name: (always, more) for name, _, always, more, _ in _core.event_table()}
    common = {key[0] for key in _core.event_keys() if key[3]}
    seen = set()
    orch.register(
        ServiceConfig(
            id="job",
            type="job",
            health_check={"type": "process"},
            process={"argv": ["false"]},
            max_restarts=1,
            restart_delay_ms=1,
        )
    )
    orch.register(id="a", type="core", endpoint="http://127.0.0.1:9")
    for event in orch.events(since=0):
        seen.add(event.type)
        assert [name for name, made in classes.items() if isinstance(event, made)] == [event.type]
        always, more = keys[event.type]
        assert {*always} <= event.data.keys() - common <= {*always, *more}
        if seen >= {"serviceFailed", "healthCheck", "serviceExited", "serviceUnhealthy"}:
            break
    assert not isinstance(5, HealthCheckEvent)


def test_a_handler_may_be_given_the_class_of_its_events(orch: MasterOrchestrator) -> None:
    seen: queue.Queue[HealthCheckEvent] = queue.Queue()
    orch.on(HealthCheckEvent, seen.put)
    orch.register(id="a", type="core", endpoint="http://127.0.0.1:9")
    assert seen.get(timeout=10).response_time_ms >= 0
    assert next(orch.events(since=0, type=HealthCheckEvent)).type == "healthCheck"
    with pytest.raises(InvalidArgument, match="Event"):
        orch.on(Event, print)


def test_an_event_is_made_again_from_its_form_on_the_wire(orch: MasterOrchestrator) -> None:
    orch.register(id="a", type="core", endpoint="http://127.0.0.1:9")
    event = next(orch.events(since=0, type="serviceRegistered"))
    copy = Event.from_dict(event.to_dict())
    assert copy == event
    names = [name for name, value in vars(Event).items() if isinstance(value, property)]
    assert len(names) > 20
    assert {name: getattr(copy, name) for name in names} == {
        name: getattr(event, name) for name in names
    }
    gap = {
        **event.to_dict(),
        "type": "gap",
        "cause": None,
        "serviceId": None,
        "fromSeq": 1,
        "toSeq": 2,
        "count": 2,
    }
    del gap["actor"]
    lost = Event.from_dict(gap)
    assert (lost.cause, lost.actor, lost.service_id, lost.count) == (None, None, None, 2)
