"""What each signal means to `azora serve`, and the line that says so.

| signal | meaning |
|---|---|
| SIGTERM, SIGINT | stop the fleet in order, then end; a second one ends at once |
| SIGQUIT | end at once: what still runs is killed |
| SIGHUP | reload, where there is a file and the terminal is not gone; else as SIGTERM |
| SIGUSR1, SIGUSR2 | nothing |

A SIGHUP that was ignored when we were started (`nohup`) stays ignored.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable

from azora_orchestrator.cli.render import complain

_TERMINAL = "/dev/tty"


class Signals:
    """Turns signals into calls on the loop.

    Args:
        stop: Called with the reason when the fleet is to be stopped; again, when it is asked again.
        kill: Called with the reason when all is to end at once.
        file: The configuration file; None: there is none.
    """

    def __init__(
        self, stop: Callable[[str], None], kill: Callable[[str], None], file: str | None
    ) -> None:
        self._stop = stop
        self._kill = kill
        self._file = file
        self._had_terminal = _terminal_answers()

    def install(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begins to listen, on this loop."""
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop, signal.Signals(number).name)
        loop.add_signal_handler(signal.SIGQUIT, self._kill, "SIGQUIT")
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
            loop.add_signal_handler(signal.SIGHUP, self._hang_up)
        for number in (signal.SIGUSR1, signal.SIGUSR2):
            name = signal.Signals(number).name
            loop.add_signal_handler(number, complain, f"{name} has no meaning here; it is ignored")

    def _hang_up(self) -> None:
        if self._had_terminal and not _terminal_answers():
            return self._stop("SIGHUP: the terminal is gone")
        if self._file is None:
            return self._stop("SIGHUP")
        complain(
            f"SIGHUP: this version cannot reload {self._file}; nothing was changed. Stop and start "
            "the server, or register services over REST"
        )
        return None


def _terminal_answers() -> bool:
    """Whether there is a controlling terminal that can still be opened."""
    try:
        os.close(os.open(_TERMINAL, os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
