"""`server.run(orchestrator)`: serves the REST surface, hardened, until a signal; ends in order.

It is what `azora serve` does: limits on connections, heads, bodies and time, only loopback unless
told otherwise, the owner of every connection asked of the kernel, and at the end streams first,
the fleet in reverse order while reads are answered, the port last.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import uvicorn

from azora_orchestrator._addresses import is_network
from azora_orchestrator._core import CoreError
from azora_orchestrator._hosts import ANY_ADDRESS, is_name
from azora_orchestrator.errors import InternalError, InvalidArgument, OrchestratorClosed
from azora_orchestrator.orchestrator import MasterOrchestrator
from azora_orchestrator.server import tokens
from azora_orchestrator.server.activation import check_reach, handed_over
from azora_orchestrator.server.app import create_app
from azora_orchestrator.server.connections import (
    MAX_CONNECTIONS,
    MAX_CONNECTIONS_PER_PEER,
    Connections,
)
from azora_orchestrator.server.hooks import Hooks
from azora_orchestrator.server.http import Door, Protocol
from azora_orchestrator.server.http import log as http_log
from azora_orchestrator.server.listening import bind, is_any, url_of
from azora_orchestrator.server.notify import Notifier
from azora_orchestrator.server.reloading import Reloading
from azora_orchestrator.server.signals import Signals

if TYPE_CHECKING:
    from azora_orchestrator.aio import AsyncMasterOrchestrator

MAX_STOP_MS = 2**31 - 1
_DRAIN_SECONDS = 2  # for unfinished responses, once the fleet is stopped
_LAST_REQUESTS_SECONDS = 1.0  # for those on open connections, before the next server takes over
_LOOK_SECONDS = 0.01
_NO_SERVICE = ""  # no service has this id
_LOGS = (logging.getLogger("uvicorn.error"), http_log)
_KILL_SECONDS = 10.0  # until processes killed by a second signal are gone


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to serve; see run().

    Raises:
        InvalidArgument: A value is out of its range.
    """

    auth: str = "owner"
    allowed_hosts: Sequence[str] = ()
    insecure_plaintext: bool = False
    stop_timeout_ms: int = 60_000
    leave: bool = False
    max_connections: int = MAX_CONNECTIONS
    max_connections_per_peer: int = MAX_CONNECTIONS_PER_PEER

    def __post_init__(self) -> None:
        if self.auth not in ("owner", "token"):
            raise InvalidArgument(f'auth is {self.auth!r}; it must be "owner" or "token"')
        for name, low, high in (
            ("stop_timeout_ms", 0, MAX_STOP_MS),
            ("max_connections", 1, 1_000_000),
            ("max_connections_per_peer", 1, 1_000_000),
        ):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise InvalidArgument(f"{name} is {value!r}; it must be {low} to {high}")


def run(
    orch: MasterOrchestrator | AsyncMasterOrchestrator,
    *,
    host: str = "127.0.0.1",
    port: int = 5000,
    auth: str = "owner",
    allowed_hosts: Iterable[str] = (),
    insecure_plaintext: bool = False,
    stop_timeout_ms: int = 60_000,
    leave: bool = False,
    max_connections: int = MAX_CONNECTIONS,
    max_connections_per_peer: int = MAX_CONNECTIONS_PER_PEER,
) -> tuple[str, ...]:
    """Starts the fleet, serves it until Ctrl-C or SIGTERM, and stops it in order.

    To be called on the main thread, where no event loop runs; inside a server or loop of your own
    use `create_app()`. The orchestrator stays yours: it is stopped, not closed. A second Ctrl-C
    closes it and kills what has not stopped; a third ends the program.

    Under systemd, or another program with the same protocols, it listens at the socket that is
    handed over (LISTEN_FDS) in place of `host` and `port`, and tells how it is (NOTIFY_SOCKET,
    WATCHDOG_USEC). These variables are removed from the environment.

    Args:
        orch: A MasterOrchestrator or an AsyncMasterOrchestrator.
        host: A loopback address, unless `insecure_plaintext`.
        port: 0: any; the log `azora.server` says which.
        auth: "owner": changes are open to processes of the user who runs the server and need a
            token from everybody else; "token": they need it from everybody.
        allowed_hosts: Names a Host header may have besides those of loopback and `host`; "ip"
            allows any numeric address, "*" any host.
        insecure_plaintext: Allow a `host` that other machines can reach. There is no TLS: tokens
            and responses cross the network in the clear. `/readyz` shows it.
        stop_timeout_ms: How long the fleet may take to stop, 0 to 2147483647.
        leave: At the end, leave the services running for the next orchestrator with the same
            `state_dir`; `orch` is closed. A second Ctrl-C stops them all the same.
        max_connections: Open connections in all; more are answered with 503.
        max_connections_per_peer: Open connections of one address on the network; more are answered
            with 429.

    Returns:
        The ids of the services that did not stop in time; empty: all did.

    Raises:
        InvalidArgument: A value is out of its range, `host` is not a loopback address, this is not
            a place where a server can be run, or what was handed over is not a socket to listen on.
        OSError: The port is in use, or the address cannot be listened on.

    Example:
        with MasterOrchestrator() as orch:
            orch.register(...)
            azora_orchestrator.server.run(orch, port=5000)
    """
    if isinstance(allowed_hosts, str | bytes):
        raise InvalidArgument(f"allowed_hosts is {allowed_hosts!r}; it must be a list of names")
    settings = Settings(
        auth=auth,
        allowed_hosts=tuple(allowed_hosts),
        insecure_plaintext=insecure_plaintext,
        stop_timeout_ms=stop_timeout_ms,
        leave=leave,
        max_connections=max_connections,
        max_connections_per_peer=max_connections_per_peer,
    )
    one = getattr(orch, "sync", orch)
    if not isinstance(one, MasterOrchestrator):
        raise InvalidArgument(f"expected an orchestrator, got {type(orch).__name__}")
    _check_place()
    notifier = Notifier.from_environment()
    handed = handed_over()
    listener = handed or bind(host, port, insecure_plaintext=insecure_plaintext)
    with contextlib.closing(listener):
        check_reach(listener, insecure_plaintext=insecure_plaintext)
        served = Place(listener, host, notifier, kept_open=handed is not None)
        return tuple(serve(one, served, settings, Hooks()).left)


