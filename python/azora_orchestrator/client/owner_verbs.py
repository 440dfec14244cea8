"""Drain and maintenance, as a server is asked for them: for `Client` and `AsyncClient`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from azora_orchestrator.answers import VerbAnswer
from azora_orchestrator.client import requests
from azora_orchestrator.vocabulary import DrainThen

if TYPE_CHECKING:
    from azora_orchestrator.client.aio_connection import AsyncConnection
    from azora_orchestrator.client.connection import Connection


class OwnerVerbs:
    """The verbs of `Client`."""

    _connection: Connection

    def drain(
        self,
        id: str,
        *,
        timeout_ms: int = 30_000,
        then: DrainThen = "keep",
        wait: bool = False,
    ) -> VerbAnswer:
        """Take a service, or all instances of an entry, out of rotation and wait for its leases.

        The drain is over when its leases are back, or after `timeout_ms`.

        Args:
            id: Of a service or an entry.
            timeout_ms: When the drain is over, whatever leases are left.
            then: What follows: `keep` (it stays out of rotation until `undrain()`), `stop`, or
                `restart`, which brings it back into rotation.
            wait: Return when the drain is over and what follows has come true, not when it begins;
                at most 600,000 ms.

        Raises:
            UnknownService: There is none of that id.
            HealingUnavailable: It has only a URL, so it can be neither stopped nor restarted.
            NotComing: It cannot become ready after its restart.
            TimedOut: What follows took more than 30 s.
        """
        asked = requests.drain(id, timeout_ms=timeout_ms, then=then, wait=wait)
        return VerbAnswer.from_dict(self._connection.json(asked))

    def undrain(self, id: str) -> VerbAnswer:
        """End a drain. `affected` of the answer has the ids of the services that had one.

        Args:
            id: Of a service or an entry.

        Raises:
            UnknownService: There is none of that id.
        """
        return VerbAnswer.from_dict(self._connection.json(requests.undrain(id)))

    def maintenance(
        self, id: str, *, reason: str, until: datetime | str | None = None
    ) -> VerbAnswer:
        """Have a service checked, but neither picked nor restarted.

        What ends stays down until the maintenance ends, and is started then.

        Args:
            id: Of a service or an entry.
            reason: Why, for those who ask; at most 1000 bytes.
            until: When it ends by itself: a time with its zone, or its ISO text. None: with
                `end_maintenance()`.

        Raises:
            UnknownService: There is none of that id.
            InvalidArgument: `until` is in the past, or `reason` is empty.
        """
        asked = requests.maintenance(id, reason=reason, until=until)
        return VerbAnswer.from_dict(self._connection.json(asked))

    def end_maintenance(self, id: str) -> VerbAnswer:
        """End a maintenance: what is wanted up and does not run is started.

        Args:
            id: Of a service or an entry.

        Raises:
            UnknownService: There is none of that id.
        """
        return VerbAnswer.from_dict(self._connection.json(requests.end_maintenance(id)))


class AsyncOwnerVerbs:
    """The verbs of `AsyncClient`."""

    _connection: AsyncConnection

    async def drain(
        self,
        id: str,
        *,
        timeout_ms: int = 30_000,
        then: DrainThen = "keep",
        wait: bool = False,
    ) -> VerbAnswer:
        """See `Client.drain`."""
        asked = requests.drain(id, timeout_ms=timeout_ms, then=then, wait=wait)
        return VerbAnswer.from_dict(await self._connection.json(asked))

    async def undrain(self, id: str) -> VerbAnswer:
        """See `Client.undrain`."""
        return VerbAnswer.from_dict(await self._connection.json(requests.undrain(id)))

    async def maintenance(
        self, id: str, *, reason: str, until: datetime | str | None = None
    ) -> VerbAnswer:
        """See `Client.maintenance`."""
        asked = requests.maintenance(id, reason=reason, until=until)
        return VerbAnswer.from_dict(await self._connection.json(asked))

    async def end_maintenance(self, id: str) -> VerbAnswer:
        """See `Client.end_maintenance`."""
        return VerbAnswer.from_dict(await self._connection.json(requests.end_maintenance(id)))
