"""How many connections a server holds: in all, and of one address on the network.

Of loopback there is no limit for one address: there every user of this machine has the same one.
Of IPv6 the network of 64 bits counts, which one machine has for itself.
"""

from __future__ import annotations

import ipaddress
from collections import Counter

from azora_orchestrator._addresses import is_loopback
from azora_orchestrator.server.problems import HTTPProblem

MAX_CONNECTIONS = 1024
MAX_CONNECTIONS_PER_PEER = 128
_RETRY = [(b"retry-after", b"1")]


class Connections:
    """The connections of one server.

    Args:
        most: In all.
        most_per_peer: Of one address that is not a loopback address.

    Threads: one event loop.
    """

    def __init__(
        self, most: int = MAX_CONNECTIONS, most_per_peer: int = MAX_CONNECTIONS_PER_PEER
    ) -> None:
        self._most = most
        self._most_per_peer = most_per_peer
        self._open = 0
        self._of_peer: Counter[str] = Counter()

    def enter(self, peer: str | None) -> HTTPProblem | None:
        """Takes a connection in; what to tell it when there is no room.

        Args:
            peer: Its address; None: it has none.
        """
        if self._open >= self._most:
            return HTTPProblem(
                503,
                "connection_limit",
                f"{self._most} connections are open already; try again later",
                headers=_RETRY,
            )
        network = _network_of(peer)
        if network is not None:
            if self._of_peer[network] >= self._most_per_peer:
                return HTTPProblem(
                    429,
                    "peer_connection_limit",
                    f"{self._most_per_peer} connections of {peer} are open already; close some",
                    headers=_RETRY,
                )
            self._of_peer[network] += 1
        self._open += 1
        return None

    def leave(self, peer: str | None) -> None:
        """A connection that was taken in has ended."""
        self._open -= 1
        network = _network_of(peer)
        if network is not None:
            self._of_peer[network] -= 1
            if not self._of_peer[network]:
                del self._of_peer[network]


def _network_of(peer: str | None) -> str | None:
    """What is counted as one peer; None: it is on this machine."""
    if peer is None or is_loopback(peer):
        return None
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return peer
    if address.version == 4 or address.ipv4_mapped is not None:
        return peer
    return str(ipaddress.ip_network((address, 64), strict=False))
