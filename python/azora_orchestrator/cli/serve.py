"""`azora serve` and `azora demo`: what they serve, and what they print about it.

The server itself is `azora_orchestrator.server`; here are its hooks and the exit codes.
"""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from azora_orchestrator.cli import render
from azora_orchestrator.cli.client import OK, UNHEALTHY, USAGE, Failure
from azora_orchestrator.cli.progress import Progress
from azora_orchestrator.cli.render import complain, count, tell
from azora_orchestrator.config import DEFAULT_HOST, DEFAULT_PORT, Config, load
from azora_orchestrator.errors import AzoraError, InternalError, InvalidArgument, StorageFailed
from azora_orchestrator.reload import ReloadPlan, take_file
from azora_orchestrator.reload import run as reload_from
from azora_orchestrator.server.hooks import Hooks

if TYPE_CHECKING:
    from azora_orchestrator.server.runner import Place

DEFAULT_STOP_MS = 60_000
_LIMITS = {"max_connections", "max_connections_per_peer"}
_CORE_OPTIONS = {
    "max_concurrent_starts",
    "starts_per_second",
    "history_max_age_ms",
    "history_max_bytes",
}


@dataclass(slots=True)
class Plan:
    """What to serve: the settings of the file; options of the command line win over them."""

    config: Config
    listener: socket.socket | None = None  # that was handed over
    file: str | None = None
    options: dict[str, Any] = field(default_factory=dict)  # with which the file is read
    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    auth: str = "owner"
    allowed_hosts: list[str] = field(default_factory=list)
    insecure_plaintext: bool = False
    stop_timeout_ms: int = DEFAULT_STOP_MS
    state: str | None = None
    state_hint: str = ""  # what to do if nothing can be kept there
    leave: bool = False
    watch: bool = False
    limits: dict[str, Any] = field(default_factory=dict)
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
    insecure_plaintext: bool = False,
) -> Plan:
    """Joins file, catalog, environment and options; a faulty file ends the verb with all faults."""
    settings: dict[str, Any] = {}
    listener = _handed_over(host, port)
    port = port_before_file(port) if listener is None else listener.getsockname()[1]
    if config is None:
        services = [json.dumps(service) for service in catalog()]
        plan = Plan(Config(os.getcwd(), services=services))
    else:
        options: dict[str, Any] = {
            "host": host if listener is None else listener.getsockname()[0],
            "port": port,
            "insecure_plaintext": insecure_plaintext,
        }
        read = load(config, **options)
        if read.faults:
            raise Failure(USAGE, "\n".join(map(str, read.faults)))
        for warning in read.warnings:
            complain(render.warning(warning))
        settings = read.settings
        plan = Plan(read, file=config, options=options)
    plan.listener = listener
    plan.host = host or settings.get("host", plan.host)
    plan.port = settings.get("port", plan.port) if port is None else port
    plan.auth = auth or settings.get("auth", plan.auth)
    plan.allowed_hosts = list(settings.get("allowed_hosts", ()))
    plan.insecure_plaintext = insecure_plaintext or settings.get("insecure_plaintext", False)
    if stop_timeout_ms is None:
        stop_timeout_ms = settings.get("stop_timeout_ms", DEFAULT_STOP_MS)
    plan.stop_timeout_ms = stop_timeout_ms
    limits, core_options = _LIMITS & settings.keys(), _CORE_OPTIONS & settings.keys()
    plan.limits = {name: settings[name] for name in limits}
    plan.core_options = {name: settings[name] for name in core_options}
    return plan


class Printing(Hooks):
    """Registers what the plan says, and prints what becomes of it."""

    def __init__(self, plan: Plan, orch: Any) -> None:
        self.file = plan.file
        self.watch = plan.watch
        self.note = complain
        self.was_killed = False
        self._plan = plan
        self._orch = orch
        self._progress: Progress | None = None

    def prepare(self) -> None:
        """Registers."""
        plan, core = self._plan, self._orch._core
        try:
            take_file(core, plan.file or "", plan.config)
        except AzoraError as error:
            raise Failure(USAGE, str(error)) from None
        self._progress = Progress(core)
        self._progress.start()

    def reload(self, plan: bool, restart_changed: bool) -> ReloadPlan:
        """As `orch.reload()`; options of the command line still win over the file's."""
        from azora_orchestrator.config_check import config_of_file

        file = self.file or ""
        config = config_of_file(file, **self._plan.options)
        return reload_from(
            self._orch._core, file, config, plan=plan, restart_changed=restart_changed
        )

    def reloaded(self, reason: str, outcome: ReloadPlan | Exception) -> None:
        """What has changed, a line each."""
        if isinstance(outcome, Exception):
            complain(f"{reason}: {self.file} was not reloaded, nothing has changed\n{outcome}")
        else:
            tell(f"{reason}: {self.file} was reloaded\n{outcome}")

    def ready(self, url: str) -> None:
        """The line that scripts wait for."""
        services = count(self._orch.status().total_services)
        tell(f"Azora Orchestrator serves {services} at {url}")

    def stopping(self, reason: str) -> None:
        """What ends the server is always said."""
        tell(f"{reason}: stopping the fleet ...")

    def killing(self, reason: str) -> None:
        """The second time, too."""
        self.was_killed = True
        complain(f"{reason}: killing what has not stopped")

    def killed(self) -> None:
        """Ends at once, without answers to clients; no service is left running."""
        os._exit(UNHEALTHY)

    def ended(self) -> None:
        """Prints no more progress."""
        if self._progress is not None:
            self._progress.end()


