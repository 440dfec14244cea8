"""The program that is meant is not the main process: who hears of a stop, and who is waited for."""

from __future__ import annotations

import http.client
import importlib.util
import os
import shlex
import shutil
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from azora_orchestrator import MasterOrchestrator
from conftest import free_port
from rest.asking import until
from rest.served import dies

pytestmark = pytest.mark.process

DRAINER = Path(__file__).with_name("drainer.py")
READY_MS = 30_000


class Drainer:
    """A server behind a shell, and one request that it has begun to answer."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.answers: list[bytes] = []
        self._thread = threading.Thread(target=self._ask, daemon=True)
        for name in ("begun", "gate"):
            os.mkfifo(folder / name)

    def service(self, **process: Any) -> dict[str, Any]:
        program = shlex.join([sys.executable, "-S", str(DRAINER), str(self.port), str(self.folder)])
        return {
            "id": "web",
            "type": "core",
            "endpoint": f"http://127.0.0.1:{self.port}",
            "process": {"argv": ["sh", "-c", f"{program}; true"]} | process,
        }

    def _ask(self) -> None:
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        client.request("GET", "/slow")
        self.answers.append(client.getresponse().read())
        client.close()

    def begin(self) -> None:
        self._thread.start()
        assert (self.folder / "begun").read_text("ascii") == "begun"

    def finish(self) -> bytes:
        (self.folder / "gate").write_text("whole\n", "ascii")
        self._thread.join(30)
        return self.answers[0]

    def heard(self) -> list[str]:
        return (self.folder / "heard").read_text("ascii").split()


@pytest.fixture
def drainer(tmp_path: Path) -> Drainer:
    return Drainer(tmp_path)


def main_pid(api: Any) -> int:
    pid = api.get("/services/web").json["process"]["pid"]
    assert isinstance(pid, int)
    return pid


def worker_of(main: int) -> int:
    return int(Path(f"/proc/{main}/task/{main}/children").read_text().split()[0])


def test_rule53_a_stop_lets_the_program_behind_a_shell_finish_its_request(
    orch: MasterOrchestrator, api: Any, drainer: Drainer
) -> None:
    orch.register(drainer.service(stopTimeout=60_000))
    orch.wait_ready("web", timeout_ms=READY_MS)
    worker = worker_of(main_pid(api))
    drainer.begin()
    seq = api.get("/healthz").headers["Azora-Seq"]
    with api.stream(f"/events?since={seq}&service=web") as frames:
        assert api.ask("POST", "/services/web/stop").status == 202
        until(frames, "serviceExited")
        why = api.get("/services/web/why").json
        assert why["lifecycle"] == "SWEEP"
        assert "processes that it left behind were told to stop" in why["summary"]
        assert drainer.finish() == b"whole\n"
        until(frames, "serviceStopped")
    assert dies(worker, 0)
    assert drainer.heard() == ["SIGTERM"]


def test_rule53_a_longer_stop_timeout_applies_to_the_stop_under_way(
    orch: MasterOrchestrator, api: Any, drainer: Drainer
) -> None:
    orch.register(drainer.service(stopTimeout=4_000))
    other = {"argv": ["sh", "-c", "trap '' TERM; while :; do sleep 1; done"], "stopTimeout": 5_000}
    check = {"type": "process"}
    orch.register({"id": "clock", "type": "core", "process": other, "healthCheck": check})
    orch.wait_ready(timeout_ms=READY_MS)
    drainer.begin()
    seq = api.get("/healthz").headers["Azora-Seq"]
    with api.stream(f"/events?since={seq}&type=serviceStopped") as frames:
        assert api.ask("POST", "/services/web/stop").status == 202
        orch.register(drainer.service(stopTimeout=60_000))
        assert api.ask("POST", "/services/clock/stop").status == 202
        clock = until(frames, "serviceStopped")[-1]
        assert clock["serviceId"] == "clock"  # 5 s later; the first 4 s of web are over
        assert drainer.finish() == b"whole\n"
        until(frames, "serviceStopped")
    assert drainer.heard() == ["SIGTERM"]


def test_rule53_what_a_crash_leaves_may_finish_and_the_next_start_waits_for_it(
    orch: MasterOrchestrator, api: Any, drainer: Drainer
) -> None:
    orch.register(drainer.service(orphanTimeout=60_000))
    orch.wait_ready("web", timeout_ms=READY_MS)
    main = main_pid(api)
    worker = worker_of(main)
    drainer.begin()
    seq = api.get("/healthz").headers["Azora-Seq"]
    with api.stream(f"/events?since={seq}&service=web") as frames:
        os.kill(main, signal.SIGKILL)
        until(frames, "serviceExited")
        assert not dies(worker, 0)
        assert drainer.finish() == b"whole\n"
        told = [event["type"] for event in until(frames, "serviceRestarted")]
    assert told.count("serviceStarted") == 1
    assert dies(worker, 0)
    assert drainer.heard() == ["SIGTERM"]


def test_rule53_tree_tells_the_program_while_its_wrapper_lives_on(
    orch: MasterOrchestrator, api: Any, drainer: Drainer
) -> None:
    service = drainer.service(stopTimeout=60_000, stopMode="tree")
    # A wrapper that does not pass the signal on, and ends when its program has.
    argv = service["process"]["argv"]
    argv[2] = f"trap '' TERM; env --default-signal=TERM {argv[2]}"
    orch.register(service)
    orch.wait_ready("web", timeout_ms=READY_MS)
    assert api.ask("POST", "/services/web/stop?wait=stopped&timeoutMs=30000").status == 200
    assert drainer.heard() == ["SIGTERM"]
    assert api.get("/services/web").json["process"]["lastExit"]["code"] == 0


# Goes into the background as daemons have always done, and serves there.
DAEMON = """
import http.server, os, sys
if os.fork():
    os._exit(0)
