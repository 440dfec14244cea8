"""The bodies of requests: how large, how slow and of which kind they may be, whatever the method.

A body that is announced larger than the limit is refused at once, unread. After a response that
does not wait for the body the rest is taken and dropped for a moment before the connection closes:
a client that is still sending would otherwise meet a reset connection and never read the response.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from azora_orchestrator.server.deadlines import Deadlines
from azora_orchestrator.server.problems import Headers, HTTPProblem, shutting_down

MAX_BODY_BYTES = 256 * 1024
BODY_SECONDS = 10.0
# Of the rest of a body whose request was answered already.
_LINGER_BYTES = 16 * 1024 * 1024
_LINGER_SECONDS, _LINGER_SILENCE_SECONDS = 5.0, 1.0

CLOSE = (b"connection", b"close")


def announced(headers: Headers) -> int | None:
    """How many bytes of body a head announces; None: it does not say, since it sends pieces."""
    size = 0
    for name, value in headers:
        if name == b"transfer-encoding":
            return None
        if name == b"content-length":
            size = int(value) if value.isdigit() else 0  # the server above has judged its form
    return size


async def read(headers: Headers, receive: Any, deadlines: Deadlines) -> bytes:
    """The whole body of a change.

    Raises:
        HTTPProblem: 413, 408, 400; 503: the server began to shut down meanwhile.
    """
    if (announced(headers) or 0) > MAX_BODY_BYTES:
        raise _too_large()
    try:
        body: bytes = await deadlines.wait(_whole(receive), BODY_SECONDS)
    except TimeoutError:
        late = f"the body did not arrive within {BODY_SECONDS:.0f} s"
        raise (
            shutting_down() if deadlines.ended else HTTPProblem(408, "body_timeout", late)
        ) from None
    return body


def check_kind(headers: Headers) -> None:
    """Refuses a body that is not declared as plain JSON, with 415."""
    given = dict(headers)
    kind = given.get(b"content-type", b"").split(b";")[0].strip().lower()
    is_json = kind == b"application/json" or (
        kind.startswith(b"application/") and kind.endswith(b"+json")
    )
    if not is_json:
        shown = kind.decode("latin-1") or "nothing"
        raise HTTPProblem(
            415,
            "not_json",
            f'the body is declared as "{shown}"; send it with `Content-Type: application/json`',
        )
    if given.get(b"content-encoding", b"identity").strip().lower() != b"identity":
        raise HTTPProblem(415, "encoded_body", "the body is encoded; send it plain")


def replay(body: bytes, receive: Any) -> Any:
    """A `receive` that gives a body that was read already, then goes on."""
    replayed = False

    async def replaying() -> Any:
        nonlocal replayed
        if replayed:
            return await receive()
        replayed = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replaying


async def drop_small(headers: Headers, receive: Any) -> bool:
    """Takes the body of a request that is refused; whether it came, so that the client may go on.

    A client that waits for `100 Continue` is not told to send what will not be read.
    """
    size = announced(headers)
    if size == 0:
        return True
    if size is not None and size > MAX_BODY_BYTES:
        return False
    if any(name == b"expect" for name, _ in headers):
        return False
    return await _drop(receive, MAX_BODY_BYTES, _LINGER_SILENCE_SECONDS)


async def linger(receive: Any) -> None:
    """Takes and drops what still comes of a body whose request was answered."""
    await _drop(receive, _LINGER_BYTES, _LINGER_SECONDS)


async def _drop(receive: Any, most: int, seconds: float) -> bool:
    """Whether the body ended within these bounds."""
    dropped = 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while dropped <= most:
                async with asyncio.timeout(_LINGER_SILENCE_SECONDS):
                    message = await receive()
                if message["type"] == "http.disconnect":
                    return False
                dropped += len(message.get("body", b""))
                if not message.get("more_body"):
                    return dropped <= most
    return False


async def _whole(receive: Any) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise HTTPProblem(400, "invalid_request", "the body ended early")
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            raise _too_large()
        chunks.append(chunk)
        if not message.get("more_body"):
            return b"".join(chunks)


def _too_large() -> HTTPProblem:
    return HTTPProblem(413, "body_too_large", f"the body is larger than {MAX_BODY_BYTES} bytes")