def run(plan: Plan, *, greeting: str) -> int:
    """Serves until a signal; returns the exit code."""
    from azora_orchestrator.server.notify import Notifier
    from azora_orchestrator.server.runner import Place
    from azora_orchestrator.server.signals import held_back

    notifier = Notifier.from_environment()
    with contextlib.closing(_bind(plan)) as listener, held_back():
        logging.basicConfig(
            stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(message)s"
        )
        tell(greeting + _clear_words(listener))
        if plan.auth == "token":
            _make_token()
        place = Place(listener, plan.host, notifier, kept_open=plan.listener is not None)
        return _serve(plan, place)


def refuse_plaintext(host: str) -> None:
    """Refuses a host that other machines can reach, as `azora serve` does.

    Raises:
        Failure: It is one, and that was not spelled out.
    """
    from azora_orchestrator._addresses import in_the_clear, is_network
    from azora_orchestrator.server.listening import address_of

    with contextlib.suppress(OSError):  # where it will be served, it may be known
        address = address_of(host)
        if is_network(address):
            raise _in_the_clear(in_the_clear(address))


def _in_the_clear(reason: str) -> Failure:
    return Failure(USAGE, f"{reason}; to accept that, give --insecure-plaintext")


def _handed_over(host: str | None, port: int | None) -> socket.socket | None:
    """The socket that the program above us has made; no option may contradict it."""
    from azora_orchestrator.server.activation import handed_over
    from azora_orchestrator.server.listening import address_of

    try:
        listener = handed_over()
        if listener is None:
            return None
        has_host, has_port = listener.getsockname()[:2]
        wrong_host = host is not None and address_of(host) != has_host
    except (InvalidArgument, OSError) as error:
        raise Failure(USAGE, str(error)) from None
    for option, given, wrong in (
        ("--host", host, wrong_host),
        ("--port", port, port not in (None, has_port)),
    ):
        if wrong:
            said = f"the socket that was handed over (LISTEN_FDS) listens on {has_host}"
            raise Failure(USAGE, f"{option} is {given}, but {said} port {has_port}; leave it out")
    return listener


def _bind(plan: Plan) -> socket.socket:
    from azora_orchestrator.server.activation import check_reach
    from azora_orchestrator.server.listening import bind

    try:
        if plan.listener is not None:
            check_reach(plan.listener, insecure_plaintext=plan.insecure_plaintext)
            return plan.listener
        return bind(plan.host, plan.port, insecure_plaintext=plan.insecure_plaintext)
    except InvalidArgument as error:
        raise _in_the_clear(str(error)) from None
    except OSError as error:
        hint = ""
        if error.errno == errno.EADDRINUSE:
            hint = "; choose another with --port, or --port 0"
        raise Failure(USAGE, f"{error.strerror}{hint}") from None


def _make_token() -> None:
    from azora_orchestrator.server import tokens

    try:
        tokens.ensure_token()
    except OSError as error:
        raise Failure(USAGE, f"no token can be kept: {error}") from None


def _clear_words(listener: socket.socket) -> str:
    from azora_orchestrator._addresses import is_network

    address = listener.getsockname()[0]
    if not is_network(address):
        return ""
    return f"; INSECURE: on {address} in the clear, tokens and answers can be read on the network"


def _serve(plan: Plan, place: Place) -> int:
    from azora_orchestrator import MasterOrchestrator, _core
    from azora_orchestrator.server.runner import Settings, serve

    _core.raise_file_limit()  # each kept connection of a check is a file
    try:
        settings = Settings(
            auth=plan.auth,
            allowed_hosts=plan.allowed_hosts,
            insecure_plaintext=plan.insecure_plaintext,
            stop_timeout_ms=plan.stop_timeout_ms,
            leave=plan.leave,
            **plan.limits,
        )
        orch = MasterOrchestrator(state_dir=plan.state, **plan.core_options)
    except StorageFailed as error:
        raise Failure(USAGE, f"{error}{plan.state_hint}") from None
    except AzoraError as error:
        raise Failure(USAGE, str(error)) from None
    hooks = Printing(plan, orch)
    try:
        left, waited_ms = serve(orch, place, settings, hooks)
    except InternalError as error:
        complain(str(error))
        return UNHEALTHY
    except AzoraError as error:
        raise Failure(USAGE, str(error)) from None
    finally:
        orch.close(timeout_ms=1_000)
    if left:
        when = "before it was asked again" if hooks.was_killed else f"within {waited_ms} ms"
        complain(f"did not stop {when}: {', '.join(left)}")
        return UNHEALTHY
    return OK
