"""What a server tells the service manager above it: sd_notify(3), one datagram a message.

It says READY=1 once everything is registered and started, RELOADING=1 and READY=1 around a reload,
STOPPING=1 at the end, a STATUS for people, and WATCHDOG=1 as long as event loop and core answer.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Self

_log = logging.getLogger("azora.server")

_PATIENCE_SECONDS = 1.0  # for a manager that takes no message
_NAMES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")


class Notifier:
    """Messages to the service manager; without one, nothing is sent.

    Threads: any. Fails: never; a message that cannot be sent is logged as a warning.

    Args:
        address: Path of the manager's socket, or `@` and its abstract name; empty: there is none.
        watchdog_seconds: How often the manager wants to hear WATCHDOG=1; None: not at all.
    """

    def __init__(self, address: str = "", watchdog_seconds: float | None = None) -> None:
        self._address = address
        self.watchdog_seconds = watchdog_seconds if address else None

    @classmethod
    def from_environment(cls) -> Self:
        """The manager that the environment names.

        The variables are removed: services could speak in our name otherwise.
        """
        address, usec, pid = (os.environ.pop(name, "") for name in _NAMES)
        if address and address[0] not in "/@":
            _log.warning(
                "NOTIFY_SOCKET is %r; only a path or @NAME is known, it is ignored", address
            )
            address = ""
        ours = pid in ("", str(os.getpid()))
        wanted = ours and usec.isascii() and usec.isdigit() and int(usec) > 0
        return cls(address, int(usec) / 1e6 if wanted else None)

    def ready(self, status: str) -> None:
        """Everything is started, or a reload is over."""
        self._send("READY=1", _status(status))

    def reloading(self) -> None:
        """A reload begins; ready() ends it."""
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._send("RELOADING=1", f"MONOTONIC_USEC={now}", _status("reloading"))

    def stopping(self, status: str) -> None:
        """The end begins."""
        self._send("STOPPING=1", _status(status))

    async def keep_alive(self, answers: Callable[[], Awaitable[object]]) -> None:
        """Says WATCHDOG=1 at half the interval of the manager, each time `answers()` has returned.

        A server whose event loop or core hangs says nothing, and the manager restarts it. Returns
        at once when the manager has no watchdog.
        """
        while self.watchdog_seconds is not None:
            await answers()
            self._send("WATCHDOG=1")
            await asyncio.sleep(self.watchdog_seconds / 2)

    def _send(self, *lines: str) -> None:
        if not self._address:
            return
        # An abstract name begins with a zero byte.
        address = "\0" + self._address[1:] if self._address[0] == "@" else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
                one.settimeout(_PATIENCE_SECONDS)
                one.sendto("\n".join(lines).encode(), address)
        except OSError as error:
            _log.warning(
                "the service manager at %s did not hear %s: %s", self._address, lines, error
            )


def _status(text: str) -> str:
    return "STATUS=" + " ".join(text.split())
