"""GET /metrics by the rules of Prometheus: parsed by its own client, named as promtool wants it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from azora_orchestrator import MasterOrchestrator

pytestmark = pytest.mark.native


@pytest.fixture
def text(orch: MasterOrchestrator, web: Any, api: Any) -> str:
    orch.register({"id": "a", "type": "core", "endpoint": web().endpoint})
    orch.wait_ready("a", timeout_ms=10_000)
    body: bytes = api.get("/metrics").body
    return body.decode()


def test_every_figure_has_its_type_its_help_and_a_fitting_name(text: str) -> None:
    families = list(text_string_to_metric_families(text))
    assert len({family.name for family in families}) == len(families) > 40
    declared = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    helped = dict(re.findall(r"^# HELP (\S+) (.+)$", text, re.MULTILINE))
    assert declared.keys() == helped.keys()
    for name, kind in declared.items():
        assert re.fullmatch(r"azora_[a-z0-9]+(_[a-z0-9]+)*", name)
        assert kind in ("counter", "gauge")
        assert name.endswith("_total") == (kind == "counter"), name
        assert not re.search(r"_(counter|gauge|count|sum|bucket)(_|$)", name), name
        assert helped[name].endswith(".")
    for family in families:
        assert family.type in ("counter", "gauge")
        for sample in family.samples:
            assert sample.value >= 0


def test_each_figure_stands_once_and_together(text: str) -> None:
    samples = [line.rsplit(" ", 1)[0] for line in text.splitlines() if not line.startswith("#")]
    assert len(set(samples)) == len(samples)
    names = [sample.partition("{")[0] for sample in samples]
    order = list(dict.fromkeys(names))
    assert names == sorted(names, key=order.index)
    assert text.endswith("\n")


def test_promtool_finds_nothing_to_say(text: str) -> None:
    fetched = Path(__file__).parents[3] / "build/tools/promtool"
    promtool = shutil.which("promtool") or (str(fetched) if fetched.exists() else None)
    if promtool is None:
        pytest.skip("promtool is not there: tools/setup.sh examples")
    done = subprocess.run(
        [promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
