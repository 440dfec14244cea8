"""Objects that hold file descriptors: a child made by fork() closes those of its parent.

Threads: any. The child has only one.
"""

from __future__ import annotations

import os
import weakref
from typing import Protocol

__all__ = ["Holder", "close_in_children"]


class Holder(Protocol):
    """An object that holds file descriptors."""

    def _close_in_child(self) -> None:
        """Close them in a forked child, where no thread uses them."""


_holders: weakref.WeakSet[Holder] = weakref.WeakSet()


def close_in_children(holder: Holder) -> None:
    """Have the descriptors of `holder` closed in every child made by fork()."""
    _holders.add(holder)


def _after_fork() -> None:
    for holder in list(_holders):
        holder._close_in_child()
    _holders.clear()


os.register_at_fork(after_in_child=_after_fork)
