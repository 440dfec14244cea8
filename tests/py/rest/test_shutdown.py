"""The end of `azora serve`: politely, in a hurry, and without a chance to say goodbye."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rest.asking import Api
from rest.served import Actors, Command, Serve, Served, clean_environ, dies

pytestmark = pytest.mark.process


def config(folder: Path, *services: dict[str, Any], **orchestrator: Any) -> str:
    file = folder / "azora.json"
    file.write_text(json.dumps({"orchestrator": orchestrator, "services": list(services)}))
    return str(file)


def ready(server: Served, *ids: str) -> list[int]:
    """Waits for services; answers their pids."""
    for id in ids:
        answer = server.api.ask("POST", f"/services/{id}/start?wait=ready&timeoutMs=30000")
        assert answer.status == 200, answer.body
    return [server.api.get(f"/services/{id}").json["process"]["pid"] for id in ids]


def open_stream(api: Api, path: str) -> tuple[http.client.HTTPConnection, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=30)
    connection.request("GET", path)
    response = connection.getresponse()
    assert response.status == 200
    assert response.readline()  # it is under way
    return connection, response


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_streams_open(
    number: int, served: Serve, actors: Actors, tmp_path: Path
) -> None:
    services = actors.service("root"), actors.service("leaf", dependencies=["root"])
    server = served("serve", "--config", config(tmp_path, *services))
    pids = ready(server, "root", "leaf")
    streams = [open_stream(server.api, "/events?since=0") for _ in range(3)]
    streams.append(open_stream(server.api, "/services/leaf/logs?follow=1"))
    server.signal(number)
    assert server.wait() == 0, server.lines
    assert all(dies(pid, 0) for pid in pids)
    for connection, response in streams:
        response.read()  # ends: nobody was left hanging
        connection.close()
    assert not any("Traceback" in line or "ERROR" in line for line in server.lines), server.lines


def test_while_it_stops_reads_go_on_and_changes_do_not(
    served: Serve, actors: Actors, tmp_path: Path
) -> None:
    actors.tell("a", "stubborn")
    services = actors.service("a", process={"stopTimeout": 60_000}), actors.service("b")
    server = served("serve", "--config", config(tmp_path, *services), "--stop-timeout", "3s")
    pids = ready(server, "a", "b")
    with server.api.stream("/events?type=serviceExited") as frames:
        server.signal(signal.SIGTERM)
        list(frames)  # the stream ends when the shutdown begins
    assert server.api.get("/readyz").status == 503
    refused = server.api.ask("POST", "/orchestrator/start")
    assert (refused.status, refused.json["code"]) == (503, "shutting_down")
    assert server.api.get("/events").status == 503
    assert server.api.get("/status").json["totalServices"] == 2
    assert server.api.get("/health").json["status"] == "ok"
    assert server.wait() == 1  # a did not stop in time ..
    assert "did not stop within 3000 ms: a" in server.lines[-1]
    assert all(dies(pid) for pid in pids)  # .. and was killed


def test_a_stop_by_request_has_the_same_deadline(
    served: Serve, actors: Actors, tmp_path: Path
) -> None:
    actors.tell("a", "stubborn")
    services = [actors.service("a", process={"stopTimeout": 60_000})]
    server = served("serve", "--config", config(tmp_path, *services), "--stop-timeout", "500ms")
    ready(server, "a")
    answer = server.api.ask("POST", "/orchestrator/stop")
    assert (answer.status, answer.json["notStopped"]) == (504, ["a"])


def test_a_second_signal_kills(served: Serve, actors: Actors, tmp_path: Path) -> None:
    actors.tell("a", "stubborn")
    services = [actors.service("a", process={"stopTimeout": 60_000})]
    server = served("serve", "--config", config(tmp_path, *services))
    pids = ready(server, "a")
    server.signal(signal.SIGTERM)
    server.line("stopping the fleet")
    server.signal(signal.SIGTERM)
    assert server.wait() == 1
    assert all(dies(pid) for pid in pids)


def test_kill_9_of_the_server_leaves_no_process(
    served: Serve, actors: Actors, tmp_path: Path
) -> None:
    actors.tell("a", "family")
    actors.tell("b", "stubborn")
    services = actors.service("a"), actors.service("b", process={"stopTimeout": 500})
    server = served("serve", "--config", config(tmp_path, *services))
    pids = [*ready(server, "a", "b"), *actors.members("a")]
    os.kill(server.pid, signal.SIGKILL)
    server.wait()
    assert all(dies(pid) for pid in pids)


def test_who_waits_is_told_at_once_that_it_ends(
    served: Serve, actors: Actors, tmp_path: Path
) -> None:
    actors.tell("a", "hang")
    server = served("serve", "--config", config(tmp_path, actors.service("a")))
    with server.api.stream("/events?since=0&type=serviceStarted") as frames:
        next(frames)
    connection = http.client.HTTPConnection("127.0.0.1", server.api.port, timeout=30)
    connection.request("POST", "/services/a/start?wait=ready&timeoutMs=600000")
    slow = socket.create_connection(("127.0.0.1", server.api.port), timeout=30)
    slow.sendall(
        b"POST /services/register HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
    )
    # They wait when a later change is through.
    assert server.api.ask("POST", "/services/a/start").status == 202
    server.signal(signal.SIGTERM)
    response = connection.getresponse()
    assert response.status == 503
    assert json.loads(response.read())["code"] == "shutting_down"
    connection.close()
    with slow, slow.makefile("rb") as answer:
        assert b'"code":"shutting_down"' in answer.read()
    assert server.wait() == 0


def test_a_first_signal_while_services_start_ends_it_too(
    served: Serve, actors: Actors, tmp_path: Path
) -> None:
    actors.tell("a", "hang")
    server = served("serve", "--config", config(tmp_path, actors.service("a")))
    with server.api.stream("/events?since=0&type=serviceStarted") as frames:
        pid = json.loads(next(frames)["data"])["pid"]
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
    assert dies(pid, 0)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGXCPU"])
def test_what_ends_the_server_is_said(
    name: str, served: Serve, actors: Actors, tmp_path: Path
) -> None:
    server = served("serve", "--config", config(tmp_path, actors.service("a")))
    server.signal(signal.Signals[name])
    assert server.wait() == 0, server.lines
    server.line(f"^{name}(: .*)?: stopping the fleet")


def test_a_signal_before_the_server_is_set_up_has_its_meaning_once_it_is(
    actors: Actors, tmp_path: Path
) -> None:
    file = config(tmp_path, actors.service("a"))
    command = Command("serve", "--config", file, "--port", "0")
    try:
        command.line("^azora serve, ephemeral")
        command.signal(signal.SIGHUP)
        command.signal(signal.SIGUSR1)
        command.line("^SIGHUP: .* was reloaded")
        command.line("^azora: SIGUSR1 has no meaning here")
    finally:
        command.close()


def test_a_stop_before_the_server_is_set_up_is_one_once_it_is(
    actors: Actors, tmp_path: Path
) -> None:
    command = Command("serve", "--config", config(tmp_path, actors.service("a")), "--port", "0")
    try:
        command.line("^azora serve, ephemeral")
        command.signal(signal.SIGTERM)
        assert command.wait() == 0, command.lines
        command.line("^SIGTERM: stopping the fleet")
    finally:
        command.close()


def test_signals_without_a_meaning_are_ignored_with_a_line(
    served: Serve, actors: Actors, tmp_path: Path
) -> None:
    server = served("serve", "--config", config(tmp_path, actors.service("a")))
    for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGPROF, signal.SIGPWR):
        server.signal(number)
        server.line(f"{number.name} has no meaning here; it is ignored")
    server.signal(signal.SIGHUP)
    server.line("SIGHUP: .*azora.json was reloaded")
    assert server.api.get("/readyz").status == 200


def test_a_hang_up_without_a_file_stops_the_fleet(served: Serve) -> None:
    server = served("serve")
    server.signal(signal.SIGHUP)
    assert server.wait() == 0, server.lines
    server.line("^SIGHUP: stopping the fleet")


def test_sigquit_ends_at_once(served: Serve, actors: Actors, tmp_path: Path) -> None:
    actors.tell("a", "stubborn")
    service = actors.service("a", process={"stopTimeout": 60_000})
    server = served("serve", "--config", config(tmp_path, service))
    (pid,) = ready(server, "a")
    server.signal(signal.SIGQUIT)
    assert server.wait() == 1, server.lines
    server.line("SIGQUIT: killing what has not stopped")
    assert dies(pid)


def test_a_hang_up_that_was_ignored_at_the_start_stays_ignored(
    actors: Actors, tmp_path: Path
) -> None:
    file = config(tmp_path, actors.service("a"))
    command = 'trap "" HUP; exec "$0" -m azora_orchestrator serve --port 0 --config "$1"'
    server = subprocess.Popen(
        ["sh", "-c", command, sys.executable, file],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=clean_environ(),
    )
    with server:
        assert server.stdout is not None
        for line in server.stdout:
            if "serves 1 service at" in line:
                break
        server.send_signal(signal.SIGHUP)
        server.send_signal(signal.SIGTERM)
        rest = server.stdout.read()
    assert server.returncode == 0
    assert "SIGHUP" not in rest
    assert "SIGTERM: stopping the fleet" in rest


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_closed_standard_files_are_tolerated(closed: str, tmp_path: Path) -> None:
    file = tmp_path / "azora.json"
    file.write_text('{"services": []}')
    for verb in (f"check {file}", "status --url http://127.0.0.1:1", "--version", "services -h"):
        done = subprocess.run(
            ["sh", "-c", f'exec "$0" -m azora_orchestrator {verb} {closed}', sys.executable],
            env=clean_environ(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == (3 if verb.startswith("status") else 0), (verb, done.stderr)
        assert "Traceback" not in done.stderr
