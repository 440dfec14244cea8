"""AsyncClient: the names of `Client` as coroutines.

`on()`, `off()`, `events()`, `lease()` and `follow_logs()` only open something, so they are plain
methods.
A client belongs to one event loop.
"""

from __future__ import annotations

import contextlib
import time
import weakref
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, Unpack, overload

import httpx

from azora_orchestrator._arguments import integer_of, strings_of, types_of
from azora_orchestrator._callbacks import Callbacks
from azora_orchestrator._subscriptions import Handler
from azora_orchestrator.answers import VerbAnswer, Why
from azora_orchestrator.client import address, answers, requests, transport, waiting
from azora_orchestrator.client.aio_connection import AsyncConnection
from azora_orchestrator.client.aio_handlers import AsyncHandlers, AsyncSubscription
from azora_orchestrator.client.aio_streams import AsyncRemoteEvents
from azora_orchestrator.client.emitter import Emitter
from azora_orchestrator.client.handlers import JOIN_SECONDS
from azora_orchestrator.client.owner_verbs import AsyncOwnerVerbs
from azora_orchestrator.client.requests import Request
from azora_orchestrator.client.sse import MOST_SEQ, Decoder, LineSplitter, Position
from azora_orchestrator.client.streams import event_of
from azora_orchestrator.client.sync import Client
from azora_orchestrator.errors import NotComing, OrchestratorClosed, TimedOut, UnknownService
from azora_orchestrator.fleet_status import FleetStatus
from azora_orchestrator.graph import Dependencies, Graph
from azora_orchestrator.history import History, Moment
from azora_orchestrator.models import Pick, Service, pick_from_dict
from azora_orchestrator.reload import ReloadPlan
from azora_orchestrator.rolling import AsyncRolling
from azora_orchestrator.service_config import ServiceConfig, ServiceFields

if TYPE_CHECKING:
    from azora_orchestrator.events import Event
    from azora_orchestrator.vocabulary import EventFilter, Strategy

__all__ = ["AsyncClient", "AsyncLease"]

_READY_MS = 30_000
_STOP_MS = 60_000


class AsyncLease:
    """A `Lease` of an AsyncClient: taken by `await`, or for a block by `async with`.

    Attributes:
        pick: The instance.
        id: Id of the lease.
        ttl_ms: Time in ms from its begin to its end, unless it is released before.
    """

    pick: Pick
    id: str
    ttl_ms: int

    def __init__(self, connection: AsyncConnection, asked: Request) -> None:
        self._connection = connection
        self._asked = asked
        self._taken = False

    def __await__(self) -> Generator[Any, Any, Self]:
        return self._take().__await__()

    async def _take(self) -> Self:
        if not self._taken:
            data = await self._connection.json(self._asked)
            self.pick = pick_from_dict(data)
            self.id, self.ttl_ms = data["lease"]["id"], data["lease"]["ttlMs"]
            self._taken = True
        return self

    @property
    def service_id(self) -> str:
        """Id of the chosen service."""
        return self.pick.service_id

    @property
    def endpoint(self) -> str:
        """URL of the chosen service."""
        return self.pick.endpoint

    async def release(self) -> bool:
        """See `Lease.release`."""
        return bool((await self._connection.json(requests.release(self.id)))["released"])

    async def __aenter__(self) -> Self:
        return await self._take()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.release()

    def __repr__(self) -> str:
        taken = f"{self.id} of {self.service_id}" if self._taken else "not taken"
        return f"<AsyncLease {taken}>"


