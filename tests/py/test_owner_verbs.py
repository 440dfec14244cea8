"""Drain and maintenance in Python: real leases, real processes, sync and async."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from azora_orchestrator import (
    AsyncMasterOrchestrator,
    HealingUnavailable,
    InvalidArgument,
    MaintenanceBeganEvent,
    MasterOrchestrator,
    NoHealthyInstance,
    NotComing,
    ServiceDrainedEvent,
    UnknownService,
)
from conftest import WebService
from durable_rig import until

pytestmark = [pytest.mark.native, pytest.mark.process]

Describe = Callable[..., dict[str, Any]]


def test_a_drain_waits_for_the_leases(orch: MasterOrchestrator, process: Describe) -> None:
    orch.register(process("a"))
    orch.wait_ready("a", timeout_ms=20_000)
    lease = orch.lease("core")
    answer = orch.drain("a", timeout_ms=600_000)
    assert answer.affected == ("a",)
    with pytest.raises(NoHealthyInstance):
        orch.pick("core")
    drain = orch["a"].drain
    assert drain is not None
    assert (drain.state, drain.then) == ("draining", "keep")
    assert drain.until - drain.since == timedelta(minutes=10)
    assert "being drained" in str(orch.why("a"))
    assert orch["a"].status == "healthy"
    with orch.events(type="serviceDrained") as stream:
        lease.release()
        event = stream.next(timeout_ms=20_000)
    assert isinstance(event, ServiceDrainedEvent)
    assert (event.service_id, event.reason) == ("a", "its leases are back")
    drain = orch["a"].drain
    assert drain is not None
    assert drain.state == "drained"
    assert orch.undrain("a").affected == ("a",)
    assert orch.pick("core").service_id == "a"
    assert orch.undrain("a").affected == ()
    assert orch["a"].incarnation == 1


def test_a_drain_ends_by_its_time_although_a_lease_is_held(
    orch: MasterOrchestrator, process: Describe
) -> None:
    orch.register(process("a"))
    orch.wait_ready("a", timeout_ms=20_000)
    with orch.lease("core"), orch.events(type="serviceDrained") as stream:
        orch.drain("a", timeout_ms=200, wait=True)
        event = stream.next(timeout_ms=20_000)
    assert event is not None
    assert (event.cause, event.reason) == ("expired", "its time is over, 1 lease left")


def test_what_follows_a_drain_is_waited_for(orch: MasterOrchestrator, process: Describe) -> None:
    orch.register(process("a"))
    orch.wait_ready("a", timeout_ms=20_000)
    lease = orch.lease("core")
    answers: list[Any] = []
    waiting = threading.Thread(
        target=lambda: answers.append(orch.drain("a", then="restart", wait=True))
    )
    waiting.start()
    until(lambda: orch["a"].drain)
    assert (answers, orch["a"].incarnation) == ([], 1)
    lease.release()
    waiting.join(60)
    assert len(answers) == 1
    assert orch["a"].incarnation == 2
    assert orch.pick("core").service_id == "a"
    orch.drain("a", then="stop", wait=True)
    assert (orch["a"].lifecycle, orch["a"].desired, orch["a"].drain) == ("IDLE", "down", None)


def test_maintenance_keeps_hands_off_until_it_ends(
    orch: MasterOrchestrator, process: Describe
) -> None:
    orch.register(process("a"))
    orch.wait_ready("a", timeout_ms=20_000)
    pid = orch["a"].pid
    assert pid is not None
    with orch.events(type="maintenanceBegan") as stream:
        orch.maintenance("a", reason="a new disk", until=datetime.now(UTC) + timedelta(days=1))
        event = stream.next(timeout_ms=20_000)
    assert isinstance(event, MaintenanceBeganEvent)
    assert event.reason.startswith("a new disk (until ")
    with pytest.raises(NoHealthyInstance):
        orch.pick("core")
    os.kill(pid, signal.SIGKILL)
    until(lambda: orch["a"].lifecycle == "IDLE")
    with pytest.raises(NotComing, match="under maintenance"):
        orch.wait_ready("a", timeout_ms=20_000)
    maintenance = orch["a"].maintenance
    assert maintenance is not None
    assert maintenance.reason == "a new disk"
    assert orch["a"].desired == "hold"
    assert "(a new disk)" in str(orch.why("a"))
    assert orch.end_maintenance("a").affected == ("a",)
    orch.wait_ready("a", timeout_ms=20_000)
    assert orch["a"].maintenance is None
    assert orch["a"].pid != pid
    assert orch.end_maintenance("a").affected == ()


def test_maintenance_ends_by_itself(
    orch: MasterOrchestrator, web: Callable[[], WebService]
) -> None:
    orch.register(id="a", type="core", endpoint=web().endpoint)
    orch.wait_ready("a", timeout_ms=20_000)
    with orch.events(type="maintenanceEnded") as stream:
        end = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
        orch.maintenance("a", reason="short", until=end)
        event = stream.next(timeout_ms=30_000)
    assert event is not None
    assert event.cause == "expired"
    assert orch.pick("core").service_id == "a"


def test_what_makes_no_sense_is_refused(
    orch: MasterOrchestrator, web: Callable[[], WebService]
) -> None:
    orch.register(id="a", type="core", endpoint=web().endpoint)
    with pytest.raises(HealingUnavailable):
        orch.drain("a", then="restart")
    with pytest.raises(InvalidArgument, match="past"):
        orch.maintenance("a", reason="late", until="2001-01-01T00:00:00Z")
    for call in (orch.undrain, orch.end_maintenance, orch.drain):
        with pytest.raises(UnknownService, match="nobody"):
            call("nobody")
    assert (orch["a"].drain, orch["a"].maintenance) == (None, None)


def test_the_same_from_a_coroutine(process: Describe) -> None:
    async def main() -> None:
        async with AsyncMasterOrchestrator() as orch:
            await orch.register(process("a"))
            await orch.wait_ready("a", timeout_ms=20_000)
            async with orch.lease("core"):
                with orch.events(type="serviceDraining") as begun:
                    drained = asyncio.ensure_future(orch.drain("a", then="restart", wait=True))
                    async for _ in begun:
                        break
                assert not drained.done()
            await asyncio.wait_for(drained, 60)
            assert (await orch.service("a")).incarnation == 2
            await orch.drain("a", wait=True)
            assert (await orch.undrain("a")).affected == ("a",)
            await orch.maintenance("a", reason="work")
            assert (await orch.service("a")).desired == "hold"
            await orch.end_maintenance("a")
            assert (await orch.pick("core")).service_id == "a"

    asyncio.run(main())
