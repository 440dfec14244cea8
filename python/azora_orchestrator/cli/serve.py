"""`azora serve` and `azora demo`: an orchestrator and its REST surface in one process."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from azora_orchestrator.cli.client import OK, UNHEALTHY, USAGE, Failure
from azora_orchestrator.cli.render import complain, count, tell
from azora_orchestrator.cli.signals import Signals
from azora_orchestrator.config import DEFAULT_HOST, DEFAULT_PORT

DEFAULT_STOP_MS = 60_000
_BACKLOG = 2048
_DRAIN_SECONDS = 2  # for unfinished answers, once the fleet is stopped
_KILL_SECONDS = 10.0  # until processes killed by a second signal are gone


@dataclass(slots=True)
class Plan:
    """What to serve: the settings of the file; options of the command line win over them."""

    services: list[str]
    file: str | None = None
    origin: str = "file"
    base_dir: str = ""
    pools: dict[str, dict[str, Any]] = field(default_factory=dict)
    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    auth: str = "owner"
    allowed_hosts: list[str] = field(default_factory=list)
    stop_timeout_ms: int = DEFAULT_STOP_MS
    core_options: dict[str, Any] = field(default_factory=dict)


def port_before_file(option: int | None) -> int | None:
    """The port that wins over the file's: --port, else ORCHESTRATOR_PORT; None: there is none."""
    text = os.environ.get("ORCHESTRATOR_PORT")
    if option is not None or not text:
        return option
    if not (text.isascii() and text.isdigit() and int(text) <= 65_535):
        raise Failure(USAGE, f'ORCHESTRATOR_PORT is "{text}"; it must be a port, 0 to 65535')
    return int(text)


def make_plan(
    *,
    config: str | None,
    catalog: Callable[[], list[dict[str, Any]]],
    host: str | None,
    port: int | None,
    auth: str | None,
    stop_timeout_ms: int | None,
) -> Plan:
    """Joins file, catalog, environment and options; a faulty file ends the verb with all faults."""
    settings: dict[str, Any] = {}
    port = port_before_file(port)
    if config is None:
        plan = Plan([json.dumps(service) for service in catalog()], base_dir=os.getcwd())
    else:
        from azora_orchestrator.config import load

        read = load(config, host=host, port=port)
        if read.faults:
            raise Failure(USAGE, "\n".join(map(str, read.faults)))
        for warning in read.warnings:
            complain(f"{warning}")
        settings = read.settings
        plan = Plan(read.services, config, base_dir=read.base_dir, pools=read.pools)
    plan.host = host or settings.get("host", plan.host)
    plan.port = settings.get("port", plan.port) if port is None else port
    plan.auth = auth or settings.get("auth", plan.auth)
    plan.allowed_hosts = list(settings.get("allowed_hosts", ()))
    if stop_timeout_ms is None:
        stop_timeout_ms = settings.get("stop_timeout_ms", DEFAULT_STOP_MS)
    plan.stop_timeout_ms = stop_timeout_ms
    plan.core_options = {
        name: settings[name]
        for name in ("max_concurrent_starts", "starts_per_second")
        if name in settings
    }
    return plan


def bind(host: str, port: int) -> socket.socket:
    """The listening socket, taken before anything else starts."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise Failure(USAGE, f"cannot listen on {host}: {error.strerror}") from None
    family, kind, protocol, _, address = found[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise Failure(
                USAGE, f"port {port} on {host} is in use; choose another with --port, or --port 0"
            ) from None
        raise Failure(USAGE, f"cannot listen on {host} port {port}: {error.strerror}") from None
    listener.setblocking(False)
    return listener


def url_of(listener: socket.socket) -> str:
    """The URL of the server for a client on this machine."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 (a comparison)
    if ":" in host and not host.startswith("["):
        host = f"[{host}]"
    return f"http://{host}:{port}"


