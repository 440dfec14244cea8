"""HTTP/1.1 of `azora serve`: uvicorn's, with limits on the time and memory a client can take.

Answers 431 to a head of more than 16 KiB or 64 lines, and 408 to one that does not arrive in time.
The parser alone would collect such a head for ever and keep all of it. If the target is in absolute
form, its host is handed on to the app.
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
        self._in_head = True  # the next head has come in part, or not yet
        self._fed = 0  # bytes of that head before the present data
        self._reading = 0
        self._refusal: Refusal | None = None
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The time of the first request begins here."""
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends the wait for a head."""
        self._wait_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Counts the bytes of a head that is not complete."""
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
        """The head is complete: hands the request to the app, or refuses it."""
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
        """Answers when the parser gave up: with our reason, if we stopped it."""
        if self._refusal is None:
            super().send_400_response(msg)
        else:
            self._say(self._refusal)

    def _unsupported_upgrade_warning(self) -> None:
        """Logs nothing: we offer no upgrade and answer the request as it is, which is normal."""

    def _is_too_large(self) -> bool:
        if len(self.headers) > MAX_HEADERS:
            return True
        if self._fed + self._reading <= MAX_HEADER_BYTES:  # it includes all of the head
            return False
        return sum(len(name) + len(value) + 4 for name, value in self.headers) > MAX_HEADER_BYTES

    def _name_host(self) -> None:
        """The target has a host, too (absolute form): both hosts must be ours."""
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
        if self._fed == 0:  # it sent no request: there is nothing to answer
            self.transport.close()
        else:
            self._refuse(408, "head_timeout", f"no whole request came within {HEAD_SECONDS:.0f} s")

    def _refuse(self, status: int, code: str, message: str) -> None:
        self._say(Refusal(status, code, message))

    def _say(self, refusal: Refusal) -> None:
        """Sends the last answer on this connection."""
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
