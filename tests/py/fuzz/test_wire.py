"""What users register, whatever its values are: accepted, or refused with every fault named."""

from __future__ import annotations

import enum
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azora_orchestrator import AzoraError, InvalidSpec, MasterOrchestrator
from azora_orchestrator._wire import texts_of

pytestmark = pytest.mark.native


class Colour(enum.Enum):
    RED = 1


_PLAIN = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"])),
)
_ODD = st.one_of(
    st.integers(),
    st.sampled_from([math.nan, math.inf, -math.inf, 2**64, -(2**63) - 1, 10**400]),
    st.text(),
    st.binary(max_size=3),
    st.builds(Path, st.just("/tmp/x")),
    st.sampled_from([Colour.RED, object(), {1, 2}, len, int, "\ud800", "a\0b"]),
)


def _inside(values: st.SearchStrategy[Any], keys: st.SearchStrategy[Any]) -> Any:
    return st.recursive(
        values,
        lambda below: st.lists(below, max_size=3) | st.dictionaries(keys, below, max_size=3),
        max_leaves=8,
    )


_TEXT_KEYS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
_SAID = _inside(_PLAIN, _TEXT_KEYS)
_ANY = _inside(_PLAIN | _ODD, _TEXT_KEYS | st.integers() | st.none() | st.just("\udfff"))
_FIELDS = st.sampled_from(
    [
        "name",
        "type",
        "group",
        "endpoint",
        "priority",
        "weight",
        "dependencies",
        "metadata",
        "process",
        "healthCheck",
        "healthCheckInterval",
        "restart",
        "restartDelay",
        "maxRestarts",
        "flapLimit",
    ]
)


@given(st.lists(st.dictionaries(_TEXT_KEYS, _SAID, max_size=4), max_size=3))
def test_what_json_can_express_arrives_unchanged(wires: list[dict[str, Any]]) -> None:
    texts = texts_of(wires)
    assert [json.loads(text) for text in texts] == wires
    assert all(text.isascii() for text in texts)


def _nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.fixture(scope="module")
def fleet() -> Iterator[MasterOrchestrator]:
    with MasterOrchestrator() as orch:
        yield orch


@given(
    st.dictionaries(_FIELDS | st.just("id"), _ANY | st.integers(30, 40).map(_nested), max_size=4)
)
def test_a_service_is_accepted_or_its_faults_are_named(
    fleet: MasterOrchestrator, fields: dict[str, Any]
) -> None:
    service = {"id": "a", "type": "core", "endpoint": "http://127.0.0.1:9"} | fields
    before = fleet.status().total_services
    refusal = refusal_of(fleet, service)
    if refusal is None:
        fleet.unregister(service["id"])
        return
    assert refusal.code != "internal"
    assert fleet.status().total_services == before
    str(refusal).encode()  # no lone surrogate
    if isinstance(refusal, InvalidSpec):
        assert refusal.faults
        assert all(rule for _, rule in refusal.faults)
        named = {
            field.lstrip("'").partition(".")[0].partition("[")[0] for field, _ in refusal.faults
        }
        assert named <= service.keys()


def refusal_of(orch: MasterOrchestrator, service: dict[str, Any]) -> AzoraError | None:
    try:
        orch.register(service)
    except AzoraError as error:
        return error
    return None
