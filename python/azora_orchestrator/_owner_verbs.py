"""Drain and maintenance: what the owner of a service asks for beside start, stop and restart."""

from __future__ import annotations

import time
from datetime import datetime

from azora_orchestrator._arguments import choice_of, integer_of, moment_of, string_of
from azora_orchestrator._core import Core
from azora_orchestrator._naming import naming
from azora_orchestrator._runtime import Runtime
from azora_orchestrator.answers import VerbAnswer
from azora_orchestrator.vocabulary import DRAIN_THENS, DrainThen

__all__ = ["OwnerVerbs"]

_MOST_MS = 2**31 - 1
_AFTER_MS = 30_000  # how long a stop or restart at the end of a drain may take


class OwnerVerbs:
    """The verbs of drain and maintenance. `MasterOrchestrator` has them."""

    _core: Core
    _runtime: Runtime

    def drain(
        self,
        id: str,
        *,
        timeout_ms: int = 30_000,
        then: DrainThen = "keep",
        wait: bool = False,
    ) -> VerbAnswer:
        """Take a service, or all instances of an entry, out of rotation and wait for its leases.

        It is not picked from here on. The drain is over when its leases are back, or after
        `timeout_ms`. It survives the end of this program in a state directory; a start or restart
        ends it.

        Args:
            id: Id of the service or entry.
            timeout_ms: When the drain is over, whatever leases are left, in ms.
            then: What follows: `keep` (it stays out of rotation until `undrain()`), `stop`, or
                `restart`, which brings it back into rotation.
            wait: Return when the drain is over and what follows has come true, not when it begins.

        Returns:
            What was begun; `affected` has the ids of the services that drain.

        Raises:
            UnknownService: There is no such service.
            HealingUnavailable: It has only a URL, so Azora can neither stop nor restart it.
            TimedOut: What follows took more than 30 s; it goes on.
            NotComing: It cannot become ready after its restart; the message has the reason.

        Example:
            >>> orch.drain("orders@0", timeout_ms=10_000, then="restart", wait=True)
        """
        within = integer_of("timeout_ms", timeout_ms, 0, _MOST_MS)
        next = choice_of("then", then, DRAIN_THENS)
        deadline = time.monotonic() + (within + _AFTER_MS) / 1000
        with naming(id):
            answer = VerbAnswer.of(self._core.drain(id, within, next, "python"))
            if not wait:
                return answer
            self._runtime.wait_for(id, "drained", deadline)
            if then != "keep":
                self._runtime.wait_for(id, "stopped" if then == "stop" else "ready", deadline)
        return answer

    def undrain(self, id: str) -> VerbAnswer:
        """End a drain: the service is back in rotation as far as its checks allow.

        Args:
            id: Id of the service or entry.

        Returns:
            Its `affected` has the ids of the services that had a drain.

        Raises:
            UnknownService: There is no such service.
        """
        with naming(id):
            return VerbAnswer.of(self._core.undrain(id, "python"))

    def maintenance(
        self, id: str, *, reason: str, until: datetime | str | None = None
    ) -> VerbAnswer:
        """Keep Azora's hands off a service: it is checked, but neither picked nor restarted.

        What runs goes on; what ends stays down until the maintenance ends, and is started then. Its
        owner may still stop it; a start or restart by its owner ends the maintenance. It survives
        the end of this program in a state directory.

        Args:
            id: Id of the service or entry.
            reason: Why, for those who ask; at most 1000 bytes.
            until: When it ends by itself: a time with its zone, or its ISO text. None: with
                `end_maintenance()`.

        Returns:
            What was begun; `affected` has the ids of the services that are under maintenance.

        Raises:
            UnknownService: There is no such service.
            InvalidArgument: `until` is in the past, or `reason` is empty.
        """
        words = string_of("reason", reason)
        at = moment_of("until", until)
        with naming(id):
            return VerbAnswer.of(self._core.maintain(id, words, at, "python"))

    def end_maintenance(self, id: str) -> VerbAnswer:
        """End a maintenance: what is wanted up and does not run is started.

        Args:
            id: Id of the service or entry.

        Returns:
            Its `affected` has the ids of the services that were under maintenance.

        Raises:
            UnknownService: There is no such service.
        """
        with naming(id):
            return VerbAnswer.of(self._core.end_maintenance(id, "python"))
