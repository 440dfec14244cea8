"""What `on()` returns: the handle of a subscribed handler.

Threads: any.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from azora_orchestrator._callables import UserCallable
from azora_orchestrator._deliveries import Caller, Delivery
from azora_orchestrator.events import Event

__all__ = ["Handler", "Subscription", "function_of"]

Handler = Callable[[Event], object] | Callable[[Event], Awaitable[object]]


class Subscription:
    """A subscribed handler. Calling it calls the handler, so a decorated function stays usable."""

    def __init__(self, given: Handler, handler: UserCallable, delivery: Delivery) -> None:
        functools.update_wrapper(self, handler.function)
        self._callable = handler
        self._delivery = delivery
        # Of stacked decorators only the outermost leaves its handle to the user.
        self._inner = given if isinstance(given, Subscription) else None

    def __call__(self, event: Event) -> object:
        """Call the handler itself."""
        return self._callable.function(event)

    @property
    def active(self) -> bool:
        """False once it is unsubscribed or its event loop has ended."""
        return self._delivery.active

    def unsubscribe(self) -> None:
        """Call the handler with no further event; a call that runs is finished.

        With stacked decorators, those below end as well.
        """
        self._delivery.close()
        if self._inner is not None:
            self._inner.unsubscribe()

    def _is_of(self, handler: object) -> bool:
        return handler is self or handler == self._callable.function

    def _join(self, timeout: float) -> bool:
        """Wait until the handler has finished; a handler never waits for itself."""
        return self._delivery.join(timeout, Caller.now())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.unsubscribe()

    def __repr__(self) -> str:
        state = "active" if self.active else "ended"
        return f"<Subscription of {self._callable.name}, {state}>"


def function_of(handler: Handler) -> Handler:
    """Return the function itself, also of a handler that is a subscription already."""
    while isinstance(handler, Subscription):
        handler = handler._callable.function
    return handler