class AsyncClient(AsyncOwnerVerbs, Emitter[AsyncSubscription], AsyncRolling):
    """A `Client` for asyncio: the same names as coroutines. See `Client` for the arguments.

    Example:
        >>> async with AsyncClient() as client:
        ...     await client.restart("orders", wait=True)
    """

    def __init__(
        self, url: str | None = None, token: str | None = None, *, timeout_ms: float = 30_000
    ) -> None:
        whole_ms = transport.seconds_of(timeout_ms) * 1000
        self.url = address.server_url(url)
        self._connection = AsyncConnection(self.url, address.given_token(token), whole_ms)
        self._streams: weakref.WeakSet[AsyncRemoteEvents] = weakref.WeakSet()
        self._callbacks = Callbacks()
        self._handlers = AsyncHandlers(self._callbacks)

    # Life.

    async def close(self) -> None:
        """See `Client.close`."""
        await self._handlers.close(JOIN_SECONDS)
        for stream in list(self._streams):
            await stream.aclose()
        await self._connection.close()

    @property
    def closed(self) -> bool:
        """True once it was closed."""
        return self._connection.closed

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def start(self) -> None:
        """See `Client.start`."""
        await self._connection.ask(requests.post("orchestrator", "start"))

    async def stop(self, *, timeout_ms: float = _STOP_MS, leave: bool = False) -> list[str]:
        """See `Client.stop`."""
        asked = requests.stop_all(transport.seconds_of(timeout_ms) * 1000, leave=leave)
        try:
            await self._connection.ask(asked)
        except TimedOut as error:
            return answers.not_stopped(error)
        return []

    # Registration.

    @overload
    async def register(self, service: ServiceConfig | Mapping[str, Any], /) -> int: ...
    @overload
    async def register(self, **fields: Unpack[ServiceFields]) -> int: ...
    async def register(  # type: ignore[misc]  # mypy does not see that **Any takes the keywords
        self, service: ServiceConfig | Mapping[str, Any] | None = None, /, **fields: Any
    ) -> int:
        """See `Client.register`."""
        response = await self._connection.ask(requests.register(service, fields))
        return answers.seq_of(self.url, response.headers)

    async def reload(self, *, plan: bool = False, restart_changed: bool = False) -> ReloadPlan:
        """See `Client.reload`."""
        asked = requests.reload(plan=plan, restart_changed=restart_changed)
        return ReloadPlan.from_dict((await self._connection.ask(asked)).json())

    async def register_many(self, services: Iterable[ServiceConfig | Mapping[str, Any]]) -> int:
        """See `Client.register_many`."""
        response = await self._connection.ask(requests.register_many(services))
        return answers.seq_of(self.url, response.headers)

    async def unregister(self, id: str) -> bool:
        """See `Client.unregister`."""
        known = await self._connection.json(requests.service(id), missing=True) is not None
        await self._connection.ask(requests.delete("services", requests.one_id(id), about=id))
        return known

    # Reads.

    async def service(self, id: str) -> Service:
        """See `Client.service`."""
        response = await self._connection.ask(requests.service(id))
        data = answers.json_of(self.url, response.content)
        return Service.from_dict(data, seq=answers.seq_of(self.url, response.headers))

    async def services(self, *, type: str | None = None, group: str | None = None) -> list[Service]:
        """See `Client.services`."""
        response = await self._connection.ask(requests.status(detailed=True))
        return answers.services_of(self.url, response, type, group)

    async def status(self, *, detailed: bool = False) -> FleetStatus:  # noqa: ARG002
        """See `Client.status`. Here the services are always read at once."""
        response = await self._connection.ask(requests.status(detailed=True))
        return answers.status_of(self.url, response, answers.services_of(self.url, response))

    async def why(self, id: str) -> Why:
        """See `Client.why`."""
        return Why.from_dict(await self._connection.json(requests.service(id, "why")))

    async def dependencies(self, id: str) -> Dependencies:
        """See `Client.dependencies`."""
        return Dependencies(await self._connection.json(requests.service(id, "dependencies")))

    async def graph(self) -> Graph:
        """See `Client.graph`."""
        return Graph(await self._connection.json(requests.get("graph")))

    async def history(
        self,
        since: Moment | None = None,
        until: Moment | None = None,
        type: EventFilter | type[Event] | None = None,
        service: str | None = None,
    ) -> History:
        """See `Client.history`."""
        pages = answers.HistoryPages(since, until, type, service)
        while pages.more:
            pages.add(await self._connection.json(pages.request()))
        return pages.history()

    async def metrics(self) -> str:
        """See `Client.metrics`."""
        return (await self._connection.ask(requests.get("metrics"))).text

    async def seq(self) -> int:
        """See `Client.seq`."""
        return answers.seq_of(
            self.url, (await self._connection.ask(requests.get("healthz"))).headers
        )

    async def logs(
        self, id: str, *, lines: int = 100, timestamps: bool = False, notes: str | None = None
    ) -> str:
        """See `Client.logs`."""
        response = await self._connection.ask(requests.logs(id, lines, timestamps, notes=notes))
        return response.content.decode("utf-8", "replace")

    async def follow_logs(
        self, id: str, *, lines: int = 100, timestamps: bool = False, notes: str | None = None
    ) -> AsyncIterator[str]:
        """See `Client.follow_logs`."""
        asked = requests.logs(id, lines, timestamps, follow="1", notes=notes)
        response = await self._connection.open(asked)
        async with contextlib.aclosing(response):
            splitter = LineSplitter()
            async for chunk in self._connection.chunks(response):
                for line in splitter.feed(chunk):
                    yield line
            for line in splitter.rest():
                yield line

    # Selection.

    async def pick(
        self,
        pool: str,
        key: str | None = None,
        strategy: Strategy | None = None,
    ) -> Pick:
        """See `Client.pick`."""
        asked = requests.pick(pool, key=key, strategy=strategy, lease=False)
        return pick_from_dict(await self._connection.json(asked))

    def lease(
        self, pool: str, *, key: str | None = None, strategy: Strategy | None = None
    ) -> AsyncLease:
        """See `Client.lease`. Taken when it is awaited or entered.

        Example:
            >>> async with client.lease("core") as lease:
            ...     print(lease.endpoint)
        """
        asked = requests.pick(pool, key=key, strategy=strategy, lease=True)
        return AsyncLease(self._connection, asked)

    async def release(self, lease_id: str) -> bool:
        """See `Client.release`."""
        return bool((await self._connection.json(requests.release(lease_id)))["released"])

    # Verbs.

    async def start_service(
        self,
        id: str,
        *,
        dependencies: bool = False,
        wait: bool = False,
        timeout_ms: float = _READY_MS,
    ) -> VerbAnswer:
        """See `Client.start_service`."""
        return await self._verb(
            id, "start", wait=wait, timeout_ms=timeout_ms, dependencies=dependencies
        )

    async def stop_service(
        self,
        id: str,
        *,
        dependents: bool = False,
        wait: bool = False,
        timeout_ms: float = _READY_MS,
    ) -> VerbAnswer:
        """See `Client.stop_service`."""
        return await self._verb(id, "stop", wait=wait, timeout_ms=timeout_ms, dependents=dependents)

    async def restart(
        self,
        id: str,
        *,
        dependents: bool = False,
        wait: bool = False,
        timeout_ms: float = _READY_MS,
    ) -> VerbAnswer:
        """See `Client.restart`."""
        return await self._verb(
            id, "restart", wait=wait, timeout_ms=timeout_ms, dependents=dependents
        )

    async def _verb(self, id: str, what: str, *, timeout_ms: float, **options: bool) -> VerbAnswer:
        whole_ms = transport.seconds_of(timeout_ms) * 1000
        asked = requests.verb(id, what, timeout_ms=whole_ms, **options)
        return VerbAnswer.from_dict(await self._connection.json(asked))

    # Waiting.

    async def wait_ready(
        self, id: str | Sequence[str] | None = None, *, timeout_ms: float = _READY_MS
    ) -> None:
        """See `Client.wait_ready`."""
        names = None if id is None else strings_of("id", id)
        await self._wait(names, "ready", timeout_ms)

    async def wait_stopped(self, id: str | Sequence[str], *, timeout_ms: float = _READY_MS) -> None:
        """See `Client.wait_stopped`."""
        await self._wait(strings_of("id", id), "stopped", timeout_ms)

    async def _wait(self, names: list[str] | None, goal: str, timeout_ms: float) -> None:
        asking = waiting.asking(names, goal, transport.seconds_of(timeout_ms))
        late: TimedOut | None = None
        with contextlib.suppress(StopIteration):
            request = next(asking)
            while True:
                late = None
                try:
                    await self._connection.ask(request)
                except TimedOut as error:
                    if error.problem is None:
                        raise  # it is the answer that is late
                    late = error
                request = asking.send(late)

    async def not_coming(self, ids: Iterable[str], horizon: float) -> dict[str, str]:
        """See `Client.not_coming`."""
        found: dict[str, str] = {}
        for id in ids:
            left_ms = max(0.0, (horizon - time.time()) * 1000)
            try:
                await self._connection.ask(requests.wait([id], "ready", 0, left_ms))
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
    ) -> AsyncRemoteEvents:
        """See `Client.events`. Without `since` it begins when it is entered or first read.

        Example:
            >>> async with client.events(service="orders") as stream:
            ...     async for event in stream:
            ...         print(event.type)
        """
        number = None if since is None else integer_of("since", since, 0, MOST_SEQ)
        return self._stream(number, types_of(type), service, on_connection)

    def _stream(
        self,
        number: int | None,
        types: Sequence[str] | None,
        service: str | None,
        on_connection: Callable[[bool], object] | None = None,
    ) -> AsyncRemoteEvents:
        async def begin() -> Position:
            return Position(await self.seq() if number is None else number, types, service)

        async def connect(position: Position) -> httpx.Response:
            return await self._connection.open(position.request(), transport.QUIET_SECONDS)

        stream = AsyncRemoteEvents(self.url, begin, connect, on_connection)
        self._streams.add(stream)
        return stream

    def _subscribe(
        self, types: Sequence[str] | None, service: str | None, handler: Handler
    ) -> AsyncSubscription:
        if self.closed:
            raise OrchestratorClosed("the client is closed")
        stream = self._stream(None, types, service)
        return self._handlers.subscribe(stream, types, service, handler)

    async def past_events(
        self,
        *,
        since: int = 0,
        type: EventFilter | type[Event] | None = None,
        service: str | None = None,
    ) -> AsyncIterator[Event]:
        """See `Client.past_events`."""
        begin = integer_of("since", since, 0, MOST_SEQ)
        position = Position(begin, types_of(type), service)
        response = await self._connection.open(position.request(follow=False))
        decoder = Decoder()
        async with contextlib.aclosing(response):
            async for chunk in self._connection.chunks(response):
                for frame in decoder.feed(chunk):
                    yield event_of(frame.data)

    # Requests.

    async def request(self, method: Literal["GET", "POST"], *path: str, **query: Any) -> Any:
        """See `Client.request`."""
        about = path[1] if path[0] == "services" and len(path) > 1 else ""
        make = {"GET": requests.get, "POST": requests.post}[method]
        return await self._connection.json(make(*path, about=about, **query))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.url}{' closed' if self.closed else ''}>"


def _document() -> None:
    """Give the coroutines the whole documentation; above is only a reference to it."""
    for name, function in [*vars(AsyncOwnerVerbs).items(), *vars(AsyncClient).items()]:
        original = getattr(Client, name, None)
        if original is not None and (function.__doc__ or "").startswith("See `Client."):
            more = (function.__doc__ or "").partition("`. ")[2].partition("\n\n")[0].strip()
            head, end, rest = (original.__doc__ or "").partition("\n\n")
            function.__doc__ = f"{head} {more}{end}{rest}" if more else original.__doc__


_document()
