"""Past events: pages, spans, restarts, and what no disk can do to the fleet."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from azora_orchestrator import (
    AsyncClient,
    AsyncMasterOrchestrator,
    Client,
    History,
    InvalidArgument,
    MasterOrchestrator,
)
from azora_orchestrator._moments import Span, age_ms, cursor_of, span_at, span_of_cursor
from azora_orchestrator.config import load
from conftest import free_port
from durable_rig import Server, until

NOW = 1_764_579_600_123  # 2025-12-01T09:00:00.123Z


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def serve(state: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers one after the other."""
    servers: list[Server] = []

    def begin(*options: str) -> Server:
        servers.append(Server(state, *options))
        return servers[-1]

    yield begin
    if servers[-1].process.poll() is None:
        servers[-1].stop()


@pytest.fixture
def empty(tmp_path: Path) -> str:
    path = tmp_path / "azora.toml"
    path.write_text('[[services]]\nid = "first"\ntype = "url"\nendpoint = "http://127.0.0.1:9"\n')
    return str(path)


def url_service(id: str) -> dict[str, Any]:
    return {"id": id, "type": "url", "endpoint": f"http://127.0.0.1:{free_port()}"}


def pages(client: Client, **query: Any) -> tuple[list[dict[str, Any]], int]:
    """All events over the pages of REST, and how many pages there were."""
    found: list[dict[str, Any]] = []
    cursor, count = None, 0
    while True:
        page = client.request("GET", "history", **query, cursor=cursor)
        found += page["events"]
        cursor, count = page["next"], count + 1
        if cursor is None:
            return found, count


def azora(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "azora_orchestrator", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


# Spans.


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (7, Span(after=7)),
        ("7", Span(after=7)),
        ("90s", Span(since_ms=NOW - 90_000)),
        ("1.5h", Span(since_ms=NOW - 5_400_000)),
        ("30d", Span(since_ms=NOW - 30 * 86_400_000)),
        (timedelta(minutes=2), Span(since_ms=NOW - 120_000)),
        ("2025-12-01", Span(since_ms=1_764_547_200_000)),
        ("2025-12-01T09:00:00.123Z", Span(since_ms=NOW)),
        ("2025-12-01T10:00:00.123+01:00", Span(since_ms=NOW)),
        (datetime(2025, 12, 1, 9, 0, 0, 122_001, tzinfo=UTC), Span(since_ms=NOW)),
    ],
)
def test_a_moment_is_a_number_a_time_or_an_age(value: Any, found: Span) -> None:
    assert span_at(value, None, NOW) == found


@pytest.mark.parametrize(
    "wrong",
    [-1, 2**63, True, 1.5, "", "x", "1 week", "-5s", "9" * 20, [1], datetime(2025, 12, 1), b"1h"],
)
def test_another_value_is_refused_by_the_name_of_its_parameter(wrong: Any) -> None:
    for since, until_ in ((wrong, None), (None, wrong)):
        with pytest.raises(InvalidArgument, match=r"since is|until is"):
            span_at(since, until_, NOW)


def test_there_are_no_ages_of_centuries() -> None:
    assert age_ms("36600d") == 36_600 * 86_400_000
    assert age_ms("36601d") is None


@given(
    st.builds(
        Span,
        st.integers(0, 2**50),
        st.integers(0, 2**63 - 1),
        st.none() | st.integers(0, 2**45),
        st.none() | st.integers(0, 2**45),
    ),
    st.integers(0, 2**50),
)
def test_a_cursor_holds_the_whole_span(span: Span, through: int) -> None:
    assert span_of_cursor(cursor_of(span, through)) == span._replace(after=through)


# Without a state directory.


@pytest.fixture
def resting() -> Iterator[MasterOrchestrator]:
    """One that is not started: nothing happens but what a test does."""
    with contextlib.closing(MasterOrchestrator()) as orch:
        yield orch


def test_a_fleet_without_a_directory_answers_from_memory(resting: MasterOrchestrator) -> None:
    orch = resting
    for id in ("a", "b"):
        orch.register(url_service(id))
    found = orch.history()
    assert isinstance(found, History)
    assert [event.type for event in found] == ["serviceRegistered"] * 2
    assert [event.service_id for event in found] == ["a", "b"]
    assert len(found) == 2
    assert found[0] in found
    assert found.gaps == ()
    assert orch.history(service="b") == History([found[1]])
    assert orch.history(found[0].seq) == orch.history(since=str(found[0].seq))
    assert list(orch.history(found[0].seq)) == [found[1]]
    assert list(orch.history(until=found[1].seq)) == [found[0]]
    assert len(orch.history("1h")) == 2
    assert not orch.history(until="1h")
    assert not orch.history(type="serviceFailed")
    assert list(orch.history(found[1].time)) == [e for e in found if e.time >= found[1].time]


def test_checks_are_found_when_they_are_asked_for(orch: MasterOrchestrator) -> None:
    service = url_service("a") | {"healthCheckInterval": 100}
    orch.register(service)
    orch.start()
    with orch.events(since=0, type="healthCheck") as stream:
        first = next(iter(stream))
    assert first in orch.history(type="healthCheck")
    both = orch.history(type=["healthCheck", "serviceRegistered"])
    assert [event.seq for event in both] == sorted({event.seq for event in both})
    assert {event.type for event in both} == {"healthCheck", "serviceRegistered"}
    assert all(event.type != "healthCheck" for event in orch.history())


