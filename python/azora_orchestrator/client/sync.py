"""Client: the names of `MasterOrchestrator` for a server that runs elsewhere.

Threads: every method may be called from any thread.
"""

from __future__ import annotations

import contextlib
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, Unpack, overload

from azora_orchestrator._arguments import integer_of, strings_of, types_of
from azora_orchestrator.answers import VerbAnswer, Why
from azora_orchestrator.client import address, answers, requests, transport, waiting
from azora_orchestrator.client.connection import Connection
from azora_orchestrator.client.emitter import Emitter
from azora_orchestrator.client.owner_verbs import OwnerVerbs
from azora_orchestrator.client.sse import MOST_SEQ, Decoder, LineSplitter, Position
from azora_orchestrator.client.streams import Reader, RemoteEvents, event_of, open_reader
from azora_orchestrator.errors import NotComing, TimedOut, UnknownService
from azora_orchestrator.fleet_status import FleetStatus
from azora_orchestrator.graph import Dependencies, Graph
from azora_orchestrator.lease import Lease
from azora_orchestrator.models import Pick, Service, pick_from_dict
from azora_orchestrator.reload import ReloadPlan
from azora_orchestrator.rolling import Rolling
from azora_orchestrator.service_config import ServiceConfig, ServiceFields

if TYPE_CHECKING:
    from azora_orchestrator._subscriptions import Handler, Subscription
    from azora_orchestrator.client.handlers import Handlers
    from azora_orchestrator.events import Event
    from azora_orchestrator.history import History, Moment
    from azora_orchestrator.vocabulary import EventFilter, Strategy

__all__ = ["Client"]

_READY_MS = 30_000
_STOP_MS = 60_000


