"""The end of the interpreter in every state, fork() in user code, and garbage collection."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import subprocess
import sys
import textwrap
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from azora_orchestrator import Event, EventStream, MasterOrchestrator

HEAD = """
import asyncio, os, sys, threading
from azora_orchestrator import *
orch = MasterOrchestrator()
def never_slow():  # a busy machine is no news
    asyncio.get_running_loop().slow_callback_duration = 60
def service(id, **more):
    return {"id": id, "type": "core", "endpoint": "http://127.0.0.1:9"} | more
def program(id, *argv, **more):
    return {"id": id, "type": "core", "healthCheck": {"type": "process"},
            "process": {"argv": list(argv or ["sleep", "1000"])} | more}
"""

STATES = {
    "never started": "",
    "started": "orch.start()",
    "with services": "orch.start(); orch.register(service('a'))",
    "stopped": "orch.start(); orch.stop()",
    "closed": "orch.start(); orch.close()",
    "with handlers": """
        orch.start()
        orch.on("*", lambda event: None)
        async def handler(event): await asyncio.sleep(0)
        orch.on("*", handler)
        orch.register(service("a"))
        """,
    "with a handler at work": """
        orch.start()
        began = threading.Event()
        orch.on("serviceRegistered", lambda event: (began.set(), threading.Event().wait(1)))
        orch.register(service("a"))
        began.wait()
        """,
    "with a handler that never rests": """
        import time
        orch.start()
        began = threading.Event()
        def handler(event):
            began.set()
            while True: time.sleep(0.0005)
        orch.on("serviceRegistered", handler)
        orch.register(service("a"))
        began.wait()
        """,
    "with a waiting thread": """
        orch.start()
        orch.register(service("a"))
        def wait():
            try: orch.wait_ready("a", timeout_ms=60_000)
            except Exception: pass
        threading.Thread(target=wait, daemon=True).start()
        """,
    "with a reading thread": """
        orch.start()
        threading.Thread(target=lambda: list(orch.events()), daemon=True).start()
        """,
    "with threads in and out of the core": """
        orch.start()
        def ask():
            cursor = orch._core.cursor(None, None, None)
            while True:
                cursor.wait(1)
                try: orch._core.next_action(1)
                except Exception: pass
        for _ in range(20): threading.Thread(target=ask, daemon=True).start()
        """,
    "with a restart callable": "orch.start(); orch.register(service('a', restart=lambda: None))",
    "by sys.exit inside with": "with orch: sys.exit(0)",
    "inside a loop": """
        async def main():
            never_slow()
            orch.start()
            async def handler(event): pass
            orch.on("*", handler)
            orch.register(service("a"))
        asyncio.run(main())
        """,
    "with an open async stream": """
        async def main():
            never_slow()
            orch.start()
            stream = orch.events()
            asyncio.ensure_future(anext(stream))
            await asyncio.sleep(0)
        asyncio.run(main())
        """,
    "handed to a module global": "import builtins; builtins.kept = orch; orch.start()",
    "with a thread that is no daemon and reads by for": """
        orch.start()
        threading.Thread(target=lambda: list(orch.events())).start()
        """,
    "with one that reads by next()": """
        orch.start()
        def read():
            stream = orch.events()
            while stream.next() or not stream.closed: pass
        threading.Thread(target=read).start()
        """,
    "with one that reads by batch()": """
        orch.start()
        def read():
            stream = orch.events()
            while stream.batch(timeout_ms=3_600_000): pass
            assert stream.closed
        threading.Thread(target=read).start()
        """,
    "with one that begins to read after the main thread": """
        orch.start()
        def read():
            threading.main_thread().join()
            assert list(orch.events()) == []
        threading.Thread(target=read).start()
        """,
    "with one that is made after the main thread": """
        orch.close()
        def read():
            threading.main_thread().join()
            with MasterOrchestrator() as late:
                late.register(service("a"))
                try: late.wait_ready("a", timeout_ms=3_600_000)
                except OrchestratorClosed: assert list(late.events()) == []
                else: sys.stderr.write("no error")
        threading.Thread(target=read).start()
        """,
    "with one that reads on a loop": """
        orch.start()
        async def read():
            never_slow()
            async for event in orch.events(): pass
        threading.Thread(target=lambda: asyncio.run(read())).start()
        """,
    "with one that waits until a service is ready": """
        orch.start()
        orch.register(service("a"))
        def wait():
            try: orch.wait_ready("a", timeout_ms=3_600_000)
            except OrchestratorClosed: return
            sys.stderr.write("no error")
        threading.Thread(target=wait).start()
        """,
    "with one that waits until a service has stopped": """
        orch.start()
        orch.register(program("a"))
        orch.wait_ready("a", timeout_ms=20_000)
        def wait():
            try: orch.wait_stopped("a", timeout_ms=3_600_000)
            except OrchestratorClosed: return
            sys.stderr.write("no error")
        threading.Thread(target=wait).start()
        """,
    "with one that waits on a loop": """
        other = AsyncMasterOrchestrator()
        async def wait():
            never_slow()
            await other.start()
            await other.register(service("a"))
            try: await other.wait_ready(timeout_ms=3_600_000)
            except OrchestratorClosed: await other.close()
        thread = threading.Thread(target=lambda: asyncio.run(wait()))
        thread.start()
        orch.close()
        """,
    "with one that goes on to use it, and closes it": """
        orch.start()
        def work():
            threading.main_thread().join()
            orch.register(service("a"))
            assert orch.service("a").id == "a"
            orch.close()
        threading.Thread(target=work).start()
        """,
}
CLOSED = {
    "closed",
    "by sys.exit inside with",
    "with one that is made after the main thread",
    "with one that waits on a loop",
    "with one that goes on to use it, and closes it",
}
WARNING = (
    "<string>:4: ResourceWarning: this MasterOrchestrator was never closed; use `with` or close()\n"
)


def run(code: str) -> subprocess.CompletedProcess[str]:
    warnings = ["-W", "error", "-W", "always::ResourceWarning"]
    return subprocess.run(
        [sys.executable, "-X", "dev", *warnings, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("state", STATES)
def test_the_interpreter_ends_cleanly(state: str) -> None:
    done = run(HEAD + textwrap.dedent(STATES[state]))
    said = "" if state in CLOSED else WARNING
    assert (done.returncode, done.stdout, done.stderr) == (0, "", said)


@pytest.mark.process
def test_the_interpreters_end_leaves_no_process(process: Callable[..., dict[str, Any]]) -> None:
    done = run(
        HEAD
        + textwrap.dedent(
            f"""
            orch.start()
            orch.register({process("a")!r})
            orch.wait_ready("a", timeout_ms=20_000)
            print(orch.service("a").pid)
            """
        )
    )
    assert (done.returncode, done.stderr) == (0, WARNING)
    with pytest.raises(ProcessLookupError):
        os.kill(int(done.stdout), 0)


def test_a_forked_child_is_refused_and_ends_without_touching_the_parent() -> None:
    done = run(
        HEAD
        + textwrap.dedent(
            """
            import warnings; warnings.simplefilter("ignore")
            orch.start()
            orch.register(service("a"))
            orch.on("*", lambda event: None)
            stream = orch.events(since=0)
            child = os.fork()
            if child == 0:
                from azora_orchestrator import ForkedHandle
                calls = [orch.start, orch.stop, orch.close, orch.services, orch.status,
                         lambda: orch.pick("core"), lambda: orch.register(service("b")),
                         lambda: orch.on("gap", print), lambda: orch.unregister("a"),
                         lambda: orch.why("a"), lambda: orch.service("a"),
                         lambda: orch.wait_ready("a"), lambda: next(stream), orch.events,
                         lambda: orch.closed, lambda: orch.running, orch.get_event_emitter]
                for number, call in enumerate(calls):
                    try:
                        call()
                    except ForkedHandle:
                        continue
                    os._exit(100 + number)
                assert repr(orch) == "<MasterOrchestrator of the parent process>"
                del stream
                fresh = MasterOrchestrator()
                with fresh:
                    fresh.register(service("c"))
                sys.exit(7)
            _, status = os.waitpid(child, 0)
            assert os.waitstatus_to_exitcode(status) == 7, os.waitstatus_to_exitcode(status)
            orch.register(service("b"))
            assert [one.id for one in orch.services()] == ["a", "b"]
            """
        )
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_forked_child_has_none_of_our_descriptors() -> None:
    """Not those of the core's threads, nor of its link to the keeper, nor of handlers."""
    done = run(
        """
        import asyncio, os, warnings
        from azora_orchestrator import MasterOrchestrator
        warnings.simplefilter("ignore")
        def descriptors():
            found = {}
            for name in os.listdir("/proc/self/fd"):
                try: found[name] = os.readlink(f"/proc/self/fd/{name}")
                except OSError: pass  # of the listing itself
            return found
        async def handler(event): pass
        async def main():
            asyncio.get_running_loop().slow_callback_duration = 60  # a busy machine is no news
            before = descriptors()
            orch = MasterOrchestrator()
            orch.start()
            orch.register({"id": "a", "type": "core", "healthCheck": {"type": "process"},
                           "process": {"argv": ["sleep", "1000"]}})
            orch.wait_ready("a", timeout_ms=20_000)
            orch.on("*", handler)
            stream = orch.events()
            assert len(descriptors()) > len(before) + 10
            child = os.fork()
            if child == 0:
                left = {name: what for name, what in descriptors().items() if name not in before}
                os.write(1, repr(left).encode())
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
            orch.restart("a", wait=True)  # ours are untouched
            orch.close()
        asyncio.run(main())
        """
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "{}", "")


