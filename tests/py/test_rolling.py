"""Rolling restarts: of real processes under load, and what stops them."""

from __future__ import annotations

import asyncio
import contextlib
import pickle
import sys
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from azora_orchestrator import (
    AsyncClient,
    AsyncMasterOrchestrator,
    Client,
    HealingUnavailable,
    InvalidArgument,
    MasterOrchestrator,
    NotComing,
    RollingRestart,
    RollStopped,
    UnknownService,
)
from conftest import free_ports
from durable_rig import until
from rest.conftest import api, serve

__all__ = ["api", "serve"]

pytestmark = [pytest.mark.native, pytest.mark.process]

MS = 30_000
# On SIGTERM it goes on for a second, so that a client that has just picked it is answered; then it
# ends. A file named `broken` makes the next ones fail at their start.
REPLICA = """
import http.server, os, signal, sys, threading
if os.path.exists(sys.argv[2]):
    sys.exit("it is broken")
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *args):
        pass
def end(*_):
    threading.Timer(1, os._exit, (0,)).start()
signal.signal(signal.SIGTERM, end)
class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128
Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    return tmp_path / "broken"


def worker(broken: Path, *, count: int = 3, **fields: Any) -> dict[str, Any]:
    process = {"argv": [sys.executable, "-S", "-c", REPLICA, "{port}", str(broken)]}
    return {
        "id": "worker",
        "type": "core",
        "endpoint": f"http://127.0.0.1:{free_ports(count)}",
        "healthCheckPath": "/",
        "healthCheckInterval": 500,
        "process": process | {"replicas": count} | fields.pop("process", {}),
    } | fields


@pytest.fixture
def fleet(orch: MasterOrchestrator, broken: Path) -> MasterOrchestrator:
    """Three replicas that are ready."""
    orch.register(worker(broken))
    orch.wait_ready("worker", timeout_ms=MS)
    return orch


def incarnations(orch: MasterOrchestrator) -> list[int]:
    return [orch.service(id).incarnation for id in orch.service("worker").instances]


class Load:
    """Clients that lease an instance and ask it, without a pause."""

    def __init__(self, orch: MasterOrchestrator) -> None:
        self.outcomes: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(orch,)) for _ in range(3)]
        for thread in self._threads:
            thread.start()

    def _run(self, orch: MasterOrchestrator) -> None:
        while not self._over.is_set():
            try:
                with (
                    orch.lease("worker") as lease,
                    urllib.request.urlopen(f"{lease.endpoint}/", timeout=20) as response,
                ):
                    outcome = str(response.status)
            except Exception as error:
                outcome = repr(error)
            with self._lock:
                self.outcomes[outcome] += 1

    def end(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(30)


@contextlib.contextmanager
def most_unavailable(orch: MasterOrchestrator) -> Iterator[list[int]]:
    """Counts how many are not healthy, after each event."""
    seen = [0]
    stream = orch.events(service="worker")

    def watch() -> None:
        for _ in stream:
            views = [orch.service(id) for id in orch.service("worker").instances]
            seen.append(sum(view.status != "healthy" for view in views))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        stream.close()
        thread.join(20)


def test_no_request_fails_while_all_are_replaced(fleet: MasterOrchestrator) -> None:
    load = Load(fleet)
    try:
        until(lambda: load.outcomes["200"] > 20)
        with most_unavailable(fleet) as seen:
            done = fleet.rolling_restart("worker", min_ready_ms=200, timeout_ms=MS)
        before = load.outcomes["200"]
        until(lambda: load.outcomes["200"] > before + 20)
    finally:
        load.end()
    assert done == RollingRestart("worker", ("worker@0", "worker@1", "worker@2"))
    assert str(done) == "restarted: worker@0, worker@1, worker@2"
    assert incarnations(fleet) == [2, 2, 2]
    assert set(load.outcomes) == {"200"}, load.outcomes
    assert max(seen) == 1
    assert [fleet.service(f"worker@{at}").restart_count for at in range(3)] == [1, 1, 1]


def test_each_is_drained_before_it_is_restarted(fleet: MasterOrchestrator) -> None:
    leases = [fleet.lease("worker") for _ in range(3)]
    done: list[RollingRestart] = []
    roll = threading.Thread(
        target=lambda: done.append(fleet.rolling_restart("worker", min_ready_ms=0, timeout_ms=MS))
    )
    roll.start()
    try:
        for _ in leases:
            drained = until(lambda: [at for at in range(3) if fleet.service(f"worker@{at}").drain])
            assert len(drained) == 1
            one = fleet.service(f"worker@{drained[0]}")
            assert one.incarnation == 1  # its lease is out
            next(lease for lease in leases if lease.service_id == one.id).release()
            until(lambda id=one.id: fleet.service(id).incarnation == 2)
    finally:
        for lease in leases:
            lease.release()
        roll.join(60)
    assert [one.failed for one in done] == [()]
    assert incarnations(fleet) == [2, 2, 2]


def test_those_whose_program_has_changed_go_first(fleet: MasterOrchestrator, broken: Path) -> None:
    fleet.register(worker(broken) | {"endpoint": fleet.service("worker").endpoint})
    fleet.restart("worker@0", wait=True, timeout_ms=MS)  # it has its new program already
    changed = worker(broken, process={"env": {"A": "1"}})
    fleet.register(changed | {"endpoint": fleet.service("worker@0").endpoint})
    fleet.restart("worker@0", wait=True, timeout_ms=MS)
    assert [fleet.service(f"worker@{at}").restart_required for at in range(3)] == [
        False,
        True,
        True,
    ]
    with fleet.events(type="serviceStarted", service="worker") as stream:
        fleet.rolling_restart("worker", min_ready_ms=0, timeout_ms=MS)
        told = [str(event.service_id) for event in stream.batch(timeout_ms=MS)]
    assert told == ["worker@1", "worker@2", "worker@0"]
    assert not any(fleet.service(f"worker@{at}").restart_required for at in range(3))


def test_one_that_fails_stops_it_and_the_rest_keep_their_process(
    fleet: MasterOrchestrator, broken: Path
) -> None:
    fleet.register(worker(broken, maxRestarts=0) | {"endpoint": fleet.service("worker@0").endpoint})
    broken.touch()
    with pytest.raises(RollStopped) as stopped:
        fleet.rolling_restart("worker", min_ready_ms=0, timeout_ms=MS)
    outcome = stopped.value.outcome
    assert (outcome.restarted, outcome.failed) == ((), ("worker@0",))
    assert outcome.left == ("worker@1", "worker@2")
    assert "worker@0" in str(outcome.reason)
    assert "code 1" in str(stopped.value)
    assert "left as they were: worker@1, worker@2" in str(stopped.value)
    assert isinstance(stopped.value, NotComing)
    assert pickle.loads(pickle.dumps(stopped.value)).outcome == outcome
    assert RollingRestart.from_dict(outcome.to_dict()) == outcome
    assert incarnations(fleet)[1:] == [1, 1]
    # While it is down, nobody else goes; once it is mended, all do.
    broken.unlink()
    assert fleet.rolling_restart("worker", min_ready_ms=0, timeout_ms=MS).failed == ()
    assert incarnations(fleet) == [3, 2, 2]


def test_one_that_is_not_ready_in_time_stops_it(fleet: MasterOrchestrator, broken: Path) -> None:
    broken.touch()  # it is tried again and again
    with pytest.raises(RollStopped, match=r"not ready within 1\.5 s.*worker@0") as stopped:
        fleet.rolling_restart("worker", min_ready_ms=0, timeout_ms=1_500)
    assert stopped.value.outcome.left == ("worker@1", "worker@2")
    assert incarnations(fleet)[1:] == [1, 1]


def test_nothing_healthy_goes_while_others_are_down(orch: MasterOrchestrator, broken: Path) -> None:
    down = broken.with_name("down")
    down.touch()
    for id, file in (("a", broken), ("b", broken), ("c", down)):
        service = worker(file, count=1, restartDelay=MS * 10, startTimeout=MS) | {"id": id}
        service["healthCheck"] = {"startTimeout": MS}
        service.pop("startTimeout")
        orch.register(service | {"group": "pool"})
    orch.wait_ready(["a", "b"], timeout_ms=MS)
    until(lambda: orch.service("c").lifecycle in ("BACKOFF", "FAILED"))
    # c is restarted first, as it costs nothing; as it stays down, a and b stay up.
    with pytest.raises(RollStopped) as stopped:
        orch.rolling_restart("pool", min_ready_ms=0, timeout_ms=2_000)
    assert stopped.value.outcome == RollingRestart(
        "pool", (), ("c",), ("a", "b"), stopped.value.outcome.reason
    )
    assert [orch.service(id).incarnation for id in "ab"] == [1, 1]
    # What its owner has stopped is not part of it.
    orch.stop_service("c", wait=True, timeout_ms=MS)
    done = orch.rolling_restart("pool", min_ready_ms=0, timeout_ms=MS)
    assert done.restarted == ("a", "b")
    assert orch.service("c").desired == "down"


def test_two_at_a_time(fleet: MasterOrchestrator) -> None:
    with most_unavailable(fleet) as seen:
        done = fleet.rolling_restart(
            "core", max_unavailable=2, min_ready_ms=0, timeout_ms=MS
        )  # by the type
    assert sorted(done.restarted) == ["worker@0", "worker@1", "worker@2"]
    assert max(seen) == 2


def test_what_cannot_be_restarted_is_refused_before_anything(
    orch: MasterOrchestrator, broken: Path
) -> None:
    orch.register(worker(broken, count=1))
    orch.register(id="url", type="core", endpoint="http://127.0.0.1:9")
    orch.wait_ready("worker", timeout_ms=MS)
    with pytest.raises(HealingUnavailable, match="url: has only a URL"):
        orch.rolling_restart("core", min_ready_ms=0)
    with pytest.raises(UnknownService, match="other: there is no such service, entry, group or"):
        orch.rolling_restart("other")
    with pytest.raises(InvalidArgument, match="min_ready_ms is 5; it must be less than timeout_ms"):
        orch.rolling_restart("worker", min_ready_ms=5, timeout_ms=5)
    assert orch.service("worker").incarnation == 1


def test_every_face_has_it(fleet: MasterOrchestrator, api: Any) -> None:
    options: dict[str, Any] = {"min_ready_ms": 0, "timeout_ms": MS}
    expected = RollingRestart("worker", ("worker@0", "worker@1", "worker@2"))
    with Client(f"http://127.0.0.1:{api.port}") as client:
        assert client.rolling_restart("worker", **options) == expected

    async def by_async_client() -> RollingRestart:
        async with AsyncClient(f"http://127.0.0.1:{api.port}") as client:
            with pytest.raises(UnknownService):
                await client.rolling_restart("other")
            return await client.rolling_restart("worker", **options)

    assert asyncio.run(by_async_client()) == expected
    assert incarnations(fleet) == [3, 3, 3]


def test_the_async_orchestrator_has_it(broken: Path) -> None:
    async def main() -> RollingRestart:
        async with AsyncMasterOrchestrator() as orch:
            await orch.register(worker(broken, count=2))
            await orch.wait_ready("worker", timeout_ms=MS)
            return await orch.rolling_restart("worker", min_ready_ms=0, timeout_ms=MS)

    assert asyncio.run(main()).restarted == ("worker@0", "worker@1")


def test_it_ends_with_its_orchestrator(fleet: MasterOrchestrator) -> None:
    failed: list[BaseException] = []

    def roll() -> None:
        try:
            fleet.rolling_restart("worker", min_ready_ms=10**6, timeout_ms=10**7)
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=roll)
    thread.start()
    until(lambda: 2 in incarnations(fleet))
    fleet.close(timeout_ms=MS)
    thread.join(30)
    assert isinstance(failed[0], RollStopped)
    assert failed[0].outcome.left == ("worker@1", "worker@2")
    assert "closed" in str(failed[0])