def test_the_async_one_has_it_too() -> None:
    async def main() -> None:
        async with AsyncMasterOrchestrator() as orch:
            await orch.register(url_service("a"))
            found = await orch.history("1h", service="a")
            assert [event.type for event in found][:1] == ["serviceRegistered"]

    asyncio.run(main())


# With one.


def test_it_goes_on_over_orderly_ends(state: Path) -> None:
    with MasterOrchestrator(state_dir=state) as orch:
        orch.register(url_service("a"))
        before = list(orch.history())
    with MasterOrchestrator(state_dir=state) as orch:
        assert list(orch.history())[: len(before)] == before
        orch.register(url_service("b"))
        found = orch.history(service="b")
        assert found[0].seq > before[-1].seq
        assert orch.history(until=found[0].seq)[0] == before[0]


def test_a_client_that_resumes_after_an_orderly_end_loses_nothing(state: Path) -> None:
    with MasterOrchestrator(state_dir=state) as orch:
        for id in ("a", "b", "c"):
            orch.register(url_service(id))
        seqs = [event.seq for event in orch.history(type="serviceRegistered")]
    with MasterOrchestrator(state_dir=state) as orch:
        with orch.events(since=seqs[0], type="serviceRegistered") as stream:
            events = iter(stream)
            assert [next(events).seq, next(events).seq] == seqs[1:]
        with orch.events(since=seqs[0]) as stream:
            gap = next(iter(stream))
            assert gap.type == "gap", "checks of the former run are not kept"
            assert gap.from_seq == seqs[0] + 1


def test_ten_thousand_checks_write_nothing(state: Path) -> None:
    with MasterOrchestrator(state_dir=state) as orch:
        orch.register_many(
            [
                {"id": f"s{i}", "type": "url", "endpoint": "http://127.0.0.1:9"}
                | {"healthCheckInterval": 100}
                for i in range(100)
            ]
        )
        orch.start()

        def value(name: str) -> int:
            found = re.search(rf"^azora_{name} (\d+)$", orch.metrics(), re.MULTILINE)
            assert found
            return int(found[1])

        # Nothing listens there: once all are unhealthy a check changes nothing any more.
        until(lambda: len(orch.history(type="healingUnavailable")) == 100, 60)
        until(lambda: value("history_events_stored_total") == len(orch.history()), 60)
        before = value("history_commits_total"), value("probe_answers_total")
        until(lambda: value("probe_answers_total") >= before[1] + 10_000, 120)
        assert value("history_commits_total") == before[0]
        assert value("history_events_dropped_total") == 0
        assert value("history_failing") == 0


def test_what_is_kept_has_bounds(state: Path) -> None:
    for name, wrong in (("history_max_age_ms", 5), ("history_max_bytes", 1000)):
        with pytest.raises(InvalidArgument, match=f"{name} is {wrong}"):
            MasterOrchestrator(state_dir=state, **{name: wrong})  # type: ignore[arg-type]
    with MasterOrchestrator(
        state_dir=state, history_max_age_ms=60_000, history_max_bytes=2**20
    ) as orch:
        services = [url_service(f"s{i}") for i in range(500)]
        for _ in range(20):
            orch.register_many(services)
        until(lambda: len(orch.history()) < 6_000)
        assert len(orch.history()) > 500


def test_a_damaged_history_harms_nothing(state: Path) -> None:
    with MasterOrchestrator(state_dir=state) as orch:
        orch.register(url_service("a"))
    (state / "history.db").write_bytes(b"x" * 50_000)
    assert azora("state", "check", str(state)).returncode == 1
    with MasterOrchestrator(state_dir=state) as orch:
        assert "a" in orch
        orch.register(url_service("b"))
        assert [event.service_id for event in orch.history(type="serviceRegistered")] == ["b"]
    (kept,) = state.glob("history.db.damaged-*")
    assert kept.read_bytes() == b"x" * 50_000
    assert azora("state", "check", str(state)).returncode == 0


# Over REST, and on the command line.


