"""`Client` and `AsyncClient`: the orchestrator's names for a server that runs elsewhere.

A call asks the server once and raises the orchestrator's errors. An event stream reconnects by
itself and goes on after the last event that it has read.

::

    from azora_orchestrator import Client

    with Client() as client:  # AZORA_URL, else http://127.0.0.1:5000
        client.restart("orders", wait=True)
        for event in client.events(service="orders"):
            print(event.seq, event.type)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azora_orchestrator.client.aio import AsyncClient, AsyncLease
    from azora_orchestrator.client.aio_handlers import AsyncSubscription
    from azora_orchestrator.client.aio_streams import AsyncRemoteEvents
    from azora_orchestrator.client.streams import RemoteEvents
    from azora_orchestrator.client.sync import Client

__all__ = [
    "AsyncClient",
    "AsyncLease",
    "AsyncRemoteEvents",
    "AsyncSubscription",
    "Client",
    "RemoteEvents",
]

# By module, so that a program without asyncio does not wait until it is imported.
_HOMES = {
    "AsyncClient": "aio",
    "AsyncLease": "aio",
    "AsyncRemoteEvents": "aio_streams",
    "AsyncSubscription": "aio_handlers",
    "Client": "sync",
    "RemoteEvents": "streams",
}


def __getattr__(name: str) -> Any:
    """Loads a name on first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
