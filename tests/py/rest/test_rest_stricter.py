"""Where we are stricter than the seed: each refusal as data, and that it changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from azora_orchestrator import MasterOrchestrator

pytestmark = pytest.mark.native

ROWS = json.loads(Path(__file__).with_name("stricter_contract.json").read_text())


@pytest.fixture
def fleet(orch: MasterOrchestrator, web: Callable[[], Any]) -> None:
    """`orders` depends on `retail`: what closes a cycle is refused."""
    endpoint = web().endpoint
    common = {"endpoint": endpoint, "healthCheckInterval": 3_600_000}
    orch.register({"id": "retail", "type": "ui"} | common)
    orch.register({"id": "orders", "type": "core", "dependencies": ["retail"]} | common)
    orch.wait_ready(timeout_ms=10_000)


@pytest.mark.parametrize("row", ROWS, ids=[row["title"] for row in ROWS])
def test_it_is_refused_and_nothing_changes(row: dict[str, Any], fleet: None, api: Any) -> None:
    body = row["body"].encode().ljust(row.get("repeat", 0))
    headers = {"Content-Type": row["type"]} if row["type"] else {}
    before = [api.get(path).body for path in ("/status/detailed", "/graph")]
    seq = api.get("/healthz").headers["Azora-Seq"]
    answer = api.ask("POST", "/services/register", body, headers)
    assert answer.status == row["status"], answer.body
    assert answer.headers["Content-Type"] == "application/problem+json"
    said = answer.json
    assert list(said)[:2] == ["success", "error"]
    assert (said["success"], said["detail"]) == (False, said["error"])
    assert said["code"] == row["code"] or row["code"] == "*"
    if "field" in row:
        assert row["field"] in [fault["field"] for fault in said["faults"]], said
        assert row["field"] in said["error"]
    assert [api.get(path).body for path in ("/status/detailed", "/graph")] == before
    assert api.get("/healthz").headers["Azora-Seq"] == seq
