"""HTTP/1.1 of `azora serve`: uvicorn's, with bounds on what a client may make us wait for or keep.

A head of more than 16 KiB or 64 lines is 431, one that does not arrive in time 408: the parser
alone would collect it for ever. The host that a target in absolute form names is handed on.
"""

from __future__ import annotations

import asyncio
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from azora_orchestrator.server.answers import Refusal, problem

MAX_HEADER_BYTES = 16 * 1024
MAX_HEADERS = 64
_MAX_HEAD_BYTES = MAX_HEADER_BYTES + 64 * 1024  # with the request line
HEAD_SECONDS = 10.0


class Protocol(HttpToolsProtocol):
    """One connection to an AzoraApp.

    Threads: the event loop's.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._in_head = True  # of a request that has come in part, or not yet
        self._fed = 0  # of that head, before what is being read now
        self._reading = 0
        self._refusal: Refusal | None = None
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The first request has its time from here on."""
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._wait_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Counts what belongs to a head that is not complete."""
        self._reading = len(data)
        super().data_received(data)
        if self._in_head:
            self._fed += len(data)
            if self._fed > _MAX_HEAD_BYTES:
                self._refuse(431, "head_too_large", "the head of the request is too large")
            elif self._deadline is None:
                self._wait_for_head()
        elif self._deadline is not None:
            self._wait_no_more()

    def on_message_begin(self) -> None:
        """Another head begins."""
        self._in_head = True
        self._fed = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is there: the app is asked."""
        self._in_head = False
        if self._is_too_large():
            self._refusal = Refusal(
                431,
                "head_too_large",
                f"a request may have {MAX_HEADERS} header lines of {MAX_HEADER_BYTES} bytes in all",
            )
            raise ValueError("head too large")  # stops the parser, which calls send_400_response()
        if self.url[:1] not in (b"/", b"*"):
            self._name_host()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """What is said when the parser gave up: our reason, when we made it."""
        if self._refusal is None:
            super().send_400_response(msg)
        else:
            self._say(self._refusal)

    def _unsupported_upgrade_warning(self) -> None:
        """No upgrade is offered: the request is answered as it stands, and that is no warning."""

    def _is_too_large(self) -> bool:
        if len(self.headers) > MAX_HEADERS:
            return True
        if self._fed + self._reading <= MAX_HEADER_BYTES:  # all of it, and perhaps more
            return False
        return sum(len(name) + len(value) + 4 for name, value in self.headers) > MAX_HEADER_BYTES

    def _name_host(self) -> None:
        """The target names a host, too (absolute form): both have to be ours."""
        host = httptools.parse_url(self.url).host or b""
        named = b"[%s]" % host if b":" in host else host
        self.scope["azora.target_host"] = named  # type: ignore[typeddict-unknown-key]

    def _wait_for_head(self) -> None:
        self._deadline = self.loop.call_later(HEAD_SECONDS, self._too_late)

    def _wait_no_more(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_late(self) -> None:
        self._deadline = None
        if self._fed == 0:  # it never asked: there is nothing to answer
            self.transport.close()
        else:
            self._refuse(408, "head_timeout", f"no whole request came within {HEAD_SECONDS:.0f} s")

    def _refuse(self, status: int, code: str, message: str) -> None:
        self._say(Refusal(status, code, message))

    def _say(self, refusal: Refusal) -> None:
        """The last answer on this connection."""
        if self.transport.is_closing():
            return
        status, headers, body = problem(refusal, unsafe=False)
        head = [b"HTTP/1.1 %d %s" % (status, _REASONS[status])]
        headers += [(b"content-length", b"%d" % len(body)), (b"connection", b"close")]
        headers.append((b"azora-seq", b"%d" % self.config.app.core.seq()))  # type: ignore[union-attr]
        head += [b"%s: %s" % item for item in headers]
        self.transport.write(b"\r\n".join([*head, b"", body]))
        self.transport.close()


_REASONS = {408: b"Request Timeout", 431: b"Request Header Fields Too Large"}
