"""What the verbs that look show, and to whom: events, picks, logs, errors and completion."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from azora_orchestrator import MasterOrchestrator
from cli.conftest import Azora
from client.relay import Relay
from conftest import free_port
from rest.parrot import Parrot
from rest.served import Command, clean_environ

pytestmark = pytest.mark.native

ESCAPES = "\x1b]0;owned\x07"


def add(orch: MasterOrchestrator, *ids: str) -> None:
    for id in ids:
        orch.register({"id": id, "type": "t", "endpoint": f"http://127.0.0.1:{free_port()}"})


def numbers(lines: list[str]) -> list[int]:
    return [int(line.split()[0]) for line in lines]


def test_events_have_numbers_to_go_on_from(orch: MasterOrchestrator, at: str, azora: Azora) -> None:
    add(orch, "a", "b", "c")
    said = azora("events", "--type", "serviceRegistered")
    first, second, third = numbers(said.lines)
    assert first < second < third
    after = azora("events", "--type", "serviceRegistered", "--since", str(second))
    assert numbers(after.lines) == [third]
    last = azora("events", "--type", "serviceRegistered", "-n", "2")
    assert numbers(last.lines) == [second, third]
    assert azora("events", "-n", "0").out == ""
    many = azora("events", "--type", "serviceRegistered", "--since", "0", "--lines", "1")
    assert numbers(many.lines) == [third]


def test_the_last_of_many_events_are_found_from_the_end_of_the_log(
    orch: MasterOrchestrator, at: str, azora: Azora
) -> None:
    add(orch, "first")
    add(orch, *(f"s{number}" for number in range(300)))
    assert len(azora("events").lines) == 100
    # Their checks fail meanwhile, which are events, too.
    registered = ("--type", "serviceRegistered")
    last = azora("events", "-n", "3", *registered).lines
    assert [line.split()[3] for line in last] == ["s297", "s298", "s299"]
    (only,) = azora("events", "-n", "3", "--service", "first", *registered).lines
    assert only.split()[3] == "first"


def test_events_of_a_name_that_nobody_has_are_not_waited_for_in_silence(
    fleet: MasterOrchestrator, at: str, azora: Azora
) -> None:
    said = azora("events", "--service", "shopp")
    assert (said.code, said.out) == (0, "")
    assert said.err == f'azora: no service "shopp" is registered at {at} now\n'
    fleet.unregister("shop")
    former = azora("events", "--service", "shop")
    assert "serviceUnregistered" in former.out
    assert former.err.startswith('azora: no service "shop" is registered')
    assert azora("events", "--service", "db").err == ""


def test_health_checks_are_shown_when_asked_for(
    fleet: MasterOrchestrator, at: str, azora: Azora
) -> None:
    assert "healthCheck" not in azora("events").out
    assert "serviceHealthy" in azora("events").out
    assert "healthCheck" in azora("events", "--checks").out
    only = azora("events", "--type", "healthCheck").lines
    assert {line.split()[2] for line in only} == {"healthCheck"}
    both = azora("events", "--type", "serviceHealthy", "--checks").lines
    assert {line.split()[2] for line in both} == {"healthCheck", "serviceHealthy"}


def test_events_are_followed_through_a_restart_of_the_server(
    orch: MasterOrchestrator, api: Any
) -> None:
    relay = Relay(api.port)
    command = Command("events", "-f", "-n", "0", "--type", "serviceRegistered", AZORA_URL=relay.url)
    try:
        _until_it_follows(command, orch)
        target, relay.target = relay.target, None
        relay.cut()
        command.line(f"^azora: the connection to {relay.url} is lost; trying again$")
        add(orch, "b")
        relay.target = target
        command.line("^azora: connected again$")
        command.line(r"serviceRegistered +b ")
        command.signal(signal.SIGINT)
        assert command.wait() == 130
    finally:
        command.close()
        relay.close()


def _until_it_follows(command: Command, orch: MasterOrchestrator) -> None:
    """With `-n 0` only what comes after its connection is printed: events come until one is."""
    for number in range(300):
        add(orch, f"before{number}")
        with contextlib.suppress(AssertionError):
            command.line("serviceRegistered +before", seconds=0.1)
            return
    raise AssertionError(command.lines)


def test_candidates_are_shown_when_none_can_be_picked(
    orch: MasterOrchestrator, at: str, azora: Azora
) -> None:
    add(orch, "a")
    said = azora("pick", "t", "--explain")
    assert said.code == 1
    assert said.lines[0].split() == ["CANDIDATE", "TIER", "LOAD", "WEIGHT", "EXCLUDED"]
    assert said.lines[1].split()[:2] == ["a", "excluded"]
    assert said.err == "azora: No healthy instances available for service type: t\n"
    found = azora("pick", "t", "--explain", "--json").json
    assert found["candidates"][0]["serviceId"] == "a"


def test_why_says_the_last_error(orch: MasterOrchestrator, at: str, azora: Azora) -> None:
    with orch.events(type="serviceUnhealthy") as stream:
        add(orch, "a")
        assert stream.next(timeout_ms=10_000) is not None
    said = azora("why", "a")
    assert said.code == 1
    assert "connection refused" in said.out


def test_why_of_what_runs_without_its_dependency(
    fleet: MasterOrchestrator, at: str, azora: Azora
) -> None:
    fleet.unregister("db")
    assert azora("why", "shop").lines == [
        "shop is healthy (WATCHING); its dependencies are not ready: db (not registered)"
    ]


def test_json_is_given_everywhere(fleet: Any, at: str, azora: Azora) -> None:
    token = azora("token").lines[0]
    for arguments in (("token", "--json"), ("--json", "token")):
        assert azora(*arguments).json == {"token": token}
    for arguments in (
        ("status", "--nonsense", "--json"),
        ("--json", "nonsense"),
        ("why", "--json"),
        ("events", "--since", "x", "--json"),
        ("restart", "db", "--timeout", "soon", "--json"),
        ("status", "--url", "ftp://x", "--json"),
    ):
        said = azora(*arguments)
        assert said.code == 2, arguments
        assert said.json["success"] is False
        assert said.json["error"]
        assert said.err.startswith("azora: ")
    gone = azora("status", "--url", f"http://127.0.0.1:{free_port()}", "--json")
    assert (gone.code, gone.json["success"]) == (3, False)


def test_a_usage_error_is_one_line(azora: Azora) -> None:
    said = azora("why")
    assert (said.code, said.out) == (2, "")
    assert said.err == "azora: Missing argument 'ID'; see `azora why --help`\n"
    assert azora("nonsense").err.count("\n") == 1
    assert azora("status", "--nonsense").err.startswith("azora: No such option: --nonsense")
    alone = azora()
    assert alone.code == 2
    assert "Usage" in alone.out + alone.err


def test_what_a_warning_is_is_said(tmp_path: Path, azora: Azora) -> None:
    file = tmp_path / "azora.toml"
    file.write_text(
        '[[services]]\nid = "a"\ntype = "t"\nendpoint = "http://h"\ndependencies = ["nobody"]\n'
    )
    said = azora("check", str(file))
    assert (said.code, said.lines[-1]) == (0, f"{file}: ok, 1 service")
    assert ": warning: " in said.lines[0]
    server = Command("serve", "-c", str(file), "--port", "0")
    try:
        server.line("serves 1 service at")
        assert any(line.startswith(f"azora: {said.lines[0]}") for line in server.lines)
    finally:
        server.close()


def _on_a_terminal(*arguments: str, **environ: str) -> str:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "azora_orchestrator", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        env=clean_environ(COLUMNS="200", **environ),
    )
    os.close(theirs)
    text = b""
    try:
        while True:
            try:
                text += os.read(ours, 65_536)
            except OSError:  # nobody has the other end any more
                break
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait(10)
        os.close(ours)
    return text.decode()


@pytest.mark.process
def test_a_terminal_obeys_no_service(
    orch: MasterOrchestrator, tmp_path: Path, at: str, azora: Azora
) -> None:
    parrot = Parrot(orch, tmp_path)
    try:
        parrot.say(f"{ESCAPES}\n")
        command = Command("logs", "parrot", "-f", AZORA_URL=at)
        command.line("owned")
        command.close()
        assert ESCAPES in azora("logs", "parrot").out  # a pipe gets it as it is
        shown = _on_a_terminal("logs", "parrot", AZORA_URL=at)
        assert ESCAPES not in shown
        assert "\\x1b]0;owned\\x07" in shown
    finally:
        parrot.close()


@pytest.mark.process
def test_a_service_cannot_speak_as_the_server(
    orch: MasterOrchestrator, tmp_path: Path, at: str, azora: Azora
) -> None:
    parrot = Parrot(orch, tmp_path)
    try:
        forged = "[azora: 7 lines of this output were lost]"
        parrot.say(f"{forged}\n")
        command = Command("logs", "parrot", "-f", AZORA_URL=at)
        command.line("7 lines")
        command.close()
        said = azora("logs", "parrot")
        assert forged in said.lines
        assert said.err == ""
        raw = [json.loads(line) for line in azora("logs", "parrot", "--json").lines]
        assert raw[-1] == {"serviceId": "parrot", "line": forged}
    finally:
        parrot.close()


def _complete(words: str, **environ: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-m", "azora_orchestrator"],
        env=clean_environ(
            _AZORA_COMPLETE="complete_bash",
            COMP_WORDS=words,
            COMP_CWORD=str(len(words.split(" ")) - 1),
            _TYPER_COMPLETE_ARGS=words,
            **environ,
        ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout.split()


def test_a_shell_completes_verbs_options_and_services(fleet: Any, at: str) -> None:
    assert _complete("azora sta", AZORA_URL=at) == ["status", "start", "state"]
    assert "--explain" in _complete("azora pick --", AZORA_URL=at)
    assert _complete("azora why ", AZORA_URL=at) == ["db", "shop"]
    assert _complete("azora restart s", AZORA_URL=at) == ["shop"]
    nobody = f"http://127.0.0.1:{free_port()}"
    assert _complete("azora why ", AZORA_URL=nobody) == []
    assert _complete(f"azora why --url {at} d", AZORA_URL=nobody) == ["db"]
