"""How we speak HTTP: what the sync and the async client have in common about httpx.

Redirects are not followed and no proxy of the environment is used: what responds at the URL
is an Azora server, or it is an error.
"""

from __future__ import annotations

import ssl
from typing import Any

import httpx

from azora_orchestrator.client.requests import Request
from azora_orchestrator.errors import AzoraError, InvalidArgument, ServerUnreachable, TimedOut

CONNECT_SECONDS = 5.0
QUIET_SECONDS = 45.0  # the server sends a sign of life into streams every 15 s
LONGEST_MS = 10**9
KEEP_SECONDS = 3.0  # an idle connection is closed by us before servers close it (after 5 s)

# What a broken connection raises when the server ended it between two requests.
BROKEN = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError, httpx.CloseError)


class Elsewhere(Exception):
    """The checked connection was lost before the token was sent over it."""


def options(url: str, token: str | None, *, connections: int | None = None) -> dict[str, Any]:
    """The arguments of an `httpx.Client` or `httpx.AsyncClient`."""
    if url.startswith("https:"):
        tls = ssl.create_default_context()  # of the system, or of SSL_CERT_FILE
    else:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # not used: no time is lost with certificates
    return {
        "verify": tls,
        "trust_env": False,
        "headers": {"Accept-Encoding": "identity"}  # streams are read as they come
        | ({"Authorization": f"Bearer {token}"} if token else {}),
        "limits": httpx.Limits(
            max_connections=connections,
            max_keepalive_connections=20,
            keepalive_expiry=KEEP_SECONDS,
        ),
    }


def patience(seconds: float) -> httpx.Timeout:
    """How long a connection and an answer may take."""
    return httpx.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS))


def seconds_of(timeout_ms: float) -> float:
    """A timeout in seconds. Raises InvalidArgument if it is not a number of milliseconds."""
    valid = isinstance(timeout_ms, int | float) and not isinstance(timeout_ms, bool)
    if not valid or not timeout_ms >= 0:
        raise InvalidArgument(f"timeout_ms is {timeout_ms!r}; it must be milliseconds, 0 or more")
    return min(timeout_ms, LONGEST_MS) / 1000


def error_of(url: str, error: httpx.HTTPError, timeout_ms: float) -> AzoraError:
    """The error for a request that got no answer."""
    if isinstance(error, httpx.ReadTimeout | httpx.WriteTimeout):
        return TimedOut(f"{url} did not answer within {round(timeout_ms)} ms")
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return ServerUnreachable(
            f"no server answers at {url} ({reason_of(error)}); start one with `azora serve`"
        )
    return ServerUnreachable(f"the connection to {url} broke: {reason_of(error)}")


def reason_of(error: BaseException) -> str:
    """The system's words for what happened, wherever in the chain of causes they are."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.ConnectTimeout):
        return f"nothing within {CONNECT_SECONDS:g} s"
    return str(error) or type(error).__name__


def arguments(request: Request, timeout_ms: float) -> dict[str, Any]:
    """The arguments of httpx's `build_request` for a request."""
    headers = dict(request.headers)
    if request.body is not None:
        headers["Content-Type"] = "application/json"
    return {
        "headers": headers,
        "content": request.body,
        "timeout": patience((timeout_ms + request.extra_ms) / 1000),
    }


def with_token(options: dict[str, Any], token: str, trace: object) -> dict[str, Any]:
    """The same arguments with a token, to be sent only over the connection that is there."""
    headers = options["headers"] | {"Authorization": f"Bearer {token}"}
    return options | {"headers": headers, "extensions": {"trace": trace}}


def addresses(response: httpx.Response) -> tuple[object, object]:
    """The addresses of the server and of us on the connection that an answer came by."""
    stream = response.extensions["network_stream"]
    return stream.get_extra_info("server_addr"), stream.get_extra_info("client_addr")


def only_the_same(event: str, _info: Any) -> None:
    """A `trace` of httpx: sends a request over the connection that is there, or not at all."""
    if event.startswith("connection.connect"):
        raise Elsewhere


async def only_the_same_async(event: str, info: Any) -> None:
    """Same as `only_the_same`, for the async client."""
    only_the_same(event, info)