def test_one_that_nobody_holds_is_closed_with_a_warning() -> None:
    before = set(threading.enumerate())

    def forget() -> EventStream:
        orch = MasterOrchestrator()
        orch.start()
        orch.on("gap", print)
        return orch.events()

    with pytest.warns(ResourceWarning, match="never closed") as warned:
        stream = forget()
    assert [one.filename for one in warned] == [__file__]
    assert list(stream) == []
    assert set(threading.enumerate()) <= before


def test_one_that_nobody_holds_delivers_its_last_events(
    process: Callable[..., dict[str, Any]],
) -> None:
    seen: list[str] = []
    orch = MasterOrchestrator()
    orch.start()
    orch.register(process("a"))
    orch.wait_ready("a", timeout_ms=20_000)
    orch.on("*", lambda event: seen.append(event.type))
    with pytest.warns(ResourceWarning, match="never closed"):
        del orch
    assert "serviceExited" in seen


def handler_of_a_thread(orch: MasterOrchestrator) -> None:
    orch.on("*", lambda event: orch.services())


def failing_handler_of_a_thread(orch: MasterOrchestrator) -> None:
    def handler(event: Event) -> None:
        orch.services()
        done.set()
        raise RuntimeError("on purpose")

    done = threading.Event()
    orch.on("serviceRegistered", handler)
    orch.register(id="a", type="core", endpoint="http://127.0.0.1:9")
    assert done.wait(20)


