"""What README.md says to type is typed: its fleet, its command lines, its requests, its app."""

from __future__ import annotations

import http.client
import json
import re
import shlex
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from azora_orchestrator.catalog import CATALOG
from conftest import free_port
from repository_rig import ROOT, write
from rest.served import Command, Served, clean_environ

pytestmark = [pytest.mark.process, pytest.mark.slow]

README = (ROOT / "README.md").read_text()
COMPOSE = "services:\n  web:\n    command: python3 -m http.server 8000\n"
PATH = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
FOLLOWING = "-f"


def section(title: str) -> str:
    found = README.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    assert found, title
    return found


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def lines(title: str, program: str) -> list[list[str]]:
    """The arguments of each line of a section's shell blocks that runs this program."""
    found = [
        shlex.split(line) for block in blocks(section(title), "sh") for line in block.split("\n")
    ]
    arguments = [words[1:] for words in found if words and words[0] == program]
    assert arguments, title
    return arguments


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With the configuration of README.md, on ports of its own."""
    (toml,) = blocks(section("Configuration"), "toml")
    for port in ("7201", "7202"):
        assert port in toml
        toml = toml.replace(port, str(free_port()))
    return write(tmp_path, {"azora.toml": toml.replace("port = 5000", "port = 0")})


def asked(server: Served, arguments: list[str], folder: Path) -> str:
    """Runs a verb against a server; one that follows is ended after its first line."""
    environ = {"AZORA_URL": server.url, "AZORA_TOKEN_FILE": str(folder / "token")}
    if FOLLOWING in arguments:
        following = Command(*arguments, cwd=folder, **environ)
        try:
            return following.line(r"\S")[0]
        finally:
            following.close()
    done = subprocess.run(
        [sys.executable, "-m", "azora_orchestrator", *arguments],
        cwd=folder,
        env=clean_environ(**environ),
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, (arguments, done.stdout, done.stderr)
    return done.stdout


def test_the_fleet_of_the_readme_runs_and_every_command_line_works(folder: Path) -> None:
    verbs = lines("Command line", "azora")
    server = Served("serve", "--config", "azora.toml", cwd=folder, PATH=PATH)
    try:
        server.line("all 2 services are healthy", 60)
        for arguments in verbs:
            if arguments[0] in ("serve", "demo"):
                continue  # the servers: this one, and the next test's
            here = folder
            if arguments[0] == "import":
                here = write(folder / "imported", {"docker-compose.yml": COMPOSE})
            assert asked(server, arguments, here).strip(), arguments
        assert (folder / "imported/azora.toml").exists()
        server.signal(signal.SIGTERM)
        assert server.wait() == 0, server.lines
    finally:
        server.close()


def curl(arguments: list[str], url: str) -> str:
    """One request of README.md; what never ends is cut off after a second."""
    endless = "-N" in arguments
    arguments = [word.replace("http://127.0.0.1:5000", url) for word in arguments]
    limit = "1" if endless else "60"
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--fail", "--max-time", limit, *arguments],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == (28 if endless else 0), (arguments, done.stdout, done.stderr)
    return done.stdout


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl: apt-get install -y curl")
def test_the_demo_answers_every_request_of_the_readme(tmp_path: Path) -> None:
    # Its usual ports may be those of a demo that runs beside the tests.
    endpoints = {entry.variable: f"http://127.0.0.1:{free_port()}" for entry in CATALOG}
    server = Served("demo", PATH=PATH, **endpoints)
    try:
        server.line("all 11 services are healthy", 60)
        for arguments in lines("Install", "azora"):
            assert asked(server, arguments, tmp_path).strip(), arguments
        for arguments in [*lines("Install", "curl"), *lines("REST", "curl")]:
            assert curl(arguments, server.url), arguments
        (program,) = (one for one in blocks(section("REST"), "python") if "Client()" in one)
        done = subprocess.run(
            [sys.executable, "-c", program],
            env=clean_environ(AZORA_URL=server.url, XDG_RUNTIME_DIR=str(tmp_path)),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.stderr == ""
        assert "serviceRestarted" in done.stdout
        server.signal(signal.SIGTERM)
        assert server.wait() == 0, server.lines
    finally:
        server.close()


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The app of README.md, served by uvicorn as it says."""
    (program,) = (one for one in blocks(section("REST"), "python") if "mount" in one)
    write(tmp_path, {"main.py": program})
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "main:app", "--port", str(port)],
        cwd=tmp_path,
        env=clean_environ(),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        assert any("Uvicorn running" in line for line in process.stderr)
        yield process, port
    finally:
        process.kill()
        process.wait(10)
        assert process.stderr is not None
        process.stderr.close()


def test_open_answers_of_a_mounted_app_end_when_plain_uvicorn_begins_to_end(
    mounted: tuple[subprocess.Popen[str], int],
) -> None:
    process, port = mounted
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/fleet/status", timeout=20) as answer:
        assert json.load(answer)["running"] is True
    streams = []
    for _ in range(2):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", "/fleet/events?since=0")
        streams.append((connection, connection.getresponse()))
        assert streams[-1][1].readline() == b"retry: 1000\n"
    process.send_signal(signal.SIGTERM)
    for connection, response in streams:
        response.read()  # it ends
        connection.close()
    # uvicorn has waited for all of them, stopped the fleet, and ends by the signal itself.
    assert process.wait(30) in (0, -signal.SIGTERM)
    assert process.stderr is not None
    said = process.stderr.read()
    assert "Application shutdown complete" in said
    assert "Traceback" not in said, said