def _check_place() -> None:
    if threading.current_thread() is not threading.main_thread():
        raise InvalidArgument(
            "server.run() must be called on the main thread, where signals arrive; "
            "elsewhere serve create_app() with a server of your own"
        )
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise InvalidArgument(
        "server.run() was called while an event loop runs; "
        "there, serve create_app() with a server of your own"
    )


class Ended(NamedTuple):
    """How the fleet stopped.

    Attributes:
        left: The ids of the services that did not stop in time.
        waited_ms: How long they were waited for: at most the limit, less where every
            `stopTimeout` was over sooner (R32b).
    """

    left: Sequence[str]
    waited_ms: int


class Place(NamedTuple):
    """Where a server listens, and what is above it.

    Attributes:
        listener: The socket, which listens.
        name: The host that was asked for.
        notifier: What tells the service manager.
        kept_open: The socket was handed over: another server will listen at it after this one.
    """

    listener: socket.socket
    name: str
    notifier: Notifier
    kept_open: bool = False


def serve(orch: Any, place: Place, settings: Settings, hooks: Hooks) -> Ended:
    """Serves at a socket that listens; see run()."""
    if settings.auth == "token":
        tokens.ensure_token()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(_Server(orch, place, settings, hooks).run())


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop


@contextlib.contextmanager
def _logs_given_back() -> Iterator[None]:
    """Gives the logs of HTTP back as they were; they are silent while we end."""
    before = [log.disabled for log in _LOGS]
    try:
        yield
    finally:
        for log, disabled in zip(_LOGS, before, strict=True):
            log.disabled = disabled


@contextlib.contextmanager
def _no_signals(_server: Any) -> Iterator[None]:
    yield


class Uvicorn(uvicorn.Server):
    """Leaves signals to us (it would end before the fleet is stopped), and does not tick.

    uvicorn wakes ten times a second to look whether it shall end and for the `Date` of responses.
    """

    capture_signals = _no_signals
    ends_answers = False  # begin_shutdown() does it without a look at `should_exit`

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._over = asyncio.Event()

    async def main_loop(self) -> None:
        """Serves until end()."""
        await self._over.wait()

    def end(self) -> None:
        """Begins the end."""
        self.should_exit = True
        self._over.set()