def handler_of_a_loop(orch: MasterOrchestrator) -> None:
    async def handler(event: Event) -> None:
        orch.services()
        done.set()

    done = threading.Event()
    orch.on("serviceRegistered", handler)
    orch.register(id="a", type="core", endpoint="http://127.0.0.1:9")
    assert done.wait(20)


def stacked_handler(orch: MasterOrchestrator) -> None:
    @orch.on("gap")
    @orch.on("serviceRegistered")
    def handler(event: Event) -> None:
        orch.services()


def restart_callable(orch: MasterOrchestrator) -> None:
    orch.register(
        id="a", type="core", endpoint="http://127.0.0.1:9", restart=lambda: orch.services()
    )


@pytest.mark.parametrize(
    "give",
    [
        handler_of_a_thread,
        failing_handler_of_a_thread,
        handler_of_a_loop,
        stacked_handler,
        restart_callable,
    ],
)
def test_a_callable_that_refers_to_its_orchestrator_does_not_keep_it_alive(
    give: Callable[[MasterOrchestrator], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    # pytest keeps what is logged, exceptions with their frames included.
    monkeypatch.setattr(logging.getLogger("azora_orchestrator"), "disabled", True)
    before = set(threading.enumerate())

    def forget() -> weakref.ref[MasterOrchestrator]:
        orch = MasterOrchestrator()
        orch.start()
        give(orch)
        return weakref.ref(orch)

    with pytest.warns(ResourceWarning, match="never closed"):
        collect_until_gone(forget())
    assert set(threading.enumerate()) <= before


def test_a_handler_on_a_loop_that_refers_to_its_orchestrator_does_not_keep_it_alive() -> None:
    async def forget() -> weakref.ref[MasterOrchestrator]:
        orch = MasterOrchestrator()
        orch.start()
        done = asyncio.Event()

        async def handler(event: Event) -> None:
            orch.services()
            done.set()

        orch.on("serviceRegistered", handler)
        orch.register(id="a", type="core", endpoint="http://127.0.0.1:9")
        await asyncio.wait_for(done.wait(), 20)
        return weakref.ref(orch)

    async def main() -> None:
        collect_until_gone(await forget())

    with pytest.warns(ResourceWarning, match="never closed"):
        asyncio.run(main())


def collect_until_gone(gone: weakref.ref[MasterOrchestrator]) -> None:
    """Collect again while a handler may still be on its way out of a call."""
    deadline = time.monotonic() + 20
    while gone() is not None:
        assert time.monotonic() < deadline
        gc.collect()
