"""Every verb with a standard output or error that is closed, full, or read by nobody (R67)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from azora_orchestrator import Client, NotRunning, ServerUnreachable
from conftest import free_port
from rest.served import Actors, Served, clean_environ

pytestmark = pytest.mark.process

# Each with what makes it print something; `{file}` is a configuration, `{proc}` a Procfile.
VERBS = [
    ("--help",),
    ("--version",),
    ("check", "{file}"),
    ("check", "{proc}"),  # faults
    ("status",),
    ("services",),
    ("events",),
    ("why", "a"),
    ("why", "none", "--json"),  # a refusal
    ("logs", "a"),
    ("pick", "core"),
    ("start", "a"),
    ("restart", "a"),
    ("graph",),
    ("token",),
    ("import", "{proc}"),
    ("nonsense",),
    ("serve", "--port", "x"),
    ("stop", "a", "--no-wait"),
]


# What these say goes to standard error.
QUIET = [("nonsense",), ("serve", "--port", "x"), ("logs", "a")]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for all of them: what each changes, the next is not about."""
    folder = tmp_path_factory.mktemp("output")
    actors = Actors(folder)
    (folder / "azora.json").write_text(json.dumps({"services": [actors.service("a")]}))
    (folder / "Procfile").write_text("web: sleep 1000\n")
    served = Served("serve", "-c", str(folder / "azora.json"), cwd=folder)
    served.line("the service is healthy")
    yield served
    served.close()


def _run(server: Served, verb: tuple[str, ...], redirect: str) -> subprocess.CompletedProcess[str]:
    folder = Path(os.readlink(f"/proc/{server.pid}/cwd"))
    names = {"file": str(folder / "azora.json"), "proc": str(folder / "Procfile")}
    command = [sys.executable, "-m", "azora_orchestrator", *(word.format(**names) for word in verb)]
    return subprocess.run(
        ["bash", "-c", f'"$@" {redirect}', "bash", *command],
        env=clean_environ(AZORA_URL=server.url, AZORA_TOKEN_FILE=str(folder / "token")),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _is_calm(done: subprocess.CompletedProcess[str]) -> None:
    for trace in ("Traceback", "Exception ignored", "OSError"):
        assert trace not in done.stderr, done.stderr
    assert done.returncode in (0, 1, 2, 3), done


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_a_full_standard_output_is_told_in_a_line(server: Served, verb: tuple[str, ...]) -> None:
    done = _run(server, verb, ">/dev/full")
    _is_calm(done)
    if verb not in QUIET:
        assert done.returncode == 1
        said = "azora: standard output cannot be written: No space left on device"
        assert said in done.stderr.splitlines()


@pytest.mark.parametrize("redirect", [">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("verb", [("status",), ("nonsense",), ("token",)], ids=" ".join)
def test_closed_standard_files_end_no_verb(
    server: Served, verb: tuple[str, ...], redirect: str
) -> None:
    done = _run(server, verb, redirect)
    _is_calm(done)
    assert done.returncode == _run(server, verb, "").returncode


@pytest.mark.parametrize("verb", [("status",), ("events", "--json"), ("--help",)], ids=" ".join)
def test_a_reader_that_has_gone_ends_a_verb_quietly(server: Served, verb: tuple[str, ...]) -> None:
    done = _run(server, verb, "> >(exec true)")
    _is_calm(done)


def test_a_full_standard_error_ends_no_verb_with_a_trace(server: Served) -> None:
    _is_calm(_run(server, ("nonsense",), "2>/dev/full"))
    assert _run(server, ("status",), "2>/dev/full").returncode == 0


def test_a_server_whose_output_is_full_serves_and_ends_in_order(tmp_path: Path) -> None:
    port = free_port()
    with open("/dev/full", "w") as full, (tmp_path / "said").open("w+") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "azora_orchestrator", "serve", "--port", str(port)],
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=said,
            env=clean_environ(AZORA_TOKEN_FILE=str(tmp_path / "token")),
        )
        try:
            _until_it_is_ready(port)  # nothing that it cannot print ends it
            process.terminate()
            assert process.wait(30) == 0
        finally:
            process.kill()
            process.wait(10)
        said.seek(0)
        text = said.read()
    assert "Traceback" not in text
    assert "Exception ignored" not in text


def _until_it_is_ready(port: int) -> None:
    """It prints nothing, so it is asked."""
    deadline = time.monotonic() + 60
    with Client(f"http://127.0.0.1:{port}") as client:
        while True:
            try:
                client.request("GET", "readyz")
            except (ServerUnreachable, NotRunning):
                assert time.monotonic() < deadline
                threading.Event().wait(0.05)
            else:
                return
