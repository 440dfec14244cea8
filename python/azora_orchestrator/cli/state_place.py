"""Where a server keeps its state that was told no directory.

A server is found by its port, by every verb and by its clients, so its state is, too: the server
that is started on a port again takes up what the last one there knew. A port that the kernel
chooses is another one each time: that state could not be found again, so none is kept.
"""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["default_state"]


def default_state(port: int) -> str | None:
    """The directory for the server of `port`; None for port 0.

    By the XDG base directory specification: $XDG_STATE_HOME if it is absolute, else the home
    directory's .local/state.
    """
    if port == 0:
        return None
    given = os.environ.get("XDG_STATE_HOME", "")
    base = given if os.path.isabs(given) else os.path.join(_home(), ".local", "state")
    return os.path.join(base, "azora", str(port))


def _home() -> str:
    try:
        return str(Path.home())
    except RuntimeError:  # neither HOME nor an account
        return "/"
