"""A fleet of real processes kept alive, seen from outside: over REST and its event stream."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import os
import shutil
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from azora_orchestrator import MasterOrchestrator
from azora_orchestrator.catalog import CATALOG
from conftest import free_port
from rest.asking import until
from rest.served import ACTOR, Actors, Serve, dies

pytestmark = pytest.mark.process

READY_MS = 30_000
HEALED = [
    "serviceExited",
    "serviceUnhealthy",
    "serviceStarted",
    "serviceHealthy",
    "serviceRestarted",
]


def pid_of(api: Any, id: str) -> int:
    pid = api.get(f"/services/{id}").json["process"]["pid"]
    assert isinstance(pid, int)
    return pid


def types(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in events if event["type"] != "healthCheck"]


def test_the_demo_comes_up_heals_and_leaves_nothing_behind(served: Serve) -> None:
    endpoints = {entry.variable: f"http://127.0.0.1:{free_port()}" for entry in CATALOG}
    demo = served("demo", **endpoints)
    demo.line("all 11 services are healthy", seconds=60)
    api = demo.api
    status = api.get("/status").json
    assert (status["totalServices"], status["healthyServices"]) == (11, 11)
    started = [event["serviceId"] for event in api.events("type=serviceStarted")]
    ranks = {entry.id: started.index(entry.id) for entry in CATALOG}
    for entry in CATALOG:
        assert all(ranks[need] < ranks[entry.id] for need in entry.dependencies), started

    victim = pid_of(api, "azora-mint")
    seq = api.get("/healthz").headers["Azora-Seq"]
    with api.stream(f"/events?since={seq}&service=azora-mint") as frames:
        os.kill(victim, signal.SIGKILL)
        events = until(frames, "serviceRestarted", "serviceFailed")
    assert types(events) == HEALED
    exited, restarted = events[0], events[-1]
    assert (exited["pid"], exited["code"], exited["signal"]) == (victim, None, "SIGKILL")
    assert (restarted["attempt"], restarted["maxRestarts"]) == (1, 5)
    assert restarted["downtimeMs"] >= 0
    mint = api.get("/services/azora-mint").json
    assert mint["health"]["restartCount"] == 1
    assert mint["process"]["pid"] not in (None, victim)
    assert mint["process"]["lastExit"]["signal"] == "SIGKILL"
    # Nobody else was restarted for it.
    assert {event["serviceId"] for event in api.events("type=serviceExited")} == {"azora-mint"}

    pids = [pid_of(api, entry.id) for entry in CATALOG]
    demo.signal(signal.SIGTERM)
    assert demo.wait() == 0
    assert all(dies(pid, 0) for pid in pids)


def test_killed_too_often_it_fails_once_and_comes_back_on_evidence(
    orch: MasterOrchestrator, api: Any, actors: Actors, tmp_path: Path
) -> None:
    program = tmp_path / "program.py"
    shutil.copy(ACTOR, program)
    orch.register(actors.service("a", program=program, maxRestarts=2))
    with api.stream("/events?since=0&service=a") as frames:
        seen = []
        while "serviceFailed" not in seen:
            event = json.loads(next(frames)["data"])
            seen.append(event["type"])
            if event["type"] == "serviceStarted":
                os.kill(event["pid"], signal.SIGKILL)
        crash = ["serviceStarted", "serviceExited", "serviceUnhealthy"]
        # The first start and two restarts.
        assert seen == ["serviceRegistered", *crash * 3, "serviceFailed"]
        assert api.get("/services/a").json["lifecycle"] == "FAILED"
        assert api.get("/loadbalancer/a").status == 503
        why = api.get("/services/a/why").json
        assert (why["lifecycle"], why["status"]) == ("FAILED", "unhealthy")
        assert why["unblockedBy"]

        repaired = tmp_path / "repaired.py"
        repaired.write_text(program.read_text() + "\n# repaired\n")
        repaired.replace(program)
        healed = until(frames, "serviceRestarted")
    assert "serviceStarted" in types(healed)
    assert api.get("/services/a").json["health"]["status"] == "healthy"
    assert len(api.events("type=serviceFailed")) == 1


def test_a_hung_service_is_restarted_after_its_whole_family_is_gone(
    orch: MasterOrchestrator, api: Any, actors: Actors
) -> None:
    actors.tell("a", "family")
    orch.register(
        actors.service(
            "a",
            process={"stopTimeout": 500},
            healthCheckInterval=1000,  # and no response within it: a busy machine answers in time
            healthCheck={"unhealthyThreshold": 1, "restartThreshold": 2},
        )
    )
    orch.wait_ready("a", timeout_ms=READY_MS)
    family = actors.members("a")
    assert len(family) == 2
    seq = api.get("/healthz").headers["Azora-Seq"]
    with api.stream(f"/events?since={seq}&service=a") as frames:
        actors.tell("a", "hang")
        until(frames, "serviceUnhealthy")
        assert api.get("/loadbalancer/core").status == 503
        until(frames, "serviceExited")
        actors.untell("a", "hang")
        until(frames, "serviceRestarted")
    starts = actors.starts("a")
    assert [alive for _, alive in starts] == ["[]", "[]"]
    assert all(dies(pid, 0) for pid in family)
    assert api.get("/loadbalancer/core").json["serviceId"] == "a"


def test_a_main_that_dies_takes_its_family_along(
    orch: MasterOrchestrator, api: Any, actors: Actors
) -> None:
    actors.tell("a", "family")
    orch.register(actors.service("a", process={"orphanTimeout": 300}))
    orch.wait_ready("a", timeout_ms=READY_MS)
    seq = api.get("/healthz").headers["Azora-Seq"]
    with api.stream(f"/events?since={seq}&service=a") as frames:
        os.kill(pid_of(api, "a"), signal.SIGKILL)
        until(frames, "serviceRestarted")
    assert [alive for _, alive in actors.starts("a")] == ["[]", "[]"]


def test_what_does_not_listen_to_sigterm_gets_sigkill(
    orch: MasterOrchestrator, api: Any, actors: Actors
) -> None:
    actors.tell("a", "stubborn")
    orch.register(actors.service("a", process={"stopTimeout": 300}))
    orch.wait_ready("a", timeout_ms=READY_MS)
    pid = pid_of(api, "a")
    answer = api.ask("POST", "/services/a/stop?wait=stopped&timeoutMs=20000")
    assert (answer.status, answer.json["success"]) == (200, True)
    assert dies(pid, 0)
    exits = api.events("type=serviceExited")
    assert [(event["pid"], event["signal"]) for event in exits] == [(pid, "SIGKILL")]
    state = api.get("/services/a").json
    assert (state["lifecycle"], state["desired"], state["health"]["status"]) == (
        "IDLE",
        "down",
        "unknown",
    )


def test_verbs_answer_at_once_or_when_it_is_true(
    orch: MasterOrchestrator, api: Any, actors: Actors
) -> None:
    orch.register(actors.service("root"))
    orch.register(actors.service("leaf", dependencies=["root"]))
    orch.wait_ready(timeout_ms=READY_MS)
    first = pid_of(api, "root")

    restarted = api.ask("POST", "/services/root/restart?wait=ready&timeoutMs=20000")
    assert restarted.status == 200
    assert list(restarted.json) == ["success", "serviceId", "incarnation", "seq", "affected"]
    assert restarted.json["incarnation"] == 2
    assert restarted.json["affected"] == ["leaf"]
    assert pid_of(api, "root") != first
    event = api.events("type=serviceRestarted")[-1]
    assert (event["serviceId"], event["cause"]) == ("root", "operator")

    again = api.ask("POST", "/services/root/start")
    assert again.status == 202  # it runs: nothing is done
    assert api.get("/services/root").json["process"]["incarnation"] == 2

    both = api.ask("POST", "/services/root/stop?dependents=true&wait=stopped&timeoutMs=20000")
    assert both.status == 200
    exits = [event["serviceId"] for event in api.events("type=serviceExited")]
    assert exits == ["root", "leaf", "root"]

    up = api.ask("POST", "/services/leaf/start?dependencies=true&wait=ready&timeoutMs=20000")
    assert up.status == 200
    assert api.get("/status").json["healthyServices"] == 2

    # The root is told only when the leaf has ended: until then it is not ready anew.
    along = api.ask("POST", "/services/root/restart?dependents=true&wait=ready&timeoutMs=20000")
    assert (along.status, along.json["affected"]) == (200, ["leaf"])
    assert (
        along.json["incarnation"] == api.get("/services/root").json["process"]["incarnation"] == 4
    )

    late = api.ask("POST", "/services/leaf/restart?wait=ready&timeoutMs=0")
    assert (late.status, late.json["code"], late.json["success"]) == (504, "timed_out", False)


def test_a_restart_of_what_was_stopped_brings_it_up(
    orch: MasterOrchestrator, api: Any, actors: Actors
) -> None:
    orch.register(actors.service("a"))
    orch.wait_ready("a", timeout_ms=READY_MS)
    for verb, desired in (("stop", "down"), ("restart", "up"), ("stop", "down"), ("start", "up")):
        goal = "stopped" if verb == "stop" else "ready"
        assert api.ask("POST", f"/services/a/{verb}?wait={goal}").status == 200
        assert api.get("/services/a").json["desired"] == desired
    assert len(actors.starts("a")) == 3


def test_delete_is_at_once_and_the_id_is_free_when_the_process_is_gone(
    orch: MasterOrchestrator, api: Any, actors: Actors
) -> None:
    actors.tell("a", "stubborn")
    service = actors.service("a", process={"stopTimeout": 60_000})
    orch.register(service)
    orch.wait_ready("a", timeout_ms=READY_MS)
    pid = pid_of(api, "a")
    assert api.ask("DELETE", "/services/a").status == 200
    assert api.get("/services/a").status == 404
    assert api.get("/loadbalancer/core").status == 503
    assert not dies(pid, 0)  # it does not listen; its time is not over
    actors.untell("a", "stubborn")
    orch.register(service)
    assert api.get("/services/a").json["process"]["pid"] is None
    os.kill(pid, signal.SIGKILL)
    orch.wait_ready("a", timeout_ms=READY_MS)
    assert dies(pid, 0)
    assert pid_of(api, "a") != pid


def test_what_does_not_stop_in_time_is_named(
    orch: MasterOrchestrator, api: Any, actors: Actors
) -> None:
    api.app.stop_timeout_ms = 400
    actors.tell("a", "stubborn")
    orch.register(actors.service("a", process={"stopTimeout": 60_000}))
    orch.wait_ready("a", timeout_ms=READY_MS)
    answer = api.ask("POST", "/orchestrator/stop")
    assert (answer.status, answer.json["code"]) == (504, "timed_out")
    assert answer.json["error"] == "did not stop in time: a"
    assert answer.json["notStopped"] == ["a"]


def test_stop_and_start_of_everything(orch: MasterOrchestrator, api: Any, actors: Actors) -> None:
    orch.register(actors.service("root"))
    orch.register(actors.service("leaf", dependencies=["root"]))
    orch.wait_ready(timeout_ms=READY_MS)
    pids = [pid_of(api, "root"), pid_of(api, "leaf")]
    assert api.ask("POST", "/orchestrator/stop").status == 200
    assert all(dies(pid, 0) for pid in pids)
    status = api.get("/status").json
    assert status["running"] is False
    assert {item["status"] for item in status["services"]} == {"unknown"}
    assert [event["serviceId"] for event in api.events("type=serviceExited")] == ["leaf", "root"]
    assert api.get("/services/leaf").json["desired"] == "up"
    assert api.ask("POST", "/orchestrator/start").status == 200
    orch.wait_ready(timeout_ms=READY_MS)
    starts = [event["serviceId"] for event in api.events("type=serviceStarted")]
    assert starts == ["root", "leaf", "root", "leaf"]


def test_a_root_that_is_down_costs_its_dependents_nothing(
    orch: MasterOrchestrator, api: Any, actors: Actors
) -> None:
    thrifty = {"unhealthyThreshold": 1, "restartThreshold": 2}
    orch.register(actors.service("root", restartDelay=100, maxRestarts=-1))
    leaves = ["leaf-1", "leaf-2"]
    for id in leaves:
        orch.register(actors.service(id, dependencies=["root"], healthCheck=thrifty))
    orch.wait_ready(timeout_ms=READY_MS)
    pids = {id: pid_of(api, id) for id in leaves}
    seq = api.get("/healthz").headers["Azora-Seq"]
    with api.stream(f"/events?since={seq}&service=leaf-1&type=healthCheck") as frames:
        actors.tell("root", "crash")
        for id in leaves:
            actors.tell(id, "sick")
        os.kill(pid_of(api, "root"), signal.SIGKILL)
        failed = 0
        while failed < 6:  # three times what would have a restart follow
            failed += json.loads(next(frames)["data"])["status"] == "unhealthy"
    assert api.get("/services/leaf-1").json["health"]["status"] == "unhealthy"
    why = api.get("/services/leaf-1/why").json
    assert why["blockedBy"] == ["root"]

    with api.stream(f"/events?since={seq}&type=serviceHealthy") as frames:
        for id in leaves:
            actors.untell(id, "sick")
        actors.untell("root", "crash")
        healthy: set[str] = set()
        while healthy != {"root", *leaves}:
            healthy.add(json.loads(next(frames)["data"])["serviceId"])
    for id in leaves:
        state = api.get(f"/services/{id}").json
        assert (state["health"]["restartCount"], state["process"]["pid"]) == (0, pids[id])
    assert {event["serviceId"] for event in api.events("type=serviceExited")} == {"root"}


def test_no_pick_names_a_replica_that_is_known_dead(
    orch: MasterOrchestrator, api: Any, actors: Actors
) -> None:
    ids = ["r1", "r2", "r3"]
    orch.register_many([actors.service(id, group="pool", restartDelay=300) for id in ids])
    orch.wait_ready(timeout_ms=READY_MS)
    picks: list[tuple[int, int, str]] = []  # seq, status, service
    enough = threading.Event()

    def customer() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=20)
        with contextlib.closing(connection):
            while not enough.is_set():
                connection.request("GET", "/loadbalancer/pool")
                response = connection.getresponse()
                body = json.loads(response.read())
                seq = int(response.headers["Azora-Seq"])
                picks.append((seq, response.status, body.get("serviceId", "")))

    seq = api.get("/healthz").headers["Azora-Seq"]
    with api.stream(f"/events?since={seq}&service=r2") as frames:
        thread = threading.Thread(target=customer)
        thread.start()
        try:
            os.kill(pid_of(api, "r2"), signal.SIGKILL)
            events = until(frames, "serviceRestarted")
        finally:
            enough.set()
            thread.join(20)
    exited = next(event["seq"] for event in events if event["type"] == "serviceExited")
    healthy = next(event["seq"] for event in events if event["type"] == "serviceHealthy")
    assert {status for _, status, _ in picks} == {200}
    # Azora-Seq is the least a pick reflects; the one after it bounds what it can have known.
    during = [
        service
        for (at_least, _, service), (at_most, _, _) in itertools.pairwise(picks)
        if exited <= at_least and at_most < healthy
    ]
    assert len(during) > 10
    assert set(during) == {"r1", "r3"}


def test_logs_are_shown_and_followed(orch: MasterOrchestrator, api: Any, actors: Actors) -> None:
    orch.register(actors.service("a"))
    orch.wait_ready("a", timeout_ms=READY_MS)
    shown = api.get("/services/a/logs")
    assert shown.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert shown.body == b"listening\n"
    assert api.get("/services/a/logs?lines=0").body == b""
    assert api.get("/services/a/logs?lines=x").status == 400
    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=20)
    with contextlib.closing(connection):
        connection.request("GET", "/services/a/logs?follow=1&lines=1")
        response = connection.getresponse()
        assert response.readline() == b"listening\n"
        orch.restart("a", wait=True, timeout_ms=READY_MS)
        assert response.readline() == b"listening\n"
