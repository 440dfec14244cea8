"""The handlers of an async client; see handlers.py for the rules.

Threads: the client's loop. Each handler is a task; a sync one has a daemon thread, too.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import inspect
import queue
import threading
import weakref
from collections.abc import Callable, Generator, Sequence
from typing import Any, Self, cast

from azora_orchestrator._callables import UserCallable
from azora_orchestrator._callbacks import Callbacks
from azora_orchestrator._deliveries import Caller, Delivery
from azora_orchestrator._loop_thread import LoopThread
from azora_orchestrator._subscriptions import Handler, Subscription, function_of
from azora_orchestrator.client.aio_streams import AsyncRemoteEvents
from azora_orchestrator.client.handlers import Lost, failure
from azora_orchestrator.client.sse import wants_failures
from azora_orchestrator.errors import InvalidArgument, OrchestratorClosed
from azora_orchestrator.events import Event


class AsyncSubscription(Subscription):
    """A subscribed handler of an AsyncClient; `await` it to wait until its events come.

    Example:
        >>> await client.on("serviceFailed", page)
        <Subscription of page, active>
    """

    _delivery: _TaskDelivery

    def __await__(self) -> Generator[Any, Any, Self]:
        return self._listen().__await__()

    async def _listen(self) -> Self:
        await asyncio.shield(self._delivery.listening)
        return self


class _Thread:
    """A daemon thread for the calls of one handler, made when it is first needed."""

    def __init__(self, name: str) -> None:
        self._name = f"azora-on-{name}"[:40]
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self.thread: threading.Thread | None = None

    async def call(
        self, function: Callable[..., object], event: Event
    ) -> tuple[object, BaseException | None]:
        """What a call returned, or what it raised."""
        done: concurrent.futures.Future[tuple[object, BaseException | None]]
        done = concurrent.futures.Future()

        def call() -> None:
            result, failed = None, None
            try:
                result = function(event)
            except BaseException as error:  # not even sys.exit() ends our thread
                failed = error
            with contextlib.suppress(concurrent.futures.InvalidStateError):  # it was cancelled
                done.set_result((result, failed))

        if self.thread is None:
            self.thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self.thread.start()
        self._calls.put(call)
        return await asyncio.wrap_future(done)

    def end(self) -> None:
        """Begin no further call."""
        self._calls.put(None)

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
            del call


class _TaskDelivery(Lost):
    _stream: AsyncRemoteEvents

    def __init__(
        self,
        stream: AsyncRemoteEvents,
        handler: UserCallable,
        *,
        failed: Callable[[str], None],
        ended: Callable[[Delivery], None],
    ) -> None:
        super().__init__(stream, handler, failed=failed, ended=ended)
        self._loop = asyncio.get_running_loop()
        self._thread = _Thread(self._name)
        self._over = False
        self.listening: asyncio.Future[None] = self._loop.create_future()
        self.seq = 0  # of the last event that was handed over

    @property
    def active(self) -> bool:
        return not self._over

    def begin(self) -> None:
        self.task = self._loop.create_task(self._run(), name=f"azora-on-{self._name}")

    def close(self) -> None:
        self._over = True
        self._ended(self)
        with contextlib.suppress(RuntimeError):  # the loop is closed, and all with it
            self._loop.call_soon_threadsafe(self._stream.close)

    end = close  # the events that a server has left are not known

    def is_of(self, caller: Caller) -> bool:
        return caller.thread is self._thread.thread or super().is_of(caller)

    async def _run(self) -> None:
        self._begin_work()
        try:
            async with self._stream as stream:
                self._listens(None)
                while events := await stream.batch():
                    for event in events:
                        if not self._over:
                            await self._hand_over(event)
        except Exception as error:
            self._listens(error)
            if not self._over:
                self._lose(error)
        finally:
            self._listens(OrchestratorClosed("the client is closed"))
            if not self._over:  # the task was cancelled: the loop ends
                self.close()
            self._thread.end()
            self._finish()

    def _listens(self, error: Exception | None) -> None:
        if self.listening.done():
            return
        if error is None:
            self.listening.set_result(None)
        else:
            self.listening.set_exception(error)
            self.listening.exception()  # it is no fault if nobody awaits it

    async def _hand_over(self, event: Event) -> None:
        handler = self._handler()
        if handler is None:
            self.close()
            return
        self.seq = event.seq
        task = cast(asyncio.Task[None], asyncio.current_task())
        requests = task.cancelling()
        try:
            await self._call(handler, event)
        except (Exception, SystemExit) as error:
            self._report(event, error)
        except asyncio.CancelledError as error:
            if task.cancelling() > requests:
                raise  # the loop ends
            self._report(event, error)  # the handler awaited something cancelled

    async def _call(self, handler: UserCallable, event: Event) -> None:
        if handler.is_async:
            await handler.function(event)  # type: ignore[misc]
            return
        result, error = await self._thread.call(handler.function, event)
        if error is not None:
            self._report(event, error)
        elif inspect.isawaitable(result):
            await result


class AsyncHandlers:
    """The handlers of one async client. Holds no reference to the client."""

    def __init__(self, callbacks: Callbacks) -> None:
        self._callbacks = weakref.ref(callbacks)
        self._loops = LoopThread()  # never begun: there is always a loop
        self._wants_failures: dict[_TaskDelivery, bool] = {}

    def subscribe(
        self,
        stream: AsyncRemoteEvents,
        types: Sequence[str] | None,
        service: str | None,
        handler: Handler,
    ) -> AsyncSubscription:
        """Start to call a handler with events."""
        callbacks = self._callbacks()
        if callbacks is None:
            raise OrchestratorClosed("the client is closed")
        function = UserCallable(function_of(handler), self._loops)
        if function.given_loop is None:
            raise InvalidArgument("on: call it while the client's event loop runs")

        def failed(reason: str) -> None:
            self._tell(failure(reason, delivery.seq))

        delivery = _TaskDelivery(stream, function, failed=failed, ended=self._ended)
        subscription = AsyncSubscription(handler, function, delivery)
        self._wants_failures[delivery] = wants_failures(types, service)
        callbacks.subscriptions[delivery] = subscription
        delivery.begin()
        return subscription

    async def close(self, seconds: float) -> None:
        """End all, and wait for handlers that run, apart from the one that calls it."""
        caller = Caller.now()
        deliveries = list(self._wants_failures)
        for delivery in deliveries:
            delivery.close()
        tasks = {delivery.task for delivery in deliveries if not delivery.is_of(caller)}
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=seconds)
            for task in late:
                task.cancel()

    def _tell(self, event: bytes) -> None:
        for delivery, wants in list(self._wants_failures.items()):
            if wants:
                delivery._stream._add(event)

    def _ended(self, delivery: Delivery) -> None:
        callbacks = self._callbacks()
        self._wants_failures.pop(cast(_TaskDelivery, delivery), None)
        if callbacks is not None:
            callbacks.subscriptions.pop(delivery, None)