class Client(OwnerVerbs, Emitter["Subscription"], Rolling):
    """A running server (`azora serve`, or an app of `create_app()`), with the orchestrator's names.

    Args:
        url: Of the server. Default: AZORA_URL, else `http://127.0.0.1:` and ORCHESTRATOR_PORT, or
            5000.
        token: Sent with every request. Default: AZORA_TOKEN. Without either, a server of this user
            on this machine gets the token of `azora token` when it asks for one; no other server
            ever does.
        timeout_ms: How long an answer may take, apart from waits that were asked for.

    Raises:
        InvalidArgument: The URL, the token or the timeout is not valid.

    Every method raises `ServerUnreachable` when no server answers, `TimedOut` when the answer takes
    too long, `AccessDenied` when a token is needed, and the orchestrator's own errors.

    Example:
        >>> with Client() as client:
        ...     print(client.status().healthy_services, client.pick("core").endpoint)
        2 http://127.0.0.1:7001
    """

    def __init__(
        self, url: str | None = None, token: str | None = None, *, timeout_ms: float = 30_000
    ) -> None:
        whole_ms = transport.seconds_of(timeout_ms) * 1000
        self.url = address.server_url(url)
        self._connection = Connection(self.url, address.given_token(token), whole_ms)
        self._readers: weakref.WeakSet[Reader] = weakref.WeakSet()
        self._handlers: Handlers | None = None
        self._beginning = threading.Lock()

    # Life.

    def close(self) -> None:
        """Close the connections, end the event streams and the handlers. The server goes on."""
        for reader in list(self._readers):
            reader.close()
        if self._handlers is not None:
            self._handlers.close()
        self._connection.close()

    @property
    def closed(self) -> bool:
        """True once it was closed."""
        return self._connection.closed

    @property
    def running(self) -> bool:
        """True while the fleet of the server is started. Asks the server."""
        return self.status().running

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def start(self) -> None:
        """Start the fleet: begin checking, and start what its owners want up. Idempotent."""
        self._connection.ask(requests.post("orchestrator", "start"))

    def stop(self, *, timeout_ms: float = _STOP_MS, leave: bool = False) -> list[str]:
        """Stop the fleet in reverse order of dependency; the server goes on.

        Args:
            timeout_ms: How long to wait for the answer. The server has a deadline of its own
                (`--stop-timeout`).
            leave: Refused: only the program that runs the server can leave its services running
                (`azora serve --leave`).

        Returns:
            The ids of services that did not stop in time.
        """
        asked = requests.stop_all(transport.seconds_of(timeout_ms) * 1000, leave=leave)
        try:
            self._connection.ask(asked)
        except TimedOut as error:
            return answers.not_stopped(error)
        return []

    # Registration.

    @overload
    def register(self, service: ServiceConfig | Mapping[str, Any], /) -> int: ...
    @overload
    def register(self, **fields: Unpack[ServiceFields]) -> int: ...
    def register(  # type: ignore[misc]  # mypy does not see that **Any takes the keywords
        self, service: ServiceConfig | Mapping[str, Any] | None = None, /, **fields: Any
    ) -> int:
        """Register one service, or replace the one of that id.

        A server takes no command to run: `process` and `restart` come from its file or from Python
        in its own process.

        Args:
            service: A ServiceConfig, or a mapping in the wire's spelling.
            **fields: Instead of it, the fields of a ServiceConfig.

        Returns:
            The number of the last event that the answer reflects.

        Raises:
            InvalidSpec: Something is wrong; `faults` names each fault, and nothing was changed.
            ExecForbidden: The service has a `process` or a `restart`.

        Example:
            >>> seq = client.register(id="search", type="b2b", endpoint="http://127.0.0.1:9200")
            >>> client.service("search").type
            'b2b'
        """
        response = self._connection.ask(requests.register(service, fields))
        return answers.seq_of(self.url, response.headers)

    def reload(self, *, plan: bool = False, restart_changed: bool = False) -> ReloadPlan:
        """Let the server read its configuration file again, and change what differs.

        Args:
            plan: Only say what would change.
            restart_changed: Restart processes whose program, environment, folder or user changed.

        Raises:
            InvalidSpec: The file has faults, or does not fit beside the services of others. Nothing
                is changed.
            InvalidArgument: The server was started without a file.
        """
        asked = requests.reload(plan=plan, restart_changed=restart_changed)
        return ReloadPlan.from_dict((self._connection.ask(asked)).json())

    def register_many(self, services: Iterable[ServiceConfig | Mapping[str, Any]]) -> int:
        """Register several services at once: all of them or, when one is wrong, none.

        Args:
            services: Each a `ServiceConfig` or a mapping in the wire's spelling; 256 KiB in all.

        Returns:
            The number of the last event that the answer reflects.

        Raises:
            InvalidSpec: Something is wrong with one; `faults` names every fault, such as
                `services[1].endpoint`.
            ExecForbidden: One has a `process` or a `restart`.
        """
        response = self._connection.ask(requests.register_many(services))
        return answers.seq_of(self.url, response.headers)

    def unregister(self, id: str) -> bool:
        """Forget a service, or all instances of an entry; does not wait for their processes.

        Args:
            id: Id of a service or entry.

        Returns:
            False if there was none.
        """
        known = self._connection.json(requests.service(id), missing=True) is not None
        self._connection.ask(requests.delete("services", requests.one_id(id), about=id))
        return known

    # Reads.

    def service(self, id: str) -> Service:
        """One service as it is now, or an entry as one service.

        Args:
            id: Id of a service or entry.

        Raises:
            UnknownService: There is none of that id.
        """
        response = self._connection.ask(requests.service(id))
        data = answers.json_of(self.url, response.content)
        return Service.from_dict(data, seq=answers.seq_of(self.url, response.headers))

    def services(self, *, type: str | None = None, group: str | None = None) -> list[Service]:
        """All services in order of registration, or those of a type or a group.

        Args:
            type: Only services of this type.
            group: Only services of this group.
        """
        response = self._connection.ask(requests.status(detailed=True))
        return answers.services_of(self.url, response, type, group)

    def status(self, *, detailed: bool = False) -> FleetStatus:
        """The fleet in numbers, and its services.

        Args:
            detailed: Read the services now. Otherwise they are read when `services` of the answer
                is first asked for, and may be newer than the numbers.
        """
        response = self._connection.ask(requests.status(detailed=detailed))
        if detailed:
            return answers.status_of(self.url, response, answers.services_of(self.url, response))
        return answers.status_of(self.url, response, self.services)

    def why(self, id: str) -> Why:
        """Why a service is as it is, and what would change it.

        Args:
            id: Id of a service or entry.

        Raises:
            UnknownService: There is none of that id.
        """
        return Why.from_dict(self._connection.json(requests.service(id, "why")))

    def dependencies(self, id: str) -> Dependencies:
        """What a service needs and what needs it.

        Args:
            id: Id of a service or entry.

        Raises:
            UnknownService: There is none of that id.
        """
        return Dependencies(self._connection.json(requests.service(id, "dependencies")))

    def graph(self) -> Graph:
        """The dependencies of all services."""
        return Graph(self._connection.json(requests.get("graph")))

    def history(
        self,
        since: Moment | None = None,
        until: Moment | None = None,
        type: EventFilter | type[Event] | None = None,
        service: str | None = None,
    ) -> History:
        """Past events, oldest first, as `MasterOrchestrator.history` has them.

        Args:
            since: Number of an event, after which it begins; or a time or an age, from which on.
            until: Number of an event, or a time or an age, before which it ends.
            type: A name or several; default: all but health checks.
            service: Only those of this service, or of the instances of this entry.
        """
        pages = answers.HistoryPages(since, until, type, service)
        while pages.more:
            pages.add(self._connection.json(pages.request()))
        return pages.history()

    def metrics(self) -> str:
        """The figures of the server in Prometheus' text format."""
        return self._connection.ask(requests.get("metrics")).text

    def seq(self) -> int:
        """The number of the last event."""
        return answers.seq_of(self.url, self._connection.ask(requests.get("healthz")).headers)

    def logs(
        self, id: str, *, lines: int = 100, timestamps: bool = False, notes: str | None = None
    ) -> str:
        """The last lines of a process service's output; of an entry, those of each instance.

        Args:
            id: Of a service with a process, or of an entry.
            lines: How many, at most 10,000.
            timestamps: Each line begins with the time of its start (RFC 3339, UTC), or `-`.
            notes: A word of letters and digits: lines of the server's own, about output that was
                lost, then begin with `[azora WORD: `, which the service cannot know.
        """
        asked = requests.logs(id, lines, timestamps, notes=notes)
        return self._connection.ask(asked).content.decode("utf-8", "replace")

    def follow_logs(
        self, id: str, *, lines: int = 100, timestamps: bool = False, notes: str | None = None
    ) -> Iterator[str]:
        """The last lines of a service's output, then each as it is written.

        Ends when the service is unregistered and its process is gone, or the server ends.

        Args:
            id: Of a service with a process, or of an entry.
            lines: How many to begin with.
            timestamps: As in `logs()`.
            notes: As in `logs()`.
        """
        response = self._connection.open(
            requests.logs(id, lines, timestamps, follow="1", notes=notes)
        )
        with contextlib.closing(response):
            yield from LineSplitter().all_of(self._connection.chunks(response))

    # Selection.

    def pick(
        self,
        pool: str,
        key: str | None = None,
        strategy: Strategy | None = None,
    ) -> Pick:
        """Choose an instance of a pool: a type, a group or an id. Takes no lease.

        Args:
            pool: Name of a pool: a type, a group or the id of a service.
            key: What ip-hash hashes: the same key finds the same instance. Default: our address.
            strategy: Another one than the pool's.

        Raises:
            NoHealthyInstance: No instance can be picked now, or there is no such pool.

        Example:
            >>> client.pick("core", key="customer-7", strategy="ip-hash").endpoint
            'http://127.0.0.1:7001'
        """
        asked = requests.pick(pool, key=key, strategy=strategy, lease=False)
        return pick_from_dict(self._connection.json(asked))

    def lease(
        self, pool: str, *, key: str | None = None, strategy: Strategy | None = None
    ) -> Lease:
        """Pick an instance and count it as load until the lease is released or its time is over.

        Args:
            pool: Name of a pool: a type, a group or the id of a service.
            key: What ip-hash hashes. Default: our address.
            strategy: Another one than the pool's.

        Raises:
            NoHealthyInstance: No instance can be picked now, or there is no such pool.

        Example:
            >>> with client.lease("core") as lease:
            ...     print(lease.endpoint)
            http://127.0.0.1:7001
        """
        asked = requests.pick(pool, key=key, strategy=strategy, lease=True)
        return answers.lease_of(pool, self._connection.json(asked), self.release)

    def release(self, lease_id: str) -> bool:
        """End a lease by its id.

        Args:
            lease_id: The `id` of a `Lease`.

        Returns:
            False if it had ended before.
        """
        return bool(self._connection.json(requests.release(lease_id))["released"])

    # Verbs. They return when the decision is made, or with `wait` when it has come true.

    def start_service(
        self,
        id: str,
        *,
        dependencies: bool = False,
        wait: bool = False,
        timeout_ms: float = _READY_MS,
    ) -> VerbAnswer:
        """Start a service.

        Args:
            id: Of a service or an entry.
            dependencies: Start its hard dependencies first.
            wait: Return when it is ready, not when the decision is made.
            timeout_ms: How long to wait, at most 600,000.

        Raises:
            UnknownService: There is none of that id.
            HealingUnavailable: It has only a URL.
            NotComing: The wait is in vain.
            TimedOut: It is not ready in time.
        """
        return self._verb(id, "start", wait=wait, timeout_ms=timeout_ms, dependencies=dependencies)

    def stop_service(
        self,
        id: str,
        *,
        dependents: bool = False,
        wait: bool = False,
        timeout_ms: float = _READY_MS,
    ) -> VerbAnswer:
        """Stop a service; it stays stopped. Raises what `start_service()` raises.

        Args:
            id: Of a service or an entry.
            dependents: Stop the services that need it first.
            wait: Return when it has no process, not when the decision is made.
            timeout_ms: How long to wait, at most 600,000.
        """
        return self._verb(id, "stop", wait=wait, timeout_ms=timeout_ms, dependents=dependents)

    def restart(
        self,
        id: str,
        *,
        dependents: bool = False,
        wait: bool = False,
        timeout_ms: float = _READY_MS,
    ) -> VerbAnswer:
        """Restart a service, or all instances of an entry. Raises what `start_service()` raises.

        Args:
            id: Of a service or an entry.
            dependents: Restart the services that need it, too.
            wait: Return when it is ready again, not when the decision is made.
            timeout_ms: How long to wait, at most 600,000.
        """
        return self._verb(id, "restart", wait=wait, timeout_ms=timeout_ms, dependents=dependents)

    def _verb(self, id: str, what: str, *, timeout_ms: float, **options: bool) -> VerbAnswer:
        whole_ms = transport.seconds_of(timeout_ms) * 1000
        asked = requests.verb(id, what, timeout_ms=whole_ms, **options)
        return VerbAnswer.from_dict(self._connection.json(asked))

    # Waiting.

    def wait_ready(
        self, id: str | Sequence[str] | None = None, *, timeout_ms: float = _READY_MS
    ) -> None:
        """Wait until a service, several or all of them are ready.

        A job, which has no endpoint, is ready too when it has ended with 0.

        Args:
            id: Ids of services, names of entries (all instances) or groups (all members). Default:
                all services that are wanted up.
            timeout_ms: How long to wait for all of them together.

        Raises:
            NotComing: One of them cannot become ready in time.
            TimedOut: They are not ready in time.
            UnknownService: There is none of that id.
        """
        names = None if id is None else strings_of("id", id)
        self._wait(names, "ready", timeout_ms)

    def wait_stopped(self, id: str | Sequence[str], *, timeout_ms: float = _READY_MS) -> None:
        """Wait until a service, or several, have no process.

        Args:
            id: Id of a service or entry, or several.
            timeout_ms: How long to wait for all of them together.

        Raises:
            TimedOut: It has one when the time is over.
        """
        self._wait(strings_of("id", id), "stopped", timeout_ms)

    def _wait(self, names: list[str] | None, goal: str, timeout_ms: float) -> None:
        asking = waiting.asking(names, goal, transport.seconds_of(timeout_ms))
        late: TimedOut | None = None
        with contextlib.suppress(StopIteration):
            request = next(asking)
            while True:
                late = None
                try:
                    self._connection.ask(request)
                except TimedOut as error:
                    if error.problem is None:
                        raise  # it is the answer that is late
                    late = error
                request = asking.send(late)

    def not_coming(self, ids: Iterable[str], horizon: float) -> dict[str, str]:
        """Which services cannot become ready by themselves in time, and why.

        Args:
            ids: Of services.
            horizon: Until when, in seconds since 1970.
        """
        found: dict[str, str] = {}
        for id in ids:
            left_ms = max(0.0, (horizon - time.time()) * 1000)
            try:
                self._connection.ask(requests.wait([id], "ready", 0, left_ms))
            except NotComing as error:
                found[id] = str(error)
            except (TimedOut, UnknownService):
                pass  # it may come yet
        return found

    # Events.

    def events(
        self,
        *,
        since: int | None = None,
        type: EventFilter | type[Event] | None = None,
        service: str | None = None,
        on_connection: Callable[[bool], object] | None = None,
    ) -> RemoteEvents:
        """Open a stream of events that goes on by itself when the connection breaks.

        Args:
            since: Begin after this number; 0: with the oldest that is kept. Default: now.
            type: A name or several; default: all.
            service: Only those of this service, or of the instances of this entry.
            on_connection: Called on the stream's thread with False when the connection broke and
                could not be made anew at once, with True when it stands again.

        Example:
            >>> with client.events(since=0, type="serviceHealthy") as stream:
            ...     for event in stream:
            ...         print(event.service_id)
            ...         if event.service_id == "orders":
            ...             break
            db
            orders
        """
        begin = self.seq() if since is None else integer_of("since", since, 0, MOST_SEQ)
        position = Position(begin, types_of(type), service)
        reader = open_reader(self._connection, position, on_connection)
        self._readers.add(reader)
        return RemoteEvents(reader)

    def _subscribe(
        self, types: Sequence[str] | None, service: str | None, handler: Handler
    ) -> Subscription:
        with self._beginning:
            if self._handlers is None:
                from azora_orchestrator._callbacks import Callbacks
                from azora_orchestrator.client.handlers import Handlers

                self._callbacks = Callbacks()
                self._handlers = Handlers(self._callbacks, self._connection)
                # Their threads end with a client that is dropped, as with one that is closed.
                weakref.finalize(self, self._handlers.close, 0).atexit = False
        return self._handlers.subscribe(types, service, handler)

    def past_events(
        self,
        *,
        since: int = 0,
        type: EventFilter | type[Event] | None = None,
        service: str | None = None,
    ) -> Iterator[Event]:
        """The events that the server has kept, oldest first; then the iterator ends.

        Args:
            since: Begin after this number.
            type: A name or several; default: all.
            service: Only those of this service, or of the instances of this entry.

        Example:
            >>> next(client.past_events(service="orders")).type
            'serviceRegistered'
        """
        begin = integer_of("since", since, 0, MOST_SEQ)
        position = Position(begin, types_of(type), service)
        response = self._connection.open(position.request(follow=False))
        decoder = Decoder()
        with contextlib.closing(response):
            for chunk in self._connection.chunks(response):
                for frame in decoder.feed(chunk):
                    yield event_of(frame.data)

    # Requests.

    def request(self, method: Literal["GET", "POST"], *path: str, **query: Any) -> Any:
        """The JSON of any request, for what has no method here.

        Args:
            method: GET or POST.
            *path: Its parts, which are quoted.
            **query: Parameters; those that are None are left out.

        Example:
            >>> found = client.request("GET", "loadbalancer", "core", explain=1)["candidates"]
            >>> [one["serviceId"] for one in found]
            ['orders']
        """
        about = path[1] if path[0] == "services" and len(path) > 1 else ""
        make = {"GET": requests.get, "POST": requests.post}[method]
        return self._connection.json(make(*path, about=about, **query))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.url}{' closed' if self.closed else ''}>"
