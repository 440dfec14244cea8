"""What each signal means to a server, and the line that says so.

| signal | meaning |
|---|---|
| SIGTERM, SIGINT | stop the fleet in order, then end; a second one ends at once |

and where the whole process is ours (`azora serve`):

| signal | meaning |
|---|---|
| SIGQUIT | end at once: what still runs is killed |
| SIGHUP | reload, where there is a file and the terminal is not gone; else as SIGTERM |
| SIGXCPU | as SIGTERM: the limit of processor time is reached |
| SIGUSR1, SIGUSR2 and the others that would end a process without a word | nothing |

A SIGHUP that was ignored when we were started (`nohup`) stays ignored. Afterwards every signal has
the handler that it had before. What arrives while the server is still being set up waits.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_TERMINAL = "/dev/tty"
_STOP = (signal.SIGTERM, signal.SIGINT)
_UNUSED = (
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGALRM,
    signal.SIGVTALRM,
    signal.SIGPROF,
    signal.SIGPOLL,
    signal.SIGPWR,
    signal.SIGSTKFLT,
)
_OURS = (*_STOP, signal.SIGQUIT, signal.SIGHUP, signal.SIGXCPU, *_UNUSED)


@contextmanager
def held_back() -> Iterator[None]:
    """Lets signals wait until heard(): before it, they would end the process without a word.

    For a process that is ours, on its main thread. What is still waiting at the end of the block
    is delivered then.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _OURS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Signals:
    """Turns signals into calls on the loop.

    Args:
        stop: Called with the reason when the fleet is to be stopped; again, when it is asked again.
        kill: Called with the reason when all is to end at once.
        note: Called with a line about a signal that changes nothing; None: the process is the
            program's own, and only the two signals of everybody have a meaning for us.
        reload: Called with the reason when the configuration file is to be read again; None: there
            is no file.
    """

    def __init__(
        self,
        stop: Callable[[str], None],
        kill: Callable[[str], None],
        note: Callable[[str], None] | None,
        reload: Callable[[str], None] | None,
    ) -> None:
        self._stop = stop
        self._kill = kill
        self._note = note
        self._reload = reload
        self._had_terminal = _terminal_answers()

    @contextmanager
    def heard(self, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
        """Listens on this loop."""
        meanings = self._meanings()
        before = {number: signal.getsignal(number) for number in meanings}
        for number, meaning in meanings.items():
            loop.add_signal_handler(number, *meaning)
        if self._note is not None:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, meanings)
        try:
            yield
        finally:
            for number, handler in before.items():
                loop.remove_signal_handler(number)
                if handler is not None:  # it was made by Python
                    signal.signal(number, handler)

    def _meanings(self) -> dict[int, tuple[Any, ...]]:
        meanings: dict[int, tuple[Any, ...]] = {
            number: (self._stop, number.name) for number in _STOP
        }
        if self._note is None:
            return meanings
        meanings[signal.SIGQUIT] = (self._kill, "SIGQUIT")
        meanings[signal.SIGXCPU] = (self._stop, "SIGXCPU: the limit of processor time is reached")
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
            meanings[signal.SIGHUP] = (self._hang_up,)
        for number in _UNUSED:
            text = f"{number.name} has no meaning here; it is ignored"
            meanings[number] = (self._note, text)
        return meanings

    def _hang_up(self) -> None:
        if self._had_terminal and not _terminal_answers():
            self._stop("SIGHUP: the terminal is gone")
        elif self._reload is None:
            self._stop("SIGHUP")
        else:
            self._reload("SIGHUP")


def _terminal_answers() -> bool:
    """Whether there is a controlling terminal that can still be opened."""
    try:
        os.close(os.open(_TERMINAL, os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
