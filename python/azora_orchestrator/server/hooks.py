"""What a server tells the program around it, and when."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from azora_orchestrator.reload import ReloadPlan

_log = logging.getLogger("azora.server")


class Hooks:
    """The moments in the life of a server; these tell them to the log `azora.server`.

    `azora serve` has hooks of its own, which print.
    """

    file: str | None = None  # the configuration file, which SIGHUP reloads
    watch = False  # whether it is reloaded when it changes
    note: Callable[[str], None] | None = None  # takes lines about signals; see Signals

    def prepare(self) -> None:
        """Before anything is started, in a thread: the place for registrations."""

    def reload(self, plan: bool, restart_changed: bool) -> ReloadPlan:
        """Read `file` again, in a thread; only where there is one."""
        raise NotImplementedError

    def reloaded(self, reason: str, outcome: ReloadPlan | Exception) -> None:
        """It was reloaded, or refused, because of a signal or a change of the file."""
        _log.info("%s: %s", reason, outcome)

    def ready(self, url: str) -> None:
        """The services are being started and the port responds."""
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