@pytest.mark.process
def test_a_killed_server_has_lost_no_event_of_an_acknowledged_change(
    serve: Callable[..., Server], empty: str
) -> None:
    server = serve("--config", empty)
    for i in range(30):
        server.client.register(url_service(f"s{i}"))
    server.kill()
    server = serve("--config", empty)
    found = server.client.history(type="serviceRegistered")
    assert [event.service_id for event in found][:31] == ["first", *(f"s{i}" for i in range(30))]
    seqs = [event.seq for event in server.client.history()]
    assert seqs == sorted(set(seqs))
    assert list(server.client.history(seqs[3], seqs[6])) == list(server.client.history())[4:6]
    listed, count = pages(server.client, limit=7)
    assert count > 3
    assert [event["seq"] for event in listed] == seqs
    of_one = server.client.request("GET", "services", "s3", "history")
    assert next(event["type"] for event in of_one["events"]) == "serviceRegistered"
    assert of_one["next"] is None
    assert of_one["gaps"] == []
    with httpx.stream(
        "GET", f"{server.client.url}/events", params={"since": seqs[0], "follow": "0"}
    ) as answer:
        sent = [json.loads(line[6:]) for line in answer.iter_lines() if line.startswith("data: ")]
    assert sent[0]["type"] == "gap"
    assert [one["seq"] for one in sent if one["type"] == "serviceRegistered"][:30] == [
        event.seq for event in found
    ][1:31]
    server.client.unregister("s3")
    assert server.client.request("GET", "services", "s3", "history")["events"]

    lines = azora("history", "s4", "--since", "1h", "--json", "--url", server.client.url)
    assert lines.returncode == 0, lines.stderr
    events = [json.loads(line) for line in lines.stdout.splitlines()]
    assert events[0]["type"] == "serviceRegistered"
    assert events[0]["serviceId"] == "s4"
    shown = azora("history", "--type", "serviceRegistered", "--url", server.client.url)
    assert len(shown.stdout.splitlines()) >= 31
    wrong = azora("history", "--since", "tomorrow", "--url", server.client.url)
    assert wrong.returncode == 2
    assert "since" in wrong.stderr


@pytest.mark.process
def test_wrong_queries_are_refused_by_name(serve: Callable[..., Server], empty: str) -> None:
    server = serve("--config", empty)
    for name, value in (
        ("since", "tomorrow"),
        ("until", "-1"),
        ("type", "serviceTypo"),
        ("limit", "0"),
        ("limit", "10001"),
        ("cursor", "5"),
    ):
        for path in ("history", "services/first/history"):
            answer = httpx.get(f"{server.client.url}/{path}", params={name: value})
            assert answer.status_code == 400, (name, answer.text)
            assert answer.json()["error"].startswith(f"{name}: is"), answer.text
    answer = httpx.get(f"{server.client.url}/services/nobody/history")
    assert answer.status_code == 404
    assert answer.json()["code"] == "unknown_service"


@pytest.mark.process
def test_pages_have_every_event_once_while_others_come(
    serve: Callable[..., Server], empty: str
) -> None:
    server = serve("--config", empty)
    found: list[int] = []
    cursor = None
    added = 0
    while True:
        page = server.client.request("GET", "history", limit=2, since="1h", cursor=cursor)
        found += [event["seq"] for event in page["events"]]
        cursor = page["next"]
        if added < 10:
            server.client.register(url_service(f"more{added}"))
            added += 1
        if cursor is None:
            break
    assert found == sorted(set(found))
    assert found == [event.seq for event in server.client.history(until=found[-1] + 1)]


@pytest.mark.process
def test_the_async_client_reads_it(serve: Callable[..., Server], empty: str) -> None:
    server = serve("--config", empty)

    async def main() -> History:
        async with AsyncClient(server.client.url) as client:
            return await client.history(timedelta(hours=1), datetime.now(UTC) + timedelta(hours=1))

    assert next(iter(asyncio.run(main()))).service_id == "first"


def test_the_file_of_version_1_is_read(state: Path) -> None:
    with MasterOrchestrator(state_dir=state) as orch:
        orch.register(url_service("a"))
    database = sqlite3.connect(state / "history.db")
    assert database.execute("PRAGMA user_version").fetchone() == (1,)
    names = {row[0] for row in database.execute("SELECT name FROM sqlite_schema")}
    assert {"events", "events_by_entry", "events_by_time", "holes", "mark"} <= names
    database.close()


# Settings.


@pytest.mark.parametrize(
    ("key", "value", "found"),
    [
        ("historyMaxAge", '"30d"', ("history_max_age_ms", 30 * 86_400_000)),
        ("historyMaxAge", "60000", ("history_max_age_ms", 60_000)),
        ("historyMaxBytes", '"64MiB"', ("history_max_bytes", 64 * 2**20)),
        ("historyMaxBytes", "1048576", ("history_max_bytes", 2**20)),
    ],
)
def test_what_is_kept_is_a_setting(
    key: str, value: str, found: tuple[str, int], tmp_path: Path
) -> None:
    path = tmp_path / "azora.toml"
    path.write_text(f"[orchestrator]\n{key} = {value}\n")
    read = load(str(path))
    assert read.faults == []
    assert read.settings == dict([found])
    MasterOrchestrator.from_file(path, state_dir=tmp_path / "state").close()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("historyMaxAge", '"30 days"'),
        ("historyMaxAge", "59999"),
        ("historyMaxAge", "true"),
        ("historyMaxBytes", '"64MB"'),
        ("historyMaxBytes", "1048575"),
        ("historyMaxBytes", "1e9"),
    ],
)
def test_a_wrong_setting_is_named_with_its_line(key: str, value: str, tmp_path: Path) -> None:
    path = tmp_path / "azora.toml"
    path.write_text(f"[orchestrator]\n{key} = {value}\n")
    (fault,) = load(str(path)).faults
    assert f":2: orchestrator.{key}: is " in str(fault)
    assert "it must be" in str(fault)
