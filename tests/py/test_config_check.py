"""check_config() and MasterOrchestrator.from_file(): a file, from Python."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from azora_orchestrator import (
    AsyncMasterOrchestrator,
    InvalidArgument,
    InvalidSpec,
    MasterOrchestrator,
    ServiceConfig,
    check_config,
)

pytestmark = pytest.mark.native

GOOD = """
[orchestrator]
maxConcurrentStarts = 3

[pools.core]
strategy = "ip-hash"

[[services]]
id = "db"
type = "core"
endpoint = "http://127.0.0.1:9"

[[services]]
id = "job"
type = "task"
process = {argv = ["./hello", "there"]}
healthCheck = {type = "process"}
dependencies = ["db"]
"""


def write(folder: Path, text: str, name: str = "azora.toml") -> Path:
    file = folder / name
    file.write_text(text)
    return file


def test_an_orchestrator_has_what_the_file_says(tmp_path: Path) -> None:
    (tmp_path / "hello").write_text("#!/bin/sh\necho hello $1 from $PWD; exec sleep 60\n")
    (tmp_path / "hello").chmod(0o755)
    file = write(tmp_path, GOOD.replace('dependencies = ["db"]', ""))
    with MasterOrchestrator.from_file(file) as orch:
        assert [service.id for service in orch.services()] == ["db", "job"]
        assert {service.origin for service in orch.services()} == {"file"}
        orch.wait_ready("job", timeout_ms=20_000)
        assert f"hello there from {tmp_path}" in orch.logs("job")
        with pytest.raises(InvalidArgument, match="key"):
            orch.pick("core")


def test_it_is_not_started_yet(tmp_path: Path) -> None:
    orch = MasterOrchestrator.from_file(write(tmp_path, GOOD))
    assert (orch.running, orch.status().total_services) == (False, 2)
    orch.close()


def test_the_async_class_reads_files_too(tmp_path: Path) -> None:
    async def main() -> list[str]:
        async with AsyncMasterOrchestrator.from_file(write(tmp_path, GOOD)) as orch:
            return [service.id for service in await orch.services()]

    assert asyncio.run(main()) == ["db", "job"]


def test_a_faulty_file_is_refused_with_its_lines(tmp_path: Path) -> None:
    file = write(tmp_path, GOOD.replace('"http://127.0.0.1:9"', '"ftp://x"'))
    with pytest.raises(InvalidSpec) as caught:
        MasterOrchestrator.from_file(file)
    assert f"{file}:11: endpoint: " in str(caught.value)
    assert [fault.field for fault in caught.value.faults] == ["endpoint"]
    with pytest.raises(InvalidSpec, match="cannot be read"):
        MasterOrchestrator.from_file(tmp_path / "nothing.toml")


def test_limits_of_the_caller_win(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="max_concurrent_starts is -1"):
        MasterOrchestrator.from_file(write(tmp_path, GOOD), max_concurrent_starts=-1)


def test_what_is_odd_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    text = GOOD.replace('dependencies = ["db"]', 'dependencies = ["nobody"]')
    with caplog.at_level(logging.WARNING, "azora_orchestrator"):
        MasterOrchestrator.from_file(write(tmp_path, text)).close()
    assert '"nobody" is not in this file' in caplog.text


def test_a_file_is_checked_as_azora_check_does(tmp_path: Path) -> None:
    report = check_config(write(tmp_path, GOOD))
    assert (report.ok, report.faults, report.warnings) == (True, (), ())
    assert str(report) == "no faults"
    file = write(tmp_path, GOOD.replace('"db"]', '"nobody"]').replace('"core"\n', '"a b"\n'))
    report = check_config(str(file))
    assert not report.ok
    assert [(fault.line, fault.field) for fault in report.faults] == [(10, "type")]
    assert [fault.field for fault in report.warnings] == ["dependencies[0]"]
    assert f"warning: {file}:18: dependencies[0]: " in str(report)
    with pytest.raises(InvalidSpec, match=":10: type: "):
        report.raise_for_faults()
    check_config(write(tmp_path, GOOD)).raise_for_faults()
    assert not check_config(tmp_path / "nothing.toml").ok


def test_a_number_beyond_all_limits_names_the_rule_of_its_field(tmp_path: Path) -> None:
    file = write(tmp_path, GOOD.replace('id = "db"', f'id = "db"\npriority = {2**80}'))
    (fault,) = check_config(file).faults
    assert (fault.line, fault.field) == (10, "priority")
    assert "it must be an integer from 1 to 10 (service" in fault.message


def service(**fields: Any) -> ServiceConfig:
    return ServiceConfig(**{"id": "a", "type": "core", "endpoint": "http://127.0.0.1:9", **fields})


def test_services_are_checked_without_an_orchestrator() -> None:
    assert check_config(service(restart=lambda: None)).ok
    assert check_config([service(), service(id="b", dependencies=["a"])]).ok
    assert check_config(service().to_dict()).ok
    report = check_config(
        [
            service(health_check_interval_ms=5),
            service(id="b", endpoint="ftp://x").to_dict() | {"maxRestarts": -7},
            service(id="a"),
        ]
    )
    assert [fault.field for fault in report.faults] == [
        "health_check_interval_ms",
        "maxRestarts",
        "endpoint",
        "id",
    ]
    assert [(fault.file, fault.line) for fault in report.faults] == [("", 0)] * 4
    assert str(report.faults[0]).startswith("health_check_interval_ms: is 5; ")
    warned = check_config(service(dependencies=["nobody"]))
    assert (warned.ok, [one.field for one in warned.warnings]) == (True, ["dependencies[0]"])
    unsaid = check_config(service(metadata={"a": object()}))
    assert [fault.field for fault in unsaid.faults] == ["metadata.a"]


def test_a_mapping_of_the_shape_of_a_file_is_checked_like_one() -> None:
    good = {"pools": {"core": {"strategy": "weighted"}}, "services": [service().to_dict()]}
    assert check_config(good).ok
    report = check_config({**good, "pools": {"core": {"strategy": "best"}}})
    assert [(fault.file, fault.line, fault.field) for fault in report.faults] == [
        ("", 0, "pools.core.strategy")
    ]
    unsaid = check_config({"services": [{"id": object()}]})
    assert [fault.field for fault in unsaid.faults] == ["services[0].id"]


def test_a_cycle_between_services_is_a_fault() -> None:
    report = check_config(
        [service(id="a", dependencies=["b"]), service(id="b", dependencies=["a"])]
    )
    assert not report.ok
    assert "a -> b -> a" in str(report) or "b -> a -> b" in str(report)


@pytest.mark.parametrize("wrong", [5, None, [5], ["a"]])
def test_what_is_no_configuration_is_refused(wrong: Any) -> None:
    with pytest.raises(InvalidArgument):
        check_config(wrong)


def test_services_of_one_address_are_a_fault() -> None:
    process = {"argv": ["x"]}
    report = check_config([service(process=process), service(id="b", process=process)], port=6000)
    assert {fault.field for fault in report.faults} == {"endpoint"}
    assert json.dumps([fault.message for fault in report.faults])