class _Server:
    """uvicorn, the orchestrator and the signals, in one order of starting and stopping."""

    def __init__(self, orch: Any, place: Place, settings: Settings, hooks: Hooks) -> None:
        self._core = orch._core
        self._orch = orch
        self._place = place
        self._listener = place.listener
        self._notifier = place.notifier
        self._settings = settings
        self._hooks = hooks
        self._app = create_app(orch, auth=settings.auth, allowed_hosts=self._hosts())
        self._app.ready_reason = "the services are being registered"
        self._reloading = Reloading(hooks, self._notifier, self._status)
        if hooks.file is not None:
            self._app.reload = self._reloading.call
        self._app.stop_timeout_ms = settings.stop_timeout_ms
        self._app.in_the_clear = is_network(place.listener.getsockname()[0])
        connections = Connections(settings.max_connections, settings.max_connections_per_peer)
        self._uvicorn = Uvicorn(
            uvicorn.Config(
                self._app,
                http=partial(Protocol, Door(self._app, connections)),  # type: ignore[arg-type]
                lifespan="off",
                access_log=False,
                log_config=None,
                proxy_headers=False,
                server_header=False,
                ws="none",
                timeout_graceful_shutdown=_DRAIN_SECONDS,
            )
        )
        # At a socket that outlives us, connections wait until the fleet has started.
        self._open = asyncio.Event()
        if not place.kept_open:
            self._open.set()
        self._stop = asyncio.Event()
        self._asked = False
        self._killing = False
        self._ending = False

    def _hosts(self) -> list[str]:
        """The names that a Host header may have because of our own address."""
        own = [self._place.name, self._listener.getsockname()[0]]
        if is_any(self._listener):
            own += [ANY_ADDRESS, socket.gethostname()]
        return [*self._settings.allowed_hosts, *filter(is_name, own)]

    def _allow_whole_name(self) -> None:
        """Allows our name with its domain. A name server may have to be asked, for seconds."""
        name = socket.getfqdn()
        if is_name(name):
            self._app.access.hosts.add(name)

    async def run(self) -> Ended:
        """Starts everything, serves, stops everything."""
        hooks = self._hooks
        if is_any(self._listener):
            threading.Thread(target=self._allow_whole_name, name="azora-name", daemon=True).start()
        signals = Signals(
            self._on_stop,
            self._on_kill,
            hooks.note,
            None if hooks.file is None else self._reloading.begin,
        )
        with signals.heard(asyncio.get_running_loop()), _logs_given_back():
            serving = asyncio.create_task(self._serve())
            stopping = asyncio.create_task(self._stop.wait())
            watched = asyncio.create_task(self._notifier.keep_alive(self._core_answers))
            try:
                # Services are registered first: clients never see half a fleet as ready.
                await asyncio.to_thread(self._prepare)
                self._reloading.prepared()
                await asyncio.to_thread(self._core.start)
                self._app.ready_reason = None
                self._open.set()
                hooks.ready(url_of(self._listener))
                if not self._asked:
                    self._notifier.ready(self._status())
                with self._reloading.watching():
                    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                stopping.cancel()
                hooks.ended()
                try:
                    ended = await self._end(serving)
                finally:
                    watched.cancel()
            return ended

    async def _serve(self) -> None:
        await self._open.wait()
        await self._uvicorn.serve(sockets=[self._listener])

    def _status(self) -> str:
        count = self._core.totals()[1]
        services = "1 service" if count == 1 else f"{count} services"
        return f"serves {services} at {url_of(self._listener)}"

    async def _core_answers(self) -> None:
        """Returns once the control thread has answered a question, or needs not."""
        with contextlib.suppress(CoreError):  # there is no such service, or all is closed
            await self._app.core_calls.wait_for(_NO_SERVICE, "stopped", 0)

    def _prepare(self) -> None:
        host, port = self._listener.getsockname()[:2]
        self._core.set_own_address(host, port)
        self._hooks.prepare()

    def _on_stop(self, reason: str) -> None:
        if self._asked:
            return self._on_kill(f"{reason} again")
        self._asked = True
        self._hooks.stopping(reason)
        self._notifier.stopping(f"{reason}: stopping")
        if not self._hands_over:
            self._begin_end()
        self._stop.set()
        return None

    @property
    def _hands_over(self) -> bool:
        """Whether the next server goes on where this one ends."""
        return self._place.kept_open and self._settings.leave and not self._killing

    def _on_kill(self, reason: str) -> None:
        if self._killing:
            os._exit(1)  # the keeper ends the fleet after us
        self._killing = self._asked = True
        self._hooks.killing(reason)
        self._begin_end()
        self._stop.set()
        threading.Thread(target=self._kill, name="azora-kill", daemon=True).start()

    def _kill(self) -> None:
        """Kills what still runs: nothing of the fleet is left when this is over."""
        ended = threading.Thread(target=self._orch.close, kwargs={"timeout_ms": 0}, daemon=True)
        ended.start()
        ended.join(_KILL_SECONDS)
        self._hooks.killed()

    def _begin_end(self) -> None:
        if self._ending:
            return
        self._ending = True
        # From here on uvicorn would only log that clients were left, which is intended.
        for log in _LOGS:
            log.disabled = True
        self._app.begin_shutdown()

    async def _answer_the_last(self) -> None:
        """Leaves new connections to the next server, and answers what is asked on the open ones."""
        for server in getattr(self._uvicorn, "servers", ()):
            server.close()
        deadline = time.monotonic() + _LAST_REQUESTS_SECONDS
        connections: Any = self._uvicorn.server_state.connections
        while True:
            # At least once: what was accepted a moment ago is not among the connections yet.
            await asyncio.sleep(_LOOK_SECONDS)
            if self._killing or time.monotonic() >= deadline:
                return
            if not any(one.owes_answer for one in connections):
                return

    async def _end(self, serving: asyncio.Task[None]) -> Ended:
        if self._hands_over:
            await self._answer_the_last()
        self._begin_end()
        failed = serving.done() and not self._asked
        left: Sequence[str] = ()
        begun, most = time.monotonic(), self._settings.stop_timeout_ms
        with contextlib.suppress(OrchestratorClosed):  # it was killed, or closed by its owner
            if self._settings.leave and not self._killing:
                await asyncio.to_thread(self._orch.stop, leave=True)
            else:
                left = await asyncio.to_thread(self._core.stop, most, for_good=True)
        waited_ms = min(most, round((time.monotonic() - begun) * 1000))
        self._uvicorn.end()
        self._open.set()
        await asyncio.wait({serving})
        error = None if serving.cancelled() else serving.exception()
        if failed or error is not None:
            reason = error or "it answers no more"
            raise InternalError(f"the HTTP server ended by itself: {reason}") from error
        return Ended(left, waited_ms)
