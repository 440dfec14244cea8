"""Calls that wait: what ends them, and what does not."""

from __future__ import annotations

import os
import queue
import select
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from azora_orchestrator import MasterOrchestrator, UnknownService
from conftest import WebService

# A service that does not stop when it is told to, but presses Ctrl-C instead: so the stop is under
# way at that time. At the second time it ends.
STUBBORN = """
import os, signal, sys
def pressed(*_):
    os.kill(int(sys.argv[1]), signal.SIGINT)
signal.signal(signal.SIGTERM, pressed)
print("up", flush=True)
while True: signal.pause()
"""

HEAD = f"""
import os, signal, sys, threading, time
from azora_orchestrator import *
STUBBORN = {STUBBORN!r}
signal.signal(signal.SIGINT, signal.default_int_handler)

def stubborn():
    argv = [sys.executable, "-S", "-c", STUBBORN, str(os.getpid())]
    orch.register({{"id": "a", "type": "core", "healthCheck": {{"type": "process"}},
                   "process": {{"argv": argv, "stopTimeout": 3_600_000}}}})
    orch.wait_ready("a", timeout_ms=20_000)
    while "up" not in orch.logs("a"): pass

def press_while(*names):
    # Ctrl-C as soon as the main thread rests inside a function of that name.
    main = threading.main_thread().ident
    def press():
        rests = 0
        while rests < 3:
            frame, inside = sys._current_frames()[main], False
            place = (frame.f_code, frame.f_lasti)
            while frame:
                inside = inside or frame.f_code.co_name in names
                frame = frame.f_back
            threading.Event().wait(0.01)
            now = sys._current_frames()[main]
            rests = rests + 1 if inside and (now.f_code, now.f_lasti) == place else 0
            del frame, now
        os.kill(os.getpid(), signal.SIGINT)
    threading.Thread(target=press, daemon=True).start()

def interrupted(call):
    try: call()
    except KeyboardInterrupt: return
    raise AssertionError("no KeyboardInterrupt")
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", HEAD + textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.process
def test_ctrl_c_ends_the_wait_of_stop_and_the_stop_goes_on() -> None:
    done = run(
        """
        with MasterOrchestrator() as orch:
            stubborn()
            interrupted(lambda: orch.stop(timeout_ms=3_600_000))
            assert orch.service("a").lifecycle == "STOPPING"
            os.kill(orch.service("a").pid, signal.SIGKILL)
            orch.wait_stopped("a", timeout_ms=20_000)
            assert orch.stop() == []
        """
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.process
@pytest.mark.parametrize(
    "how", ["orch.close(timeout_ms=3_600_000)", "orch.__exit__(None, None, None)"]
)
def test_ctrl_c_ends_the_wait_of_close_and_the_closing_goes_on(how: str) -> None:
    done = run(
        f"""
        orch = MasterOrchestrator()
        orch.start()
        stubborn()
        pid = orch.service("a").pid
        interrupted(lambda: {how})
        assert orch.closed
        os.kill(pid, signal.SIGKILL)
        orch.close()
        """
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.process
def test_ctrl_c_once_more_ends_the_wait_of_the_exit_and_the_keeper_goes_on() -> None:
    done = run(
        """
        orch = MasterOrchestrator()
        orch.start()
        stubborn()
        print(orch.service("a").pid)
        interrupted(orch.close)
        press_while("close_forgotten")
        """
    )
    pid = int(done.stdout)
    ended = os.pidfd_open(pid)
    os.kill(pid, signal.SIGKILL)
    assert select.select([ended], [], [], 20)[0]
    os.close(ended)
    assert done.returncode == 0
    assert "KeyboardInterrupt" in done.stderr


WAITS = {
    "wait_ready": "orch.wait_ready('a', timeout_ms=3_600_000)",
    "wait_ready for all": "orch.wait_ready(timeout_ms=3_600_000)",
    "wait_stopped": "orch.wait_stopped('p', timeout_ms=3_600_000)",
    "start_service": "orch.start_service('b', wait=True, timeout_ms=3_600_000)",
    "for": "list(orch.events(type='gap'))",
    "next": "orch.events(type='gap').next()",
    "next with a timeout": "orch.events(type='gap').next(timeout_ms=3_600_000)",
    "batch": "orch.events(type='gap').batch()",
}


@pytest.mark.process
@pytest.mark.parametrize("wait", WAITS)
def test_ctrl_c_ends_every_wait(wait: str) -> None:
    done = run(
        f"""
        with MasterOrchestrator() as orch:
            orch.register({{"id": "a", "type": "core", "endpoint": "http://127.0.0.1:9"}})
            program = {{"type": "core", "healthCheck": {{"type": "process"}},
                       "process": {{"argv": ["sleep", "1000"]}}}}
            orch.register({{"id": "p"}} | program)
            orch.register({{"id": "b", "dependencies": ["a"]}} | program)
            orch.wait_ready("p", timeout_ms=20_000)
            press_while("wait_for", "_fill")
            interrupted(lambda: {WAITS[wait]})
        """
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.process
def test_a_second_close_waits_for_the_first(tmp_path: Path) -> None:
    """The service tells when it is asked to stop, and stops when it is told to."""
    asked, may_end = tmp_path / "asked", tmp_path / "end"
    os.mkfifo(asked)
    os.mkfifo(may_end)
    program = (
        "import signal, sys\n"
        "signal.signal(signal.SIGTERM, lambda *_: (open(sys.argv[1], 'w').close(),"
        " open(sys.argv[2]).read(), sys.exit(0)))\n"
        "print('up', flush=True)\n"
        "while True: signal.pause()\n"
    )
    argv = [sys.executable, "-S", "-c", program, str(asked), str(may_end)]
    service: dict[str, Any] = {"id": "a", "type": "core", "healthCheck": {"type": "process"}}
    orch = MasterOrchestrator()
    orch.start()
    orch.register(service | {"process": {"argv": argv, "stopTimeout": 3_600_000}})
    orch.wait_ready("a", timeout_ms=20_000)
    while "up" not in orch.logs("a"):
        pass
    pid = orch.service("a").pid
    assert pid
    first = threading.Thread(target=orch.close, daemon=True)
    first.start()
    asked.read_text()  # the first is under way
    second_is_back = threading.Event()
    second = threading.Thread(
        target=lambda: (orch.close(), second_is_back.set()),
        daemon=True,
    )
    second.start()
    assert not second_is_back.wait(0.3)
    os.kill(pid, 0)  # it is still there
    may_end.write_text("")
    assert second_is_back.wait(20)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    first.join(20)
    second.join(20)


def test_waiting_for_all_goes_on_with_those_that_are_left(
    orch: MasterOrchestrator, web: Callable[[], WebService], monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: queue.Queue[str] = queue.Queue()
    wait_for = orch._runtime.wait_for

    def noted(id: str, goal: str, deadline: float) -> None:
        waits.put(id)
        wait_for(id, goal, deadline)

    monkeypatch.setattr(orch._runtime, "wait_for", noted)
    endpoint = web().endpoint
    for names, error in ((None, None), ("g", None), (["a", "b"], UnknownService)):
        orch.register(id="a", type="core", group="g", endpoint="http://127.0.0.1:9")
        orch.register(id="b", type="core", group="g", endpoint=endpoint)
        with ThreadPoolExecutor(1) as threads:
            waiting = threads.submit(orch.wait_ready, names, timeout_ms=20_000)
            assert waits.get(timeout=20) == "a"
            orch.unregister("a")
            assert type(waiting.exception(20)) is (error or type(None))
        if error is None:
            assert waits.get(timeout=20) == "b"
        orch.unregister("b")