def _hosts(plan: Plan) -> list[str]:
    """The names that a Host header may have because of our own address."""
    names = [*plan.allowed_hosts, plan.host]
    if plan.host in ("0.0.0.0", "::", ""):  # noqa: S104 (a comparison)
        names += ["ip", socket.gethostname(), socket.getfqdn()]
    return names


def _own_line(event: Any) -> str:
    """The line for a trouble of the orchestrator itself, or for its end."""
    what = event.type.removeprefix("orchestrator").lower()
    reason = f": {event.reason}" if event.reason else ""
    return f"  {what:10} {'(orchestrator)':28} {event.cause}{reason}"


class Progress:
    """Prints what happens to each service, and to the orchestrator itself.

    Threads: one daemon thread of its own.
    """

    _TYPES = (
        "serviceHealthy",
        "serviceDegraded",
        "serviceUnhealthy",
        "serviceFailed",
        "serviceExited",
        "serviceRestarted",
        "orchestratorDegraded",
        "orchestratorRecovered",
    )

    def __init__(self, core: Any) -> None:
        self._core = core
        self._cursor = core.cursor(core.seq(), list(self._TYPES), None)
        self._thread = threading.Thread(target=self._run, name="azora-progress", daemon=True)
        self._ended = threading.Event()

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def end(self) -> None:
        """Ends the printing."""
        self._ended.set()
        self._cursor.close()
        self._thread.join(2)

    def _run(self) -> None:
        complete = False
        while not self._ended.is_set():
            self._cursor.wait(1000)
            for event in self._cursor.drain():
                if self._ended.is_set():
                    return
                if event.type.startswith("orchestrator"):
                    tell(_own_line(event))
                    continue
                _, total, healthy, _, _ = self._core.totals()
                what = event.type.removeprefix("service").lower()
                reason = f" ({event.reason})" if what == "failed" and event.reason else ""
                tell(
                    f"  {what:10} {event.service_id or '-':28} {healthy} of {total} healthy{reason}"
                )
                if not complete and healthy == total:
                    complete = True
                    every = "the service is" if total == 1 else f"all {total} services are"
                    tell(f"{every} healthy")


@contextlib.contextmanager
def _quiet(_server: Any) -> Iterator[None]:
    yield


def run(plan: Plan, *, greeting: str) -> int:
    """Serves until a signal; answers the exit code."""
    listener = bind(plan.host, plan.port)
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(message)s"
    )
    tell(greeting)
    if plan.auth == "token":
        from azora_orchestrator.server import tokens

        try:
            tokens.ensure_token()
        except OSError as error:
            listener.close()
            raise Failure(USAGE, f"no token can be kept: {error}") from None
    from azora_orchestrator import MasterOrchestrator, _core
    from azora_orchestrator.errors import AzoraError

    _core.raise_file_limit()  # each kept connection of a check is a file
    try:
        orch = MasterOrchestrator(**plan.core_options)
    except AzoraError as error:
        listener.close()
        raise Failure(USAGE, str(error)) from None
    with contextlib.closing(listener):
        try:
            with asyncio.Runner(loop_factory=_loop_factory()) as runner:
                return runner.run(_Server(plan, orch, listener).run())
        finally:
            orch.close(timeout_ms=1_000)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop


