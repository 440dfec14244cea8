"""How many requests and connections were refused because a limit was reached, by reason.

A limit is never silent: a client that meets it gets a response with the reason, and `/metrics`
counts it.
"""

from __future__ import annotations

from azora_orchestrator.server.problems import HTTPProblem

# Code of the refusal -> what was too much.
REASONS = {
    "body_timeout": "bodies that did not arrive in time",
    "body_too_large": "bodies over the limit",
    "connection_limit": "connections beyond those that are open",
    "head_timeout": "heads that did not arrive in time",
    "head_too_large": "heads over the limit",
    "limit_reached": "event streams, leases and the like",
    "peer_connection_limit": "connections of one address on the network",
}
METRIC = "azora_http_refused_total"


class RefusalCounts:
    """The counts of one app.

    Threads: its loop; text() from any.
    """

    def __init__(self) -> None:
        self._counts = dict.fromkeys(REASONS, 0)

    def count(self, refusal: HTTPProblem) -> None:
        """Counts a refusal, if it is one for a limit."""
        if refusal.code in self._counts:
            self._counts[refusal.code] += 1

    def text(self) -> bytes:
        """The counts as `/metrics` shows them."""
        lines = [
            f"# HELP {METRIC} Requests and connections refused for a limit.",
            f"# TYPE {METRIC} counter",
            *(f'{METRIC}{{reason="{code}"}} {number}' for code, number in self._counts.items()),
        ]
        return ("\n".join(lines) + "\n").encode()
