"""GET /services/{id}/logs: what was written last, and what follows."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import http.client
import os
import re
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from azora_orchestrator import MasterOrchestrator, _core
from azora_orchestrator._core import CoreError
from azora_orchestrator.server import log_follow
from rest.on_loop import on_loop, until
from rest.parrot import Parrot, until_logged

pytestmark = [pytest.mark.native, pytest.mark.process]

TALKER = """
import signal, sys

def told(*_):
    print("goodbye", flush=True)
    sys.exit(0)

signal.signal(signal.SIGTERM, told)
for number in range(5):
    print("line", number, flush=True)
while True:
    signal.pause()
"""


@pytest.fixture
def talker(orch: MasterOrchestrator, tmp_path: Path) -> str:
    """A service that says goodbye."""
    file = tmp_path / "talker.py"
    file.write_text(TALKER)
    orch.register(
        {
            "id": "talker",
            "type": "core",
            "healthCheck": {"type": "process"},
            "process": {"argv": [sys.executable, "-S", str(file)]},
        }
    )
    orch.wait_ready("talker", timeout_ms=30_000)
    until_logged(orch, "talker", "line 4\n")
    return "talker"


@pytest.fixture
def parrot(orch: MasterOrchestrator, tmp_path: Path) -> Iterator[Parrot]:
    """A service that writes what it is told."""
    with contextlib.closing(Parrot(orch, tmp_path)) as made:
        yield made


@contextlib.contextmanager
def following(api: Any, path: str) -> Iterator[http.client.HTTPResponse]:
    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=20)
    with contextlib.closing(connection):
        connection.request("GET", path)
        yield connection.getresponse()


def test_the_last_lines_as_plain_text(talker: str, api: Any) -> None:
    answer = api.get(f"/services/{talker}/logs?lines=2")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.body == b"line 3\nline 4\n"
    assert api.get(f"/services/{talker}/logs?lines=0").body == b""
    wrongs = ("lines=x", "lines=-1", "lines=10001", "lines=1&lines=2", "follow=perhaps")
    notes = ("notes=a-b", "notes=%C3%A4", "notes=" + 33 * "a", "notes=a%0A", "notes=a&notes=a")
    for wrong in (*wrongs, "timestamps=x", *notes):
        assert api.get(f"/services/{talker}/logs?{wrong}").status == 400


def test_who_follows_hears_the_last_word_of_what_is_unregistered(talker: str, api: Any) -> None:
    with following(api, f"/services/{talker}/logs?follow=1&lines=1") as response:
        assert response.readline() == b"line 4\n"
        assert api.ask("DELETE", f"/services/{talker}").status == 200
        assert api.get(f"/services/{talker}/logs").status == 404
        assert response.read() == b"goodbye\n"


def test_who_follows_goes_on_over_restarts(talker: str, api: Any) -> None:
    with following(api, f"/services/{talker}/logs?follow=1&lines=0") as response:
        assert api.ask("POST", f"/services/{talker}/restart?wait=ready").status == 200
        assert response.readline() == b"goodbye\n"
        assert response.readline() == b"line 0\n"


def test_r59_who_follows_gets_an_unfinished_line_and_then_the_whole_one(
    parrot: Parrot, api: Any
) -> None:
    with following(api, "/services/parrot/logs?follow=1&lines=0") as response:
        parrot.say("Password: ")
        assert response.readline().decode() == "Password: \u2026\n"
        assert api.get("/services/parrot/logs").body == b"ready\nPassword: "
        parrot.say("given\nnext\n")
        assert response.readline() == b"Password: given\n"
        assert response.readline() == b"next\n"
    assert api.get("/services/parrot/logs").body == b"ready\nPassword: given\nnext\n"


def test_r59_who_comes_later_gets_the_unfinished_line_with_the_last_ones(
    parrot: Parrot, api: Any
) -> None:
    with following(api, "/services/parrot/logs?follow=1&lines=0") as first:
        parrot.say("half")
        assert first.readline().decode() == "half\u2026\n"
        with following(api, "/services/parrot/logs?follow=1&lines=1") as second:
            assert second.readline().decode() == "half\u2026\n"
        with following(api, "/services/parrot/logs?follow=1&lines=0") as third:
            parrot.say(" a line\n")
            assert third.readline() == b"half a line\n"


def test_r59_a_removed_log_file_is_opened_anew(parrot: Parrot, api: Any) -> None:
    with following(api, "/services/parrot/logs?follow=1&lines=1") as response:
        assert response.readline() == b"ready\n"
        for file in parrot.logs.glob("log.*"):
            file.unlink()
        parrot.say("anew\n")
        assert response.readline() == b"anew\n"
    assert api.get("/services/parrot/logs").body == b"anew\n"


def test_r59_files_that_come_and_go_between_two_reads_are_followed_all_the_same(
    orch: MasterOrchestrator, tmp_path: Path, api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = on_loop(api, asyncio.Event)

    async def pause(*_: object, **__: object) -> None:
        await go_on.wait()

    def held() -> set[str]:
        targets = set()
        for fd in Path("/proc/self/fd").iterdir():
            with contextlib.suppress(OSError):
                targets.add(os.readlink(fd).removesuffix(" (deleted)"))
        return targets

    monkeypatch.setattr(log_follow._Follower, "_pause", pause)
    pieces = [f"{number}{900 * '.'}\n" for number in range(7)]
    limits = {"maxBytes": 1024, "files": 1}  # each piece is a file, which the next one removes
    with (
        contextlib.closing(Parrot(orch, tmp_path, log=limits)) as parrot,
        following(api, "/services/parrot/logs?follow=1&lines=1") as response,
    ):
        assert response.readline() == b"ready\n"
        for number, piece in enumerate(pieces, 1):
            parrot.has_said(piece)
            file = str(parrot.logs / f"log.{number}")
            until(api, lambda file=file: file in held())
        assert len(list(parrot.logs.glob("log.[0-9]"))) == 1
        on_loop(api, go_on.set)
        assert [response.readline().decode() for _ in pieces] == pieces


def test_r59_each_line_has_the_time_at_which_it_was_taken(
    parrot: Parrot, orch: MasterOrchestrator, api: Any
) -> None:
    before = dt.datetime.now(dt.UTC)
    with following(api, "/services/parrot/logs?follow=1&lines=0&timestamps=1") as response:
        parrot.say("one\ntwo\n")
        lines = [response.readline().decode() for _ in range(2)]
    after = dt.datetime.now(dt.UTC)
    assert [line.partition(" ")[2] for line in lines] == ["one\n", "two\n"]
    for line in lines:
        assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ", line)
        taken = dt.datetime.fromisoformat(line.partition(" ")[0])
        assert before - dt.timedelta(milliseconds=1) <= taken <= after
    assert orch.logs("parrot", lines=2, timestamps=True) == "".join(lines)
    assert orch.logs("parrot", lines=2) == "one\ntwo\n"
    for file in parrot.logs.glob("log.*.times"):
        file.unlink()
    assert orch.logs("parrot", lines=1, timestamps=True) == "- two\n"


def test_r59_lines_that_could_not_be_written_are_said_where_they_are_missing(
    parrot: Parrot, orch: MasterOrchestrator, api: Any
) -> None:
    full = parrot.logs / "log.1"
    with following(api, "/services/parrot/logs?follow=1&lines=1") as response:
        assert response.readline() == b"ready\n"
        full.unlink()
        full.mkdir()  # nothing can be written there
        parrot.say("lost\n")
        began = response.readline().decode()
        assert re.fullmatch(
            r"\[azora: 1 line \(5 B\) of this output was lost: Is a directory \(since .*Z\)\]\n",
            began,
        )
        assert orch.logs("parrot") == began
        assert parrot.facts["logDropped"] == 1
        loss = parrot.facts["logLoss"]
        assert (loss["lines"], loss["bytes"], loss["reason"]) == (1, 5, "Is a directory")
        assert loss["goesOn"]
        full.rmdir()
        parrot.say("kept\n")
        ended = response.readline().decode()
        assert re.fullmatch(
            r"\[azora: 1 line \(5 B\) of this output was lost here: Is a directory "
            r"\(.*Z to .*Z\)\]\n",
            ended,
        )
        assert loss["since"] in ended
        assert response.readline() == b"kept\n"
    assert orch.logs("parrot") == ended + "kept\n"


def test_r59_a_service_cannot_write_the_notes_of_a_reader_that_gives_a_token(
    parrot: Parrot, api: Any
) -> None:
    forged = "[azora: 9 lines (9 kB) of this output were lost here: no]\n"
    parrot.has_said(forged)
    path = "/services/parrot/logs?lines=1"
    with following(api, f"{path}&follow=1&notes=Token32") as response:
        assert response.readline().decode() == forged
        full = parrot.logs / "log.1"
        full.unlink()
        full.mkdir()
        parrot.say("lost\n")
        assert re.fullmatch(r"\[azora Token32: 1 line \(5 B\) .*\]\n", response.readline().decode())
        assert api.get(f"{path}&notes={32 * 'a'}").body.startswith(b"[azora " + 32 * b"a" + b": 1 ")
        assert api.get(f"{path}&notes=").body.startswith(b"[azora: 1 line")
        full.rmdir()


def test_a_log_is_followed_where_the_kernel_watches_no_more_folders(
    parrot: Parrot, api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> Any:
        raise CoreError("limit_reached", "this user has too many inotify instances", [])

    monkeypatch.setattr(_core, "FolderWatch", refuse)
    with following(api, "/services/parrot/logs?follow=1&lines=1") as response:
        assert response.readline() == b"ready\n"
        for word in (b"one\n", b"two\n"):
            parrot.say(word.decode())
            assert response.readline() == word


def test_what_is_said_is_followed_at_once_and_after_a_silence(parrot: Parrot, api: Any) -> None:
    with following(api, "/services/parrot/logs?follow=1&lines=1") as response:
        assert response.readline() == b"ready\n"
        for number in range(5):
            quiet = threading.Event()
            api.loop.call_soon_threadsafe(api.loop.call_later, 0.8 * (number % 2), quiet.set)
            assert quiet.wait(10)
            parrot.say(f"word {number}\n")
            assert response.readline() == b"word %d\n" % number
