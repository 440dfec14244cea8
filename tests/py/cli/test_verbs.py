"""The verbs that look and change, against a server: what they print, and how they exit."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import azora_orchestrator
from azora_orchestrator import MasterOrchestrator
from azora_orchestrator.server import owner
from cli.conftest import Azora
from conftest import WebService, free_port
from rest.parrot import Parrot
from rest.served import Actors, Command

pytestmark = pytest.mark.native

VERBS = ["serve", "demo", "check", "status", "services", "events", "why", "logs", "pick"]
VERBS += ["restart", "start", "stop", "graph", "token"]


def test_status_of_a_healthy_fleet(fleet: Any, at: str, azora: Azora) -> None:
    said = azora("status")
    assert (said.code, said.err) == (0, "")
    assert said.lines[0] == "running, 2 services, 2 healthy, 0 unhealthy"
    headings = "SERVICE STATUS LIFECYCLE UP CHECK RESTARTS ERRORS REMARK"
    assert said.lines[1].split() == headings.split()
    assert said.lines[2].split()[:3] == ["db", "healthy", "WATCHING"]
    assert said.lines[2].split()[-1] == "-"
    found = azora("status", "--json").json
    assert found["healthyServices"] == 2
    assert (found["services"][0]["lifecycle"], found["services"][0]["desired"]) == (
        "WATCHING",
        "up",
    )
    assert "config" not in found["services"][0]


def test_status_exits_1_when_something_is_wrong(
    orch: MasterOrchestrator, web: Callable[[], WebService], at: str, azora: Azora
) -> None:
    service = web()
    service.code = 500
    with orch.events(type="serviceUnhealthy") as stream:
        orch.register({"id": "a", "type": "core", "endpoint": service.endpoint})
        assert stream.next(timeout_ms=10_000) is not None
    said = azora("status")
    assert said.code == 1
    assert said.lines[2].endswith("answered HTTP 500, expected 200-299")
    why = azora("why", "a")
    assert why.code == 1
    assert why.lines[0].startswith("a is unhealthy (WATCHING)")
    assert azora("why", "a", "--json").json["serviceId"] == "a"
    orch.stop()
    said = azora("status")
    assert (said.code, said.lines[0][:7]) == (1, "stopped")


def test_why_of_a_healthy_service(fleet: Any, at: str, azora: Azora) -> None:
    said = azora("why", "db")
    assert said.code == 0
    assert said.lines == ["db is healthy (WATCHING)"]


def test_services_are_listed_with_type_and_endpoint(fleet: Any, at: str, azora: Azora) -> None:
    said = azora("services")
    assert said.code == 0
    assert said.lines[0].split()[:4] == ["SERVICE", "STATUS", "TYPE", "ENDPOINT"]
    row = said.lines[2].split()
    assert (row[:3], row[-1]) == (["shop", "healthy", "b2b"], "db")
    assert row[3].startswith("http://127.0.0.1:")
    only = azora("services", "--type", "b2b", "--json").json["services"]
    assert [item["serviceId"] for item in only] == ["shop"]


def test_the_graph_is_a_tree(fleet: Any, at: str, azora: Azora) -> None:
    assert azora("graph").lines == ["db [healthy]", "└─ shop [healthy]"]
    assert azora("graph", "--json").code == 0


def test_pick_names_an_instance_or_exits_1(fleet: Any, at: str, azora: Azora) -> None:
    said = azora("pick", "core")
    assert (said.code, said.lines[0].split()[0]) == (0, "db")
    found = azora("pick", "core", "--json").json
    assert list(found)[:2] == ["serviceId", "endpoint"]
    explained = azora("pick", "core", "--strategy", "ip-hash", "--key", "me", "--explain")
    assert explained.lines[1].split()[0] == "CANDIDATE"
    assert explained.lines[2].split()[0] == "db"
    none = azora("pick", "none")
    assert none.code == 1
    assert none.err == "azora: No healthy instances available for service type: none\n"
    assert none.out == ""


def test_events_so_far_end(fleet: Any, at: str, azora: Azora) -> None:
    said = azora("events", "--type", "serviceRegistered")
    assert said.code == 0
    assert [line.split()[2:4] for line in said.lines] == [
        ["serviceRegistered", "db"],
        ["serviceRegistered", "shop"],
    ]
    raw = azora("events", "--type", "serviceRegistered", "--service", "shop", "--json").json
    assert (raw["type"], raw["serviceId"]) == ("serviceRegistered", "shop")
    reset = json.loads(azora("events", "--since", "99999", "--json").lines[0])
    assert (reset["type"], reset["reason"]) == ("gap", "reset")


def test_events_go_on_with_f(orch: MasterOrchestrator, at: str) -> None:
    command = Command("events", "-f", "--type", "serviceRegistered", "--json", AZORA_URL=at)
    try:
        orch.register({"id": "before", "type": "core", "endpoint": "http://127.0.0.1:1"})
        command.line('"serviceId":"before"')
        orch.register({"id": "after", "type": "core", "endpoint": "http://127.0.0.1:1"})
        command.line('"serviceId":"after"')
        command.signal(signal.SIGINT)
        assert command.wait() == 130
        assert not any("Traceback" in line for line in command.lines)
    finally:
        command.close()


@pytest.mark.process
def test_restart_stop_and_start_wait_until_it_is_so(
    orch: MasterOrchestrator, actors: Actors, at: str, azora: Azora
) -> None:
    orch.register(actors.service("root"))
    orch.register(actors.service("leaf", dependencies=["root"]))
    orch.wait_ready(timeout_ms=30_000)
    said = azora("restart", "root")
    assert (said.code, said.lines) == (0, ["root is ready", "affected: leaf"])
    assert orch.service("root").incarnation == 2

    said = azora("stop", "leaf", "--json")
    assert (said.code, said.json["serviceId"]) == (0, "leaf")
    assert orch.service("leaf").lifecycle == "IDLE"
    assert azora("start", "leaf").lines == ["leaf is ready"]
    assert orch.service("leaf").status == "healthy"

    said = azora("stop", "root", "--dependents")
    assert (said.code, said.lines[0]) == (0, "root is stopped")
    assert orch.service("leaf").desired == "down"
    said = azora("start", "leaf", "--dependencies")
    assert (said.code, said.lines[0]) == (0, "leaf is ready")
    assert orch.service("root").status == "healthy"

    said = azora("restart", "leaf", "--no-wait")
    assert (said.code, said.lines) == (0, ["leaf: restart accepted"])
    actors.tell("leaf", "hang")
    late = azora("restart", "leaf", "--timeout", "0")
    assert late.code == 1
    assert late.err.startswith("azora: ")


@pytest.mark.process
def test_logs_are_printed_and_followed(
    orch: MasterOrchestrator, actors: Actors, at: str, azora: Azora
) -> None:
    orch.register(actors.service("a"))
    orch.wait_ready("a", timeout_ms=30_000)
    assert azora("logs", "a").lines == ["listening"]
    assert azora("logs", "a", "--json").json == {"serviceId": "a", "line": "listening"}
    assert azora("logs", "a", "-n", "0").out == ""
    command = Command("logs", "a", "-f", AZORA_URL=at)
    try:
        command.line("listening")
        orch.restart("a", wait=True, timeout_ms=30_000)
        command.line("listening", count=2)
        orch.unregister("a")
        assert command.wait() == 0
        assert command.lines == ["listening", "listening"]
    finally:
        command.close()


@pytest.mark.process
def test_r59_logs_with_times_and_with_what_was_lost(
    orch: MasterOrchestrator, tmp_path: Path, at: str, azora: Azora
) -> None:
    with contextlib.closing(Parrot(orch, tmp_path)) as parrot:
        for option in ("--timestamps", "-t"):
            (line,) = azora("logs", "parrot", option).lines
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ready", line)
        full = parrot.logs / "log.1"
        full.unlink()
        full.mkdir()  # nothing can be written there
        command = Command("logs", "parrot", "-f", "-n", "0", AZORA_URL=at)
        try:
            parrot.say("lost\n")
            command.line(r"^azora: 1 line \(5 B\) of this output was lost: Is a directory \(since ")
            said = azora("logs", "parrot")
            assert (said.code, said.out) == (0, "")
            assert said.err.startswith("azora: 1 line (5 B) of this output was lost: Is a dir")
            full.rmdir()
            parrot.say("kept\n")
            command.line("^kept$")
            assert azora("logs", "parrot").out == "kept\n"
            assert "lost here: Is a directory" in azora("logs", "parrot", "--json").err
        finally:
            command.close()


def test_what_cannot_be_done_is_said_in_one_line(fleet: Any, at: str, azora: Azora) -> None:
    for arguments, code in (
        (("why", "none"), 2),
        (("logs", "none"), 2),
        (("restart", "none"), 2),
        (("logs", "db"), 2),
        (("restart", "db"), 1),
        (("pick", "core", "--strategy", "best"), 2),
        (("events", "--type", "none"), 2),
    ):
        said = azora(*arguments)
        assert said.code == code, arguments
        assert said.out == ""
        assert said.err.startswith("azora: ")
        assert said.err.count("\n") == 1


def test_the_url_is_taken_before_and_after_the_verb(
    fleet: Any, at: str, azora: Azora, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AZORA_URL")
    monkeypatch.setenv("ORCHESTRATOR_PORT", str(free_port()))
    for arguments in (
        ("--url", at, "status", "--json"),
        ("status", "--url", at, "--json"),
        ("--json", "--url", f"{at}/", "status"),
        ("--url", at.removeprefix("http://"), "status", "--json"),
    ):
        assert azora(*arguments).json["totalServices"] == 2, arguments
    assert azora("--url", at, "status", "--url", "http://127.0.0.1:1").code == 3
    monkeypatch.setenv("ORCHESTRATOR_PORT", at.rpartition(":")[2])
    assert azora("status").code == 0


def test_nobody_there_is_3_and_nonsense_is_2(azora: Azora, web: Callable[[], Any]) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    said = azora("status", "--url", url)
    assert said.code == 3
    assert said.err.startswith(f"azora: no server answers at {url} (")
    assert "azora serve" in said.err
    other = azora("status", "--url", web().endpoint)  # answers, but is none of ours
    assert (other.code, "does not answer as Azora does" in other.err) == (3, True)
    for url in ("ftp://x", "http://", "http://127.0.0.1:99999", "http://127.0.0.1:0"):
        said = azora("status", "--url", url)
        assert said.code == 2, url
        assert said.err == f'azora: "{url}" is not a valid URL of a server; use http://HOST:PORT\n'
    assert azora("none").code == 2
    assert azora("status", "--none").code == 2
    assert azora("why").code == 2


def test_somebody_elses_server_needs_the_token(
    serve: Callable[..., Any], azora: Azora, fleet: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"http://127.0.0.1:{serve(auth='token').port}"
    said = azora("restart", "db", "--url", url)
    assert said.code == 2
    assert "azora token" in said.err
    token = azora("token").lines[0]
    assert azora("token").lines == [token]
    # The file of this user is found by itself; then only the service has nothing to restart.
    assert azora("restart", "db", "--url", url).code == 1
    # A process of somebody else, on a port where ours might be, does not get to see it.
    monkeypatch.setattr(owner, "is_owner", lambda *_: False)
    assert azora("restart", "db", "--url", url).code == 2
    monkeypatch.setenv("AZORA_TOKEN", token)
    assert azora("restart", "db", "--url", url).code == 1


def test_a_reader_that_leaves_early_is_no_error(fleet: Any, at: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "azora_orchestrator", "status"],
        stdout=writer,
        stderr=subprocess.PIPE,
        timeout=30,
        env=os.environ | {"AZORA_URL": at},
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_version_is_the_packages(azora: Azora) -> None:
    assert azora("--version").lines == [f"azora {azora_orchestrator.__version__}"]


def test_help_names_every_verb(azora: Azora) -> None:
    said = azora("--help")
    assert said.code == 0
    for verb in VERBS:
        assert verb in said.out, verb
        assert azora(verb, "--help").code == 0


@pytest.mark.parametrize("verb", ["top", "simulate"])
def test_a_verb_of_later_is_refused_by_its_name(verb: str, azora: Azora) -> None:
    said = azora(verb, "a")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"azora: {verb}: is not available in this version; the verbs are ")


def test_json_is_asked_for_and_given_when_refused_too(fleet: Any, at: str, azora: Azora) -> None:
    for arguments, code, error in (
        (("why", "nobody"), 2, "unknown_service"),
        (("pick", "nobody"), 1, "no_healthy_instance"),
    ):
        said = azora(*arguments, "--json")
        assert (said.code, said.json["code"]) == (code, error)
        assert "nobody" in said.err


def test_a_service_that_is_not_there_is_named(fleet: Any, at: str, azora: Azora) -> None:
    for arguments in (("why",), ("logs",), ("restart",), ("stop",), ("start",)):
        said = azora(*arguments, "nobody")
        assert said.code == 2
        assert said.err == (
            f'azora: there is no service "nobody" at {at}; `azora services` lists them\n'
        )


def test_what_the_terminal_cannot_spell_ends_no_verb(fleet: Any, at: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "azora_orchestrator", "graph", "--url", at],
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[1].endswith(" shop [healthy]")
