"""Strategies and the fields of a service are those of the core's tables."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, get_args

import pytest

from azora_orchestrator import _core, models
from azora_orchestrator.orchestrator import Strategy

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


def test_the_strategies_are_those_of_the_core() -> None:
    assert sorted(get_args(Strategy)) == sorted(_core.strategies())


def test_a_service_has_the_fields_of_the_table() -> None:
    assert _fields(models.ServiceConfig) == set(SCHEMA)


@pytest.mark.parametrize(
    ("made", "schema"),
    [
        (models.ProcessConfig, SCHEMA["process"]),
        (models.HealthCheck, SCHEMA["healthCheck"]),
        (models.Dependency, SCHEMA["dependencies"]["items"]),
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
    assert _fields(models.LogConfig) == _properties(process["properties"]["log"])
