"""`on()` and `off()` of both clients.

Threads: as the client's.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Generic, Self, TypeVar, overload

from azora_orchestrator._arguments import optional_string_of, types_of
from azora_orchestrator.errors import InvalidArgument

if TYPE_CHECKING:  # what calls handlers needs asyncio, whose import takes a third of a command's
    from azora_orchestrator._callbacks import Callbacks
    from azora_orchestrator._subscriptions import Handler, Subscription
    from azora_orchestrator.events import Event
    from azora_orchestrator.vocabulary import EventFilter

    E = TypeVar("E", bound=Event)

S = TypeVar("S", bound="Subscription")


class Emitter(ABC, Generic[S]):
    """The methods of a client that call handlers."""

    _callbacks: Callbacks | None = None  # None: there was no handler yet

    @overload
    def on(
        self, type: type[E], handler: Callable[[E], object], *, service: str | None = None
    ) -> S: ...
    @overload
    def on(
        self, type: type[E], handler: None = None, *, service: str | None = None
    ) -> Callable[[Callable[[E], object]], S]: ...
    @overload
    def on(self, type: EventFilter, handler: Handler, *, service: str | None = None) -> S: ...
    @overload
    def on(
        self, type: EventFilter, handler: None = None, *, service: str | None = None
    ) -> Callable[[Handler], S]: ...
    def on(
        self,
        type: EventFilter | type[Event],
        handler: Handler | Callable[..., object] | None = None,
        *,
        service: str | None = None,
    ) -> S | Callable[..., S]:
        """Call a handler, sync or async, for each event from now on.

        Each handler has a stream of its own, which goes on by itself when the connection breaks, so
        a slow one delays no other. Handlers run as those of the orchestrator do: in order, a sync
        one on a thread, an async one on the loop that runs now or, if none does, on a loop of the
        client. One that raises stays subscribed; its error is logged, and this client's handlers of
        `callbackFailed` get such an event, with the number of the event that it failed on. The
        server does not learn of it.

        Args:
            type: Name of an event, several names, `"*"` for all events, or a class such as
                `ServiceRestartedEvent`, whose attributes type checkers then know.
            handler: Called with the event. None: use `on()` as a decorator.
            service: Only events of this service, or of the instances of this entry.

        Returns:
            The subscription, which has `unsubscribe()`; as a decorator, what makes it of a
            function. That of an `AsyncClient` begins once the server has answered: `await` it to
            be sure that it hears what comes next.

        Raises:
            InvalidArgument: An argument is wrong.
            LimitReached: The server has as many streams as it takes.
            OrchestratorClosed: The client is closed.

        Example:
            >>> @client.on("serviceFailed")
            ... def page(event):
            ...     print(event.service_id, event.reason)
            >>> page.unsubscribe()
        """
        types = types_of(type)
        optional_string_of("service", service)

        def subscribe(function: Handler) -> S:
            if not callable(function):
                raise InvalidArgument(f"on: {function!r} is not a handler; give a callable")
            return self._subscribe(types, service, function)

        return subscribe if handler is None else subscribe(handler)

    def off(self, handler: Handler | Subscription) -> bool:
        """Remove a handler from all its events.

        Args:
            handler: The function, or what `on()` returned.

        Returns:
            False if it was not subscribed.
        """
        if self._callbacks is None:
            return False
        subscriptions = list(self._callbacks.subscriptions.values())
        found = [one for one in subscriptions if one._is_of(handler)]
        for subscription in found:
            subscription.unsubscribe()
        return bool(found)

    def get_event_emitter(self) -> Self:
        """Return the object that has `on()` and `off()`: this one."""
        return self

    @abstractmethod
    def _subscribe(
        self, types: Sequence[str] | None, service: str | None, handler: Handler
    ) -> S: ...