class _Server:
    """uvicorn, the orchestrator and the signals, in one order of starting and stopping."""

    def __init__(self, plan: Plan, orch: Any, listener: socket.socket) -> None:
        import uvicorn

        from azora_orchestrator.cli.protocol import Protocol
        from azora_orchestrator.server import create_app

        class Uvicorn(uvicorn.Server):
            """Leaves signals to us: uvicorn would end before the fleet is stopped."""

            capture_signals = _quiet

        self._plan = plan
        self._orch = orch
        self._listener = listener
        self._app = create_app(orch, auth=plan.auth, allowed_hosts=_hosts(plan))
        self._app.ready_reason = "the services are being registered"
        self._app.stop_timeout_ms = plan.stop_timeout_ms
        self._uvicorn = Uvicorn(
            uvicorn.Config(
                self._app,
                http=Protocol,
                lifespan="off",
                access_log=False,
                log_config=None,
                proxy_headers=False,
                server_header=False,
                ws="none",
                timeout_graceful_shutdown=_DRAIN_SECONDS,
            )
        )
        self._stop = asyncio.Event()
        self._signals = 0
        self._killing = False
        self._waited_ms = 0  # for the fleet to stop

    async def run(self) -> int:
        """Starts everything, serves, stops everything; returns the exit code."""
        Signals(self._on_stop, self._on_kill, self._plan.file).install(asyncio.get_running_loop())
        serving = asyncio.create_task(self._uvicorn.serve(sockets=[self._listener]))
        stopping = asyncio.create_task(self._stop.wait())
        progress = None
        try:
            # Services are registered first, so that clients never see half a fleet as ready.
            await asyncio.to_thread(self._register)
            progress = Progress(self._orch._core)
            progress.start()
            await asyncio.to_thread(self._orch.start)
            self._app.ready_reason = None
            services = count(self._orch.status().total_services)
            tell(f"Azora Orchestrator serves {services} at {url_of(self._listener)}")
            await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if serving.done() and not self._signals:
                reason = serving.exception() or "it answers no more"
                raise Failure(UNHEALTHY, f"the HTTP server ended by itself: {reason}")
        except Failure as failure:
            complain(str(failure))
            return failure.exit_code
        finally:
            if progress is not None:
                progress.end()
            left = await self._end(serving)
            stopping.cancel()
        if left:
            when = "before it was asked again" if self._killing else f"within {self._waited_ms} ms"
            complain(f"did not stop {when}: {', '.join(left)}")
            return UNHEALTHY
        return OK

    def _register(self) -> None:
        from azora_orchestrator._core import CoreError

        plan, core = self._plan, self._orch._core
        try:
            core.set_own_address(plan.host, self._listener.getsockname()[1])
            if plan.services:
                none = [False] * len(plan.services)
                core.register(plan.services, plan.origin, plan.base_dir, none)
            for name, options in plan.pools.items():
                core.configure_pool(name, options)
        except CoreError as error:
            raise Failure(USAGE, str(error.args[1])) from None

    def _on_stop(self, reason: str) -> None:
        if self._signals:
            return self._on_kill(f"{reason} again")
        self._signals = 1
        tell(f"{reason}: stopping the fleet ..")
        self._begin_end()
        self._stop.set()
        return None

    def _on_kill(self, reason: str) -> None:
        self._signals += 1
        if self._killing:
            os._exit(UNHEALTHY)  # the keeper ends the fleet after us
        self._killing = True
        complain(f"{reason}: killing what has not stopped")
        threading.Thread(target=self._kill, name="azora-kill", daemon=True).start()

    def _kill(self) -> None:
        """Ends at once and without answers to clients, but leaves no service running."""
        ended = threading.Thread(target=self._orch.close, kwargs={"timeout_ms": 0}, daemon=True)
        ended.start()
        ended.join(_KILL_SECONDS)
        os._exit(UNHEALTHY)

    def _begin_end(self) -> None:
        # From here on uvicorn would only log that clients were left, which is intended.
        logging.getLogger("uvicorn.error").disabled = True
        self._app.begin_shutdown()

    async def _end(self, serving: asyncio.Task[None]) -> Sequence[str]:
        self._begin_end()
        begun, most = time.monotonic(), self._plan.stop_timeout_ms
        left = await asyncio.to_thread(self._orch._core.stop, most)
        # It may give up sooner: when all stopTimeouts are over (R32b).
        self._waited_ms = min(most, round((time.monotonic() - begun) * 1000))
        self._uvicorn.should_exit = True
        await asyncio.wait({serving})
        return list(left)
