"""Handlers of a client: the orchestrator's rules (R36), over streams that resume by themselves."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import queue
import threading
import warnings
import weakref
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from azora_orchestrator import (
    AccessDenied,
    AsyncClient,
    Client,
    Event,
    InvalidArgument,
    MasterOrchestrator,
    OrchestratorClosed,
    ServerUnreachable,
    ServiceRegisteredEvent,
)
from client.relay import Relay
from conftest import free_port

WAIT = 20.0
REGISTERED = "serviceRegistered"


def add(orch: MasterOrchestrator, *ids: str) -> None:
    endpoint = "http://127.0.0.1:9"
    orch.register_many([{"id": id, "type": "t", "endpoint": endpoint} for id in ids])


class Heard:
    """A handler that notes the ids it hears, and on which thread."""

    def __init__(self) -> None:
        self.ids: queue.Queue[str | None] = queue.Queue()
        self.threads: set[int] = set()
        self.last: Event

    def __call__(self, event: Event) -> None:
        self.threads.add(threading.get_ident())
        self.last = event
        self.ids.put(event.service_id or event.reason)

    def next(self) -> str | None:
        return self.ids.get(timeout=WAIT)


def test_a_handler_hears_in_order_on_a_thread_of_its_own(
    orch: MasterOrchestrator, client: Client
) -> None:
    add(orch, "before")
    heard = Heard()
    subscription = client.on(REGISTERED, heard)
    add(orch, "a", "b", "c")
    assert [heard.next() for _ in range(3)] == ["a", "b", "c"]
    assert len(heard.threads) == 1
    assert threading.get_ident() not in heard.threads
    assert subscription.active
    assert client.get_event_emitter() is client


def test_on_is_a_decorator_and_off_ends_it(orch: MasterOrchestrator, client: Client) -> None:
    heard = Heard()

    @client.on(ServiceRegisteredEvent, service="a")
    @client.on("serviceUnregistered")
    def told(event: Event) -> str:
        """Say it."""
        heard(event)
        return "called"

    add(orch, "a", "b")
    assert heard.next() == "a"
    orch.unregister("b")
    assert heard.next() == "b"
    assert told.__doc__ == "Say it."
    assert told(next(client.past_events())) == "called"
    heard.next()
    assert client.off(told)
    assert not client.off(told)
    assert not told.active
    last = Heard()
    client.on("serviceUnregistered", last)
    orch.unregister("a")
    assert last.next() == "a"
    assert heard.ids.empty()


def test_it_goes_on_when_the_connection_breaks(orch: MasterOrchestrator, relay: Relay) -> None:
    heard = Heard()
    with Client(relay.url) as client:
        client.on(REGISTERED, heard)
        for id in ("a", "b", "c"):
            add(orch, id)
            assert heard.next() == id
            relay.cut()
        assert heard.ids.empty()


def test_a_handler_that_raises_stays_and_is_told(
    orch: MasterOrchestrator, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    heard, failures, everything = Heard(), queue.Queue[Event](), queue.Queue[Event]()
    named = (REGISTERED, "callbackFailed")

    def broken(event: Event) -> None:
        heard(event)
        raise RuntimeError("on purpose")

    client.on(REGISTERED, broken)
    client.on("callbackFailed", failures.put)
    client.on("*", lambda event: everything.put(event) if event.type in named else None)
    client.on("*", lambda event: None, service="a")  # a failure is about no service
    for id in ("a", "b"):
        add(orch, id)
        assert heard.next() == id
        failure = failures.get(timeout=WAIT)
        assert failure.reason is not None
        assert failure.reason.endswith("broken: RuntimeError: on purpose")
        assert failure.type == "callbackFailed"
        assert failure.seq == heard.last.seq
    assert "event handler" in caplog.text
    assert "RuntimeError: on purpose" in caplog.text
    seen = [everything.get(timeout=WAIT).type for _ in range(4)]
    assert sorted(seen) == ["callbackFailed"] * 2 + [REGISTERED] * 2
    with orch.events(since=0) as stream:  # the server knows nothing of it
        assert "callbackFailed" not in [event.type for event in stream.batch()]


def test_a_handler_of_failures_that_raises_is_only_logged(
    orch: MasterOrchestrator, client: Client
) -> None:
    heard = Heard()

    def broken(event: Event) -> None:
        heard(event)
        raise SystemExit("on purpose")

    client.on([REGISTERED, "callbackFailed"], broken)
    add(orch, "a")
    assert heard.next() == "a"
    assert "SystemExit: on purpose" in str(heard.next())
    add(orch, "b")
    assert heard.next() == "b"


def test_a_slow_handler_delays_no_other(orch: MasterOrchestrator, client: Client) -> None:
    release, heard = threading.Event(), Heard()
    slow = client.on(REGISTERED, lambda event: release.wait(WAIT))
    client.on(REGISTERED, heard)
    add(orch, "a", "b")
    assert [heard.next(), heard.next()] == ["a", "b"]
    slow.unsubscribe()
    assert not slow.active
    release.set()
    assert slow._join(WAIT)


def test_async_handlers_of_a_sync_client_run_on_the_loop_of_on(
    orch: MasterOrchestrator, client: Client
) -> None:
    heard: queue.Queue[object] = queue.Queue()

    async def handler(event: Event) -> None:
        await asyncio.sleep(0)
        heard.put(asyncio.get_running_loop())

    async def main() -> None:
        client.on(REGISTERED, handler)
        client.on(REGISTERED, lambda event: handler(event))
        await asyncio.to_thread(add, orch, "a")
        loops = [await asyncio.to_thread(heard.get, timeout=WAIT) for _ in range(2)]
        assert loops == [asyncio.get_running_loop()] * 2
        client.off(handler)

    asyncio.run(main())
    client.on("serviceUnregistered", handler)  # no loop runs: the client has one
    orch.unregister("a")
    assert isinstance(heard.get(timeout=WAIT), asyncio.AbstractEventLoop)


def test_a_handler_whose_loop_is_closed_is_removed(
    orch: MasterOrchestrator, client: Client
) -> None:
    failures = Heard()
    client.on("callbackFailed", failures)

    async def handler(event: Event) -> None: ...

    async def main() -> Any:
        return client.on(REGISTERED, handler)

    subscription = asyncio.run(main())
    add(orch, "a")
    assert str(failures.next()).endswith("removed, because its event loop was closed")
    assert not subscription.active


def test_closing_ends_handlers_also_from_within(orch: MasterOrchestrator, client: Client) -> None:
    closed = threading.Event()

    def handler(event: Event) -> None:
        client.close()
        closed.set()

    subscription = client.on(REGISTERED, handler)
    add(orch, "a")
    assert closed.wait(WAIT)
    assert subscription._join(WAIT)
    assert not subscription.active
    with pytest.raises(OrchestratorClosed):
        client.on(REGISTERED, handler)


def test_a_server_that_refuses_to_go_on_ends_the_handler(
    relay: Relay, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AccessDenied("no longer")

    caplog.set_level(logging.WARNING)
    with Client(relay.url) as client:
        failures = Heard()
        subscription = client.on(REGISTERED, lambda event: None)
        monkeypatch.setattr(client._connection, "open", refuse)
        relay.cut()
        assert subscription._join(WAIT)
        assert not subscription.active
        with pytest.raises(AccessDenied):
            client.on("callbackFailed", failures)
    assert "removed, because its events ended: AccessDenied: no longer" in caplog.text


def test_what_is_wrong_is_said_at_once(client: Client) -> None:
    with pytest.raises(InvalidArgument, match="none"):
        client.on("none", print)  # type: ignore[call-overload]
    with pytest.raises(InvalidArgument, match="not a handler"):
        client.on("*", 5)  # type: ignore[call-overload]
    with pytest.raises(InvalidArgument):
        client.on("*", print, service=5)  # type: ignore[call-overload]
    with Client(f"http://127.0.0.1:{free_port()}") as nobody, pytest.raises(ServerUnreachable):
        nobody.on("*", print)


def test_a_client_that_nobody_holds_ends_its_handlers(orch: MasterOrchestrator, api: Any) -> None:
    heard = Heard()

    def make() -> tuple[weakref.ref[Client], Any]:
        client = Client(f"http://127.0.0.1:{api.port}")

        def handler(event: Event) -> None:
            heard(event)
            repr(client)  # as most do, it refers to its client

        delivery = client.on(REGISTERED, handler)._delivery
        add(orch, "a")
        assert heard.next() == "a"
        return weakref.ref(client), delivery

    gone, delivery = make()
    gc.collect()
    assert gone() is None
    assert not delivery.active


def run(main: Callable[[AsyncClient], Awaitable[object]], api: Any) -> None:
    async def whole() -> None:
        async with AsyncClient(f"http://127.0.0.1:{api.port}") as client:
            await main(client)

    asyncio.run(whole())


def test_an_async_client_calls_handlers_too(orch: MasterOrchestrator, api: Any) -> None:
    async def main(client: AsyncClient) -> None:
        heard: asyncio.Queue[str | None] = asyncio.Queue()
        sync, inside = Heard(), 0

        @client.on(REGISTERED)
        async def handler(event: Event) -> None:
            nonlocal inside
            inside += 1
            await asyncio.sleep(0)
            assert inside == 1
            inside -= 1
            heard.put_nowait(event.service_id)

        assert await handler is handler
        plain = await client.on(ServiceRegisteredEvent, sync)
        await asyncio.to_thread(add, orch, "a", "b", "c")
        assert [await asyncio.wait_for(heard.get(), WAIT) for _ in range(3)] == ["a", "b", "c"]
        assert [await asyncio.to_thread(sync.next) for _ in range(3)] == ["a", "b", "c"]
        assert len(sync.threads) == 1
        assert threading.get_ident() not in sync.threads
        assert client.off(sync)
        assert not plain.active
        handler.unsubscribe()
        last = await client.on(REGISTERED, Heard())
        await asyncio.to_thread(add, orch, "d")
        await asyncio.to_thread(last._callable.function.next)  # type: ignore[attr-defined]
        assert heard.empty()
        assert sync.ids.empty()

    run(main, api)


def test_failures_of_an_async_clients_handlers(
    orch: MasterOrchestrator, api: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def main(client: AsyncClient) -> None:
        failures: asyncio.Queue[str | None] = asyncio.Queue()

        async def note(event: Event) -> None:
            failures.put_nowait(event.reason)

        async def broken(event: Event) -> None:
            raise RuntimeError("async")

        async def cancelled(event: Event) -> None:
            task = asyncio.ensure_future(asyncio.Event().wait())
            task.cancel()
            await task

        def plain(event: Event) -> None:
            raise SystemExit("plain")

        await client.on("callbackFailed", note)
        subscriptions = [await client.on(REGISTERED, one) for one in (broken, cancelled, plain)]
        await asyncio.to_thread(add, orch, "a")
        found = [str(await asyncio.wait_for(failures.get(), WAIT)) for _ in range(3)]
        ends = sorted(one.partition("<locals>.")[2].partition(".<locals>.")[2] for one in found)
        assert ends == ["broken: RuntimeError: async", "cancelled: CancelledError", "plain: "
                        "SystemExit: plain"]  # fmt: skip
        assert all(one.active for one in subscriptions)

    run(main, api)
    assert "RuntimeError: async" in caplog.text


def test_an_async_client_is_closed_from_a_handler_and_by_the_end_of_its_loop(
    orch: MasterOrchestrator, api: Any
) -> None:
    left: list[Any] = []

    async def main() -> None:
        client = AsyncClient(f"http://127.0.0.1:{api.port}")
        closed = asyncio.Event()

        async def handler(event: Event) -> None:
            await client.close()
            closed.set()

        subscription = await client.on(REGISTERED, handler)
        await asyncio.to_thread(add, orch, "a")
        await asyncio.wait_for(closed.wait(), WAIT)
        assert not subscription.active
        with pytest.raises(OrchestratorClosed):
            client.on(REGISTERED, handler)
        other = AsyncClient(f"http://127.0.0.1:{api.port}")
        left.append(await other.on(REGISTERED, handler))

    asyncio.run(main())
    assert not left[0].active
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the loop ended before its connection
        left.clear()
        gc.collect()


def test_an_async_client_says_what_is_wrong(api: Any) -> None:
    outside = AsyncClient(f"http://127.0.0.1:{api.port}")
    with pytest.raises(InvalidArgument, match="event loop"):
        outside.on(REGISTERED, print)

    async def main(client: AsyncClient) -> None:
        async with AsyncClient(f"http://127.0.0.1:{free_port()}") as nobody:
            subscription = nobody.on(REGISTERED, print)
            with pytest.raises(ServerUnreachable):
                await subscription
            assert not subscription.active
        unsaid = client.on(REGISTERED, print)  # ended before it began
        unsaid.unsubscribe()
        with contextlib.suppress(OrchestratorClosed):
            await unsaid

    run(main, api)
