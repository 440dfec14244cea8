"""`azora drain` and `azora maintenance`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from azora_orchestrator import MasterOrchestrator
from cli.conftest import Azora
from conftest import WebService

pytestmark = [pytest.mark.native, pytest.mark.process]


@pytest.fixture
def shop(orch: MasterOrchestrator, process: Any) -> MasterOrchestrator:
    orch.register(process("shop"))
    orch.wait_ready("shop", timeout_ms=20_000)
    return orch


@pytest.mark.usefixtures("at")
def test_drain(shop: MasterOrchestrator, azora: Azora) -> None:
    said = azora("drain", "shop", "--timeout", "1s")
    assert (said.code, said.lines, said.err) == (0, ["shop is drained"], "")
    status = azora("status")
    assert (status.code, status.lines[2].split()[-1]) == (0, "drained")
    assert azora("status", "--json").json["services"][0]["drain"]["state"] == "drained"
    assert "it is drained" in azora("why", "shop").out
    assert azora("pick", "core").code == 1
    said = azora("drain", "shop", "--undo", "--json")
    assert (said.code, said.json["affected"]) == (0, ["shop"])
    assert azora("drain", "shop", "--undo").lines == ["shop: it had no drain"]
    assert azora("pick", "core").code == 0
    said = azora("drain", "shop", "--then", "restart")
    assert (said.code, said.lines) == (0, ["shop is drained, restarted and ready"])
    assert shop["shop"].incarnation == 2
    assert azora("drain", "shop", "--then", "stop").lines == ["shop is drained and stopped"]
    assert shop["shop"].lifecycle == "IDLE"


@pytest.mark.usefixtures("at")
def test_drain_without_waiting(shop: MasterOrchestrator, azora: Azora) -> None:
    with shop.lease("core"):
        said = azora("drain", "shop", "--no-wait", "--timeout", "1h", "--json")
        assert (said.code, said.json["success"]) == (0, True)
        assert shop["shop"].drain is not None
        assert shop["shop"].drain.state == "draining"
        assert azora("drain", "shop", "--no-wait").lines == ["shop: drain accepted"]


@pytest.mark.usefixtures("at")
def test_maintenance(shop: MasterOrchestrator, azora: Azora) -> None:
    said = azora("maintenance", "shop", "--reason", "a new disk", "--for", "1h")
    assert said.code == 0
    assert said.lines[0].startswith("shop is under maintenance until ")
    maintenance = shop["shop"].maintenance
    assert maintenance is not None
    assert maintenance.until is not None
    assert 3590 < (maintenance.until - maintenance.since).total_seconds() <= 3600
    status = azora("status")
    assert status.lines[2].endswith("under maintenance (a new disk)")
    assert "neither picked nor restarted" in azora("why", "shop").out
    said = azora("maintenance", "shop", "--reason", "more", "--until", "2100-01-31T12:00Z")
    assert said.lines == ["shop is under maintenance until 2100-01-31 12:00:00 UTC"]
    assert azora("maintenance", "shop", "--end").lines == ["shop: its maintenance has ended"]
    assert azora("maintenance", "shop", "--end", "--json").json["affected"] == []
    assert azora("maintenance", "shop", "--reason", "open").lines == ["shop is under maintenance"]
    assert shop["shop"].maintenance is not None


WRONG = [
    (("drain", "a", "--then", "later"), "--then"),
    (("drain", "a", "--timeout", "soon"), "--timeout"),
    (("drain", "a", "--timeout", "1h"), "--no-wait"),
    (("drain", "a", "--undo", "--then", "stop"), "--undo"),
    (("drain", "a", "--then", "restart"), "only a URL"),
    (("drain", "nobody"), "nobody"),
    (("maintenance", "a"), "--reason"),
    (("maintenance", "a", "--reason", "x", "--until", "soon"), "--until"),
    (("maintenance", "a", "--reason", "x", "--until", "2001-01-01"), "past"),
    (("maintenance", "a", "--reason", "x", "--until", "2100-01-01", "--for", "1h"), "one of them"),
    (("maintenance", "a", "--end", "--reason", "x"), "--end"),
    (("maintenance", "nobody", "--reason", "x"), "nobody"),
]


@pytest.mark.usefixtures("at")
@pytest.mark.parametrize(("arguments", "word"), WRONG, ids=str)
def test_what_is_wrong_is_refused_in_one_line(
    orch: MasterOrchestrator,
    web: Callable[[], WebService],
    azora: Azora,
    arguments: tuple[str, ...],
    word: str,
) -> None:
    orch.register(id="a", type="core", endpoint=web().endpoint)
    said = azora(*arguments)
    refused_by_server = word == "only a URL"  # as for the other verbs
    assert (said.code, said.out) == (1 if refused_by_server else 2, "")
    assert said.err.count("\n") == 1
    assert word in said.err
    assert (orch["a"].drain, orch["a"].maintenance) == (None, None)
