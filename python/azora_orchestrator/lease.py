"""Lease: a pick that counts as load."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, cast

from azora_orchestrator.models import Pick
from azora_orchestrator.vocabulary import Strategy

__all__ = ["Lease"]


class Lease:
    """A pick that counts as load until it is released or its time is over.

    A context manager, for `with` and `async with`, which releases it at the end of the block. It
    may also be kept, handed to another thread and released there. A lease that is never released
    ends by itself after `ttl_ms`, or when its instance ends.

    Example:
        >>> with orch.lease("orders") as lease:
        ...     print(lease.endpoint)
        http://127.0.0.1:7001
    """

    __slots__ = ("_id", "_pick", "_pool", "_release", "_strategy", "_ttl_ms")

    def __init__(
        self,
        pick: Pick,
        pool: str,
        strategy: str,
        id: str,
        ttl_ms: int,
        release: Callable[[str], bool],
    ) -> None:
        self._pick = pick
        self._pool = pool
        self._strategy = strategy
        self._id = id
        self._ttl_ms = ttl_ms
        self._release = release

    @property
    def id(self) -> str:
        """Id of the lease, as `POST /leases/{id}/release` takes it."""
        return self._id

    @property
    def pick(self) -> Pick:
        """The instance, as `pick()` returns it."""
        return self._pick

    @property
    def service_id(self) -> str:
        """Id of the chosen service."""
        return self._pick.service_id

    @property
    def endpoint(self) -> str:
        """URL of the chosen service."""
        return self._pick.endpoint

    @property
    def pool(self) -> str:
        """Name of the pool it was taken from."""
        return self._pool

    @property
    def strategy(self) -> Strategy:
        """The strategy that chose the instance."""
        return cast(Strategy, self._strategy)

    @property
    def ttl_ms(self) -> int:
        """Time in ms from its begin to its end, unless it is released before."""
        return self._ttl_ms

    def release(self) -> bool:
        """End it; it no longer counts as load.

        Returns:
            False if it had ended before.
        """
        return self._release(self._id)

    def to_dict(self) -> dict[str, Any]:
        """Return it as an answer of `GET /loadbalancer/{pool}?lease=auto` spells it."""
        return {
            "serviceId": self.service_id,
            "endpoint": self.endpoint,
            "strategy": self._strategy,
            "lease": {"id": self._id, "ttlMs": self._ttl_ms},
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    def __repr__(self) -> str:
        return f"<Lease {self._id} of {self.service_id} in {self._pool}>"
