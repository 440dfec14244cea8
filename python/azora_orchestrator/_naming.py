"""Names the service that is not there in errors: the text of the core, as of the wire, does not."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from azora_orchestrator._arguments import string_of
from azora_orchestrator.errors import UnknownService

__all__ = ["naming", "unknown"]


def unknown(id: str) -> UnknownService:
    """The error for a name that no service and no entry has."""
    return UnknownService(f"{id}: there is no such service")


@contextlib.contextmanager
def naming(id: str) -> Iterator[None]:
    """Checks an id, and names it in the UnknownService of the calls inside."""
    string_of("id", id)
    try:
        yield
    except UnknownService:
        raise unknown(id) from None
