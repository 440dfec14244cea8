"""The examples run as they stand, but for ports of their own, and do what their texts promise."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import shutil
import signal
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import pytest

from azora_orchestrator.config import load
from conftest import free_port, free_ports
from repository_rig import ROOT
from rest.asking import Api, until
from rest.served import Served, dies

EXAMPLES = ROOT / "examples"
PATHS = [str(Path(sys.executable).parent), os.environ["PATH"], "/usr/sbin"]
PATHS += map(str, Path("/usr/lib/postgresql").glob("*/bin"))
PATH = os.pathsep.join(PATHS)
WAIT = 90.0


def needs(*programs: str, install: str) -> pytest.MarkDecorator:
    """Leaves a test out, with the line that would make it run, where a program is missing."""
    missing = [name for name in programs if shutil.which(name, path=PATH) is None]
    return pytest.mark.skipif(
        bool(missing), reason=f"needs {', '.join(missing)}: apt-get install -y {install}"
    )


@contextlib.contextmanager
def running(example: str, ports: dict[int, int]) -> Iterator[Served]:
    """Serves a copy of an example; afterwards each of its processes must be gone."""
    folder = Path(tempfile.mkdtemp(prefix="azora-example-"))
    folder.chmod(0o755)  # the web stack's PostgreSQL enters it as another user
    try:
        shutil.copytree(
            EXAMPLES / example,
            folder,
            dirs_exist_ok=True,
            ignore=shutil.ignore_patterns("state", "*.sqlite", "__pycache__"),
        )
        for file in filter(Path.is_file, folder.rglob("*")):
            text = re.sub(
                r"\b\d{4}\b",
                lambda found: str(ports.get(int(found[0]), found[0])),
                file.read_text(),
            )
            file.write_text(text)
        served = Served("serve", "--config", "azora.toml", cwd=folder, PATH=PATH)
        try:
            yield served
            pids = list(pids_of(served.api))
            assert pids
            served.signal(signal.SIGTERM)
            assert served.wait(WAIT) == 0, served.lines
            assert all(dies(pid) for pid in pids)
        finally:
            served.close()
    finally:
        shutil.rmtree(folder)


def pids_of(api: Api) -> Iterator[int]:
    """The processes of a fleet with all their descendants."""
    listed = api.get("/services").json["services"]
    for service in listed:
        process = api.get(f"/services/{service['serviceId']}").json.get("process") or {}
        pending = [pid for pid in (process.get("pid"),) if pid]
        while pending:
            pid = pending.pop()
            yield pid
            with contextlib.suppress(OSError):
                for task in Path(f"/proc/{pid}/task").iterdir():
                    pending += map(int, (task / "children").read_text().split())


def kill(api: Api, service: str) -> None:
    """Kills the main process of a service, as a stranger would, and waits until it is back."""
    state = api.get(f"/services/{service}")
    os.kill(state.json["process"]["pid"], signal.SIGKILL)
    seq = state.headers["Azora-Seq"]
    with api.stream(f"/events?since={seq}&service={service}") as frames:
        until(frames, "serviceRestarted")


def get(port: int, path: str = "/") -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
        text: str = answer.read().decode()
    return text


class Load:
    """Asks one port without pause on four threads, each request over a connection of its own."""

    def __init__(self, port: int) -> None:
        self.failed: list[str] = []
        self.texts: list[str] = []
        self._port = port
        self._news = threading.Condition()
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(4)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(30)

    def more(self, count: int = 100) -> list[str]:
        """Waits for so many more good responses, and returns these."""
        before = len(self.texts)
        self._wait(lambda: len(self.texts) >= before + count)
        return self.texts[before:]

    def sees(self, pattern: str) -> None:
        """Waits for a good response in which this is found."""
        before = len(self.texts)
        self._wait(lambda: any(re.search(pattern, text) for text in self.texts[before:]))

    def _wait(self, done: Callable[[], bool]) -> None:
        with self._news:
            assert self._news.wait_for(done, WAIT), f"{self.failed[-3:]}, {self.texts[-3:]}"

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
                with contextlib.closing(connection):
                    connection.request("GET", "/")
                    answer = connection.getresponse()
                    text = answer.read().decode()
                    failed = "" if answer.status == 200 else f"{answer.status}: {text}"
            except (OSError, http.client.HTTPException) as error:
                failed, text = repr(error), ""
            with self._news:
                (self.failed if failed else self.texts).append(failed or text)
                self._news.notify_all()
            if failed:
                self._ended.wait(0.01)  # a port that refuses is not asked as fast as it refuses


@pytest.mark.parametrize("example", ["web-stack", "dev-fleet", "jobs"])
def test_the_file_of_each_example_is_sound(example: str) -> None:
    read = load(EXAMPLES / example / "azora.toml")
    assert (read.faults, read.warnings) == ([], [])


@pytest.mark.process
@pytest.mark.slow
@needs(
    "postgres",
    "redis-server",
    "nginx",
    "gunicorn",
    install="postgresql redis-server nginx gunicorn",
)
def test_a_web_stack_loses_no_request_while_its_parts_are_killed_one_by_one() -> None:
    first = free_ports(3)
    ports = {8080: free_port(), 7432: free_port(), 7379: free_port()}
    ports |= {7001 + index: first + index for index in range(3)}
    with running("web-stack", ports) as served:
        served.line(r"healthy +nginx ", WAIT)
        with Load(ports[8080]) as load:
            texts = load.more()
            assert {text.partition(":")[0] for text in texts} == {"app@0", "app@1", "app@2"}
            for part in ("app@0", "app@1", "app@2", "redis", "postgres"):
                kill(served.api, part)
                load.more()
                load.sees(r"app@\d: request \d+, time 20")  # of Redis and PostgreSQL
                assert load.failed == [], part
            kill(served.api, "nginx")
            load.more()
            load.failed.clear()  # what was asked of a killed nginx got no response
            load.more()
            assert load.failed == []


@pytest.mark.process
@needs("node", "npm", install="nodejs npm")
def test_a_development_fleet_rebuilds_and_comes_back() -> None:
    ports = {3000: free_port(), 5173: free_port()}
    with running("dev-fleet", ports) as served:
        served.line(r"healthy +worker ", WAIT)
        assert get(ports[3000]) == "<h1>Hello from src</h1>\n"
        kill(served.api, "server")
        assert get(ports[3000]) == "<h1>Hello from src</h1>\n"
        connection = http.client.HTTPConnection("127.0.0.1", served.api.port, timeout=30)
        with contextlib.closing(connection):
            connection.request("GET", "/services/assets/logs?follow=1&lines=0")
            lines = connection.getresponse()
            folder = Path(os.readlink(f"/proc/{served.pid}/cwd"))
            (folder / "src" / "more.txt").write_text("and more")
            assert any(b"and more" in line or b"built 2" in line for line in lines)
        assert "Hello from src" in get(ports[3000])


@pytest.mark.process
def test_jobs_run_in_order_and_on_demand() -> None:
    ports = {8081: free_port()}
    with running("jobs", ports) as served:
        served.line(r"healthy +worker ", WAIT)
        types = "&".join(f"type={name}" for name in ("serviceStarted", "serviceExited"))
        told = [(event["serviceId"], event["type"]) for event in served.api.events(types)]
        assert told[:3] == [
            ("migrate", "serviceStarted"),
            ("migrate", "serviceExited"),
            ("api", "serviceStarted"),
        ]
        connection = http.client.HTTPConnection("127.0.0.1", served.api.port, timeout=30)
        with contextlib.closing(connection):
            connection.request("GET", "/services/worker/logs?follow=1&lines=1000")
            said = [line.decode().strip() for line in iter_until(connection, "nothing to do")]
        assert said == [*(f"job {n}" for n in range(1, 11)), "nothing to do"]
        assert get(ports[8081]) == "10 of 10 done\n"
        seq = served.api.get("/services/migrate").headers["Azora-Seq"]
        assert served.api.ask("POST", "/services/migrate/start").status == 202
        with served.api.stream(f"/events?since={seq}&service=migrate") as frames:
            (*_, ended) = until(frames, "serviceExited")
        assert ended["code"] == 0


def iter_until(connection: http.client.HTTPConnection, last: str) -> Iterator[bytes]:
    """The lines of a log up to this one."""
    for line in connection.getresponse():
        yield line
        if line.decode().strip() == last:
            return
