"""What a server tells the program around it, and when."""

from __future__ import annotations

import logging
from collections.abc import Callable

_log = logging.getLogger("azora.server")


class Hooks:
    """The moments in the life of a server; these tell them to the log `azora.server`.

    `azora serve` has hooks of its own, which print.
    """

    file: str | None = None  # the configuration file, for what SIGHUP says
    note: Callable[[str], None] | None = None  # takes lines about signals; see Signals

    def prepare(self) -> None:
        """Before anything is started, in a thread: the place for registrations."""

    def ready(self, url: str) -> None:
        """The services are being started and the port answers."""
        _log.info("serves at %s", url)

    def stopping(self, reason: str) -> None:
        """The fleet begins to stop; once."""
        _log.info("%s: stopping the fleet", reason)

    def killing(self, reason: str) -> None:
        """It was asked to end again: what still runs is killed."""
        _log.warning("%s: killing what has not stopped", reason)

    def killed(self) -> None:
        """That was done, or took too long; in a thread."""

    def ended(self) -> None:
        """The fleet stops now; nothing is told from here on but what did not stop."""
