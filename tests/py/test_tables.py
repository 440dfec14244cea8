"""Strategies and the fields of a service are those of the core's tables."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, get_args, get_type_hints

import pytest

from azora_orchestrator import _core, service_config, vocabulary

pytestmark = pytest.mark.native


def _wire(name: str) -> str:
    head, *tail = name.removesuffix("_ms").split("_")
    return head + "".join(word.capitalize() for word in tail)


def _properties(schema: dict[str, Any]) -> set[str]:
    """The names of an object, wherever the schema offers it among other forms."""
    for form in [schema, *schema.get("anyOf", ()), *schema.get("oneOf", ())]:
        if "properties" in form:
            return set(form["properties"])
    raise AssertionError(f"no object in {schema}")


def _fields(made: type) -> set[str]:
    return {_wire(item.name) for item in dataclasses.fields(made)}


SCHEMA = json.loads(_core.service_schema())["properties"]


@pytest.mark.parametrize("name", ["status", "lifecycle", "desired", "cause", "actor"])
def test_a_list_of_words_is_that_of_the_core(name: str) -> None:
    assert list(get_args(getattr(vocabulary, name.title()))) == _core.vocabulary()[name]


def test_the_strategies_and_events_are_those_of_the_core() -> None:
    assert list(vocabulary.STRATEGIES) == sorted(
        _core.strategies(), key=vocabulary.STRATEGIES.index
    )
    assert len(vocabulary.STRATEGIES) == len(_core.strategies())
    assert list(vocabulary.EVENT_TYPES) == _core.event_types()
    assert list(vocabulary.EVENT_TYPES) == [row[0] for row in _core.event_table()]


def test_the_keywords_of_register_are_the_fields_of_a_service_config() -> None:
    keywords = get_type_hints(service_config.ServiceFields)
    assert keywords == {
        item.name: get_type_hints(service_config.ServiceConfig)[item.name]
        for item in dataclasses.fields(service_config.ServiceConfig)
    }


def test_a_service_has_the_fields_of_the_table() -> None:
    assert _fields(service_config.ServiceConfig) == set(SCHEMA)


@pytest.mark.parametrize(
    ("made", "schema"),
    [
        (service_config.ProcessConfig, SCHEMA["process"]),
        (service_config.HealthCheck, SCHEMA["healthCheck"]),
        (service_config.Dependency, SCHEMA["dependencies"]["items"]),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_a_nested_object_has_the_fields_of_the_table(made: type, schema: dict[str, Any]) -> None:
    assert _fields(made) == _properties(schema)


def test_the_limits_of_logs_are_those_of_the_table() -> None:
    process = next(
        form
        for form in [SCHEMA["process"], *SCHEMA["process"].get("anyOf", ())]
        if "properties" in form
    )
    assert _fields(service_config.LogConfig) == _properties(process["properties"]["log"])