os.setsid()
if os.fork():
    os._exit(0)
address = ("127.0.0.1", int(sys.argv[1]))
http.server.HTTPServer(address, http.server.BaseHTTPRequestHandler).serve_forever()
"""


def goes_into_the_background(orch: MasterOrchestrator, api: Any, argv: list[str]) -> None:
    """Registers it and expects that its ends are told as what they are, within the budget."""
    service = {
        "id": "web",
        "type": "core",
        "endpoint": f"http://127.0.0.1:{argv.pop()}",
        "restartPolicy": "always",
        "restartDelay": 0,
        "maxRestarts": 1,
        "process": {"argv": argv},
    }
    with api.stream("/events?since=0&service=web") as frames:
        orch.register(service)
        events = until(frames, "serviceFailed")
    exits = [event for event in events if event["type"] == "serviceExited"]
    assert len(exits) == 2
    for event in exits:
        assert event["code"] == 0
        assert "keep it in the foreground" in event["reason"]
    assert "keep it in the foreground" in api.get("/services/web/why").json["summary"]
    reason = api.get("/services/web").json["process"]["lastExit"]["reason"]
    left = int(reason.partition("left process ")[2].split()[0])
    assert dies(left, 0), "it is gone before the next start"


def test_rule61_a_daemon_is_told_to_stay_in_the_foreground(
    orch: MasterOrchestrator, api: Any
) -> None:
    port = str(free_port())
    goes_into_the_background(orch, api, [sys.executable, "-S", "-c", DAEMON, port, port])


def nginx(folder: Path, port: int) -> list[str]:
    """How to run nginx, which goes into the background unless it is told not to."""
    if shutil.which("nginx") is None:
        pytest.skip("nginx is missing: apt-get install nginx-light")
    folder.chmod(0o755)
    temporary = " ".join(
        f"{kind}_temp_path {folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"pid {folder}/nginx.pid; error_log stderr; worker_processes 2; events {{}}\n"
        f"http {{ access_log off; {temporary} server {{ listen 127.0.0.1:{port};"
        " location / { return 200 ok; } } }\n",
        "ascii",
    )
    return ["nginx", "-c", f"{folder}/nginx.conf"]


def test_rule61_so_is_nginx(orch: MasterOrchestrator, api: Any, tmp_path: Path) -> None:
    port = free_port()
    goes_into_the_background(orch, api, [*nginx(tmp_path, port), str(port)])


def test_rule53_nginx_in_the_foreground_loses_its_master_and_comes_back(
    orch: MasterOrchestrator, api: Any, tmp_path: Path
) -> None:
    port = free_port()
    argv = [*nginx(tmp_path, port), "-g", "daemon off;"]
    endpoint = f"http://127.0.0.1:{port}"
    service = {"id": "web", "type": "core", "endpoint": endpoint, "process": {"argv": argv}}
    orch.register(service | {"healthCheckPath": "/"})
    orch.wait_ready("web", timeout_ms=READY_MS)
    master = main_pid(api)
    worker = worker_of(master)
    seq = api.get("/healthz").headers["Azora-Seq"]
    with api.stream(f"/events?since={seq}&service=web") as frames:
        os.kill(master, signal.SIGKILL)
        until(frames, "serviceRestarted")
    assert dies(worker, 0)
    assert api.ask("POST", "/services/web/stop?wait=stopped&timeoutMs=30000").status == 200
    assert api.get("/services/web").json["process"]["lastExit"]["code"] == 0


SLOW_APP = """
def app(environ, start_response):
    body = b"up"
    if environ["PATH_INFO"] == "/slow":
        open(f"{folder}/begun", "w").write("begun")
        body = open(f"{folder}/gate").readline().encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""


def test_rule53_a_gunicorn_worker_finishes_its_request_after_its_master_was_killed(
    orch: MasterOrchestrator, api: Any, drainer: Drainer
) -> None:
    if importlib.util.find_spec("gunicorn") is None:
        pytest.skip("gunicorn is missing: pip install gunicorn")
    folder = drainer.folder
    (folder / "slow.py").write_text(f"folder = {str(folder)!r}\n{SLOW_APP}", "ascii")
    service = drainer.service(orphanTimeout=60_000)
    service["process"]["argv"] = [
        *(sys.executable, "-m", "gunicorn", "-w", "2", "-b", f"127.0.0.1:{drainer.port}"),
        *("--chdir", str(folder), "slow:app"),
    ]
    orch.register(service)
    orch.wait_ready("web", timeout_ms=READY_MS)
    master = main_pid(api)
    drainer.begin()
    seq = api.get("/healthz").headers["Azora-Seq"]
    with api.stream(f"/events?since={seq}&service=web") as frames:
        os.kill(master, signal.SIGKILL)
        until(frames, "serviceExited")
        assert drainer.finish() == b"whole\n"
        until(frames, "serviceRestarted")
