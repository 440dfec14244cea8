"""How events reach a handler: each handler has its own stream and its own thread or task.

So no handler can disturb another one or the orchestrator. A sync handler runs on a daemon thread of
its own; an async handler runs as one task on its loop, one event at a time.
A delivery does not keep its handler alive: a handler that refers to the orchestrator must not keep
the orchestrator from being collected.
Threads: any, except where a method says something else.
"""

from __future__ import annotations

import asyncio
import contextvars
import dataclasses
import functools
import inspect
import logging
import threading
import weakref
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, cast

from azora_orchestrator._callables import LoopEnded, UserCallable, describe
from azora_orchestrator._loop_watch import LoopWatch
from azora_orchestrator.events import Event, EventStream

__all__ = ["Caller", "Delivery", "LoopDelivery", "ThreadDelivery"]

logger = logging.getLogger("azora_orchestrator")

# The delivery whose handler's coroutine runs in this context.
_at_work: contextvars.ContextVar[Delivery | None] = contextvars.ContextVar(
    "azora_at_work", default=None
)
_LOOP_CLOSED = "removed, because its event loop was closed"
_LOOP_ENDED = "removed, because its event loop ended or its task was cancelled"


@dataclasses.dataclass(frozen=True)
class Caller:
    """Who waits for handlers. Nobody waits for a handler that needs the caller to go on."""

    thread: threading.Thread
    loop: asyncio.AbstractEventLoop | None
    delivery: Delivery | None

    @classmethod
    def now(cls) -> Caller:
        """Return the present caller."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            loop = None
        return cls(threading.current_thread(), loop, _at_work.get())


class Stream(Protocol):
    """A source of events that can be ended."""

    @property
    def closed(self) -> bool: ...
    def close(self) -> None: ...


class Polled(Stream, Protocol):
    """A source of events for a thread."""

    def _end(self) -> None: ...
    def _poll(self) -> Poll: ...
    def _deliver_to(
        self, handler: Callable[..., object]
    ) -> tuple[Event, object, BaseException | None] | None: ...


class Poll(Protocol):
    """Waits until there are events, or the end."""

    def poll(self) -> object: ...


class Delivery(ABC):
    """The events of one handler. `failed` reports a failure; `ended` is called when it ends."""

    def __init__(
        self,
        stream: Stream,
        handler: UserCallable,
        *,
        failed: Callable[[str], None],
        ended: Callable[[Delivery], None],
    ) -> None:
        self._stream = stream
        self._handler = weakref.ref(handler)
        self._name = handler.name
        self._failed = failed
        self._ended = ended
        self._changed = threading.Condition()
        self._finished = False

    @property
    def active(self) -> bool:
        """False once it has ended."""
        return not self._stream.closed

    @abstractmethod
    def begin(self) -> None:
        """Begin to hand over events."""

    def close(self) -> None:
        """Hand over no further event; the handler finishes the present one."""
        self._stream.close()
        self._ended(self)

    @abstractmethod
    def end(self) -> None:
        """Hand over the events that are there, then finish."""

    def join(self, timeout: float, caller: Caller) -> bool:
        """Wait until the handler has finished. False: it has not, or it waits for the caller."""
        with self._changed:
            self._changed.wait_for(lambda: self._finished or self._needs(caller), timeout)
            return self._finished

    def is_of(self, caller: Caller) -> bool:
        """Whether the caller is this handler itself."""
        return caller.delivery is self

    def _needs(self, caller: Caller) -> bool:
        return self.is_of(caller)

    def _begin_work(self) -> None:
        """The running task calls the handler: what it calls in turn is of this delivery."""
        _at_work.set(self)

    def _finish(self) -> None:
        with self._changed:
            self._finished = True
            self._changed.notify_all()

    def _remove(self, reason: str) -> None:
        """End because the handler cannot be called any more; nothing if it has ended before."""
        if self.active:
            self.close()
            self._failed(f"{self._name}: {reason}")

    def _report(self, event: Event, error: BaseException) -> None:
        logger.error("event handler %s failed", self._name, exc_info=error)
        if event.type != "callbackFailed":  # otherwise it would fail on its own reports for ever
            self._failed(f"{self._name}: {describe(error)}")


class ThreadDelivery(Delivery):
    """Events for a plain function. What it returns may have to be awaited: its loop does that."""

    _stream: Polled

    def __init__(
        self,
        stream: Polled,
        handler: UserCallable,
        *,
        failed: Callable[[str], None],
        ended: Callable[[Delivery], None],
    ) -> None:
        super().__init__(stream, handler, failed=failed, ended=ended)
        self._thread: threading.Thread | None = None
        self._runs_on = handler.runs_on()
        self._awaiting = False  # the loop has to finish what the handler returned

    def begin(self) -> None:
        self._thread = threading.Thread(
            target=self._run, name=f"azora-on-{self._name}"[:40], daemon=True
        )
        self._thread.start()

    def end(self) -> None:
        self._stream._end()

    def is_of(self, caller: Caller) -> bool:
        return caller.thread is self._thread or super().is_of(caller)

    def _needs(self, caller: Caller) -> bool:
        if self._awaiting and caller.loop is not None and self._runs_on(caller.loop):
            return True
        return self.is_of(caller)

    def _run(self) -> None:
        stream = self._stream
        try:
            poll = stream._poll()
            while not stream.closed:
                poll.poll()
                handler = self._handler()  # only while it is called
                if handler is None:
                    self.close()
                    return
                self._hand_over(handler)
                del handler
        finally:
            self._finish()

    def _hand_over(self, handler: UserCallable) -> None:
        while (stopped := self._stream._deliver_to(handler.function)) is not None:
            event, result, error = stopped
            if error is not None:
                self._report(event, error)
            elif inspect.isawaitable(result):
                try:
                    self._await(handler, result)
                except LoopEnded:
                    self._remove(_LOOP_CLOSED)
                except BaseException as failure:  # not even sys.exit() ends our thread
                    self._report(event, failure)

    def _await(self, handler: UserCallable, result: Awaitable[Any]) -> None:
        self._set_awaiting(True)
        try:
            handler.wait_for(result, first=functools.partial(_at_work.set, self))
        finally:
            self._set_awaiting(False)

    def _set_awaiting(self, awaiting: bool) -> None:
        with self._changed:
            self._awaiting = awaiting
            self._changed.notify_all()


class LoopDelivery(Delivery):
    """Events for a coroutine function, on the loop that was running when it was given."""

    _stream: EventStream

    def __init__(
        self,
        stream: EventStream,
        handler: UserCallable,
        *,
        failed: Callable[[str], None],
        ended: Callable[[Delivery], None],
        watch: LoopWatch,
    ) -> None:
        super().__init__(stream, handler, failed=failed, ended=ended)
        self._loop = handler.loop()
        self._watch = watch if handler.given_loop is not None else None

    def begin(self) -> None:
        try:
            here = asyncio.get_running_loop() is self._loop
        except RuntimeError:
            here = False
        if here:
            self._task = self._loop.create_task(self._run())
        else:
            asyncio.run_coroutine_threadsafe(self._run(), self._loop)
        if self._watch is not None:
            self._watch.add(self)

    def end(self) -> None:
        self._stream._end()

    def close(self) -> None:
        if self._watch is not None:
            self._watch.remove(self)
        super().close()

    def is_of(self, caller: Caller) -> bool:
        # Waiting on its loop would block the loop itself.
        return caller.loop is self._loop or super().is_of(caller)

    # For the watch.

    def descriptor(self) -> int:
        return self._stream._descriptor()

    def loop_is_closed(self) -> bool:
        return self._loop.is_closed()

    def lose_loop(self) -> None:
        self._remove(_LOOP_CLOSED)
        self._finish()

    async def _run(self) -> None:
        self._begin_work()
        task = cast(asyncio.Task[None], asyncio.current_task())
        stream = self._stream
        try:
            while events := await stream._batch_async():
                handler = self._handler()  # only while it is called
                if handler is None:
                    self.close()
                    return
                for event in events:
                    if stream.closed:
                        break  # unsubscribed meanwhile
                    requests = task.cancelling()
                    try:
                        await handler.function(event)  # type: ignore[misc]
                    except (Exception, SystemExit) as error:
                        self._report(event, error)
                    except asyncio.CancelledError as error:
                        if task.cancelling() > requests:
                            raise  # the loop ends
                        self._report(event, error)  # the handler awaited something cancelled
                del handler
        finally:
            self._remove(_LOOP_ENDED)
            self._finish()
