"""The way of the verbs to a server: the package's `Client`, and its errors as exit codes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azora_orchestrator.client import Client
    from azora_orchestrator.errors import AzoraError

# Exit codes of every verb.
OK, UNHEALTHY, USAGE, UNREACHABLE = 0, 1, 2, 3

_REFUSED = (400, 401, 403, 404, 413, 415, 421)  # statuses that say that the request was wrong


class Failure(Exception):
    """A verb that ends with a message and an exit code."""

    def __init__(self, exit_code: int, message: str, body: Any = None) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.body = body


def connect(url: str | None, *, timeout_ms: float = 30_000) -> Client:
    """A client of the server at `url`, or of the one that the environment names."""
    _import_httpx()
    from azora_orchestrator.client import Client

    return Client(url, timeout_ms=timeout_ms)


def _import_httpx() -> None:
    """Imports httpx without its own command line, which takes as long as all the rest of it."""
    main = "httpx._main"
    if "httpx" in sys.modules or main in sys.modules:
        return
    sys.modules[main] = None  # type: ignore[assignment]  # httpx does without what is not there
    try:
        import httpx  # noqa: F401
    finally:
        del sys.modules[main]


def failure_of(error: AzoraError) -> Failure:
    """The end of a verb for an error of the client."""
    from azora_orchestrator import errors

    message, problem = str(error), error.problem
    if isinstance(error, errors.UnknownService) and problem is not None:
        message += "; `azora services` lists them"
    if problem is not None:
        code = USAGE if problem.get("status") in _REFUSED else UNHEALTHY
    elif isinstance(error, errors.ServerUnreachable | errors.TimedOut):
        code = UNREACHABLE  # no response, or not in time
    else:
        code = USAGE if isinstance(error, errors.InvalidArgument) else UNHEALTHY
    return Failure(code, message, problem)
