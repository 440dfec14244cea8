"""HTTP/1.1 of `server.run()`: uvicorn's, with limits on what a client can take of us.

| what | limit | response |
|---|---|---|
| connections | 1,024; 128 of one address on the network | 503, 429 |
| head of a request | 16 KiB, 64 lines | 431 |
| time for a head | 10 s | 408 |
| time in which a client takes nothing of its response | 10 s | the connection ends |

The parser alone would collect a head for ever and keep all of it. If the target is in absolute
form, its host is handed on to the app. Bodies are the app's (`bodies.py`).

A hot read that the core can answer (`bindings/front.cpp`) is written at once, as the app would
answer it: without a task, which costs several times as much as the answer.
"""

from __future__ import annotations

import asyncio
import logging
import time
from email.utils import formatdate
from http import HTTPStatus
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from azora_orchestrator.server.connections import Connections
from azora_orchestrator.server.problems import HTTPProblem, problem

# Faults of ours are logged; what a client sends is not: anyone could fill the log with it.
log = logging.getLogger("azora.server.http")
log.setLevel(logging.ERROR)

MAX_HEADER_BYTES = 16 * 1024
MAX_HEADERS = 64
_MAX_HEAD_BYTES = MAX_HEADER_BYTES + 64 * 1024  # with the request line
HEAD_SECONDS = 10.0
TAKE_SECONDS = 10.0
# A connection without room is answered and held for a moment: if it were closed while its request
# arrives, the client would meet a reset connection and might not read the response.
_TURNED_AWAY_SECONDS, _MAX_TURNED_AWAY, _TURNED_AWAY_BYTES = 1.0, 64, 64 * 1024


class Door:
    """What the connections of one server share.

    Threads: one event loop.
    """

    def __init__(self, app: Any, connections: Connections) -> None:
        self.app = app
        self.connections = connections
        self.turned_away = 0  # that are still held
        self.hot_response = app.hot_response
        self._second = -1
        self._date: list[tuple[bytes, bytes]] = []

    def date(self) -> list[tuple[bytes, bytes]]:
        """The `Date` of a response now. No timer keeps it: an idle server does not wake."""
        now = int(time.time())
        if now != self._second:
            self._second = now
            self._date = [(b"date", formatdate(now, usegmt=True).encode())]
        return self._date

    def refuse(self, refusal: HTTPProblem) -> bytes:
        """The whole response, ready to be written; it ends the connection."""
        self.app.refusals.count(refusal)
        status, headers, body = problem(refusal, unsafe=False)
        phrase = HTTPStatus(status).phrase.encode()
        headers += [*self.date(), (b"content-length", b"%d" % len(body)), (b"connection", b"close")]
        headers.append((b"azora-seq", b"%d" % self.app.core.seq()))
        lines = [b"%s: %s" % item for item in headers]
        return b"\r\n".join([b"HTTP/1.1 %d %s" % (status, phrase), *lines, b"", body])


class Protocol(HttpToolsProtocol):
    """One connection to an AzoraApp.

    Threads: the event loop's.
    """

    def __init__(self, door: Door, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.logger = log
        self._door = door
        self._is_inside = False  # counted among the connections
        self._in_head = True  # the next head has come in part, or not yet
        self._fed = 0  # bytes of that head before the present data
        self._reading = 0
        self._refusal: HTTPProblem | None = None
        self._deadline: asyncio.TimerHandle | None = None  # of the head
        self._taking: asyncio.TimerHandle | None = None  # of the response
        self._answering: Any = None  # the request that is being answered
        self._may_be_hot = False  # of the next request
        self._is_answered = False  # the present request, without the app

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Finds room for the connection; the time of its first request begins here."""
        super().connection_made(transport)
        refusal = self._door.connections.enter(self._peer)
        if refusal is None:
            self._is_inside = True
            self._wait_for_head()
        else:
            self._turn_away(refusal)

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends all waits."""
        self._wait_no_more()
        self._take_no_more()
        if self._is_inside:
            self._door.connections.leave(self._peer)
        elif self._refusal is not None:
            self._door.turned_away -= 1
        if self._answering is not None and self._answering is not self.cycle:
            # The parent looks at the newest of several requests that came at once.
            self._answering.disconnected = True
            self._answering.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Counts the bytes of a head that is not complete."""
        if not self._is_inside:  # its body is not read
            self._fed += len(data)
            if self._fed > _TURNED_AWAY_BYTES:
                self.transport.abort()
            return
        self._reading = len(data)
        self._may_be_hot = True
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
        self._is_answered = False
        self._fed = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is complete: hands the request to the app, or refuses it."""
        self._in_head = False
        if self._is_too_large():
            self._refusal = HTTPProblem(
                431,
                "head_too_large",
                f"a request may have {MAX_HEADERS} header lines of {MAX_HEADER_BYTES} bytes in all",
            )
            raise ValueError("head too large")  # stops the parser, which calls send_400_response()
        self.server_state.default_headers = self._door.date()
        if self._may_be_hot and self._answer_hot_read():
            return
        if self.url[:1] not in (b"/", b"*"):
            self._name_host()
        super().on_headers_complete()
        if not self.pipeline:  # else it waits behind the one that is being answered
            self._answering = self.cycle

    def on_message_complete(self) -> None:
        """The request is complete."""
        if not self._is_answered:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """The response was written; what the client does not take of it is not kept for ever."""
        following = self.pipeline[-1][0] if self.pipeline else None
        super().on_response_complete()
        if following is not None:
            self._answering = following
        if (left := self.transport.get_write_buffer_size()) and self._taking is None:
            self._watch_taking(left)

    def pause_writing(self) -> None:
        """The client takes a response slowly; one without end (events, logs) may wait for it."""
        super().pause_writing()
        answering = self._answering
        if self._taking is None and answering is not None and answering.chunked_encoding is False:
            self._watch_taking(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        """It has taken most of what was there."""
        self._take_no_more()
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 (ours says what is expected)
        """Responds when the parser gave up, or we stopped it."""
        unread = HTTPProblem(400, "invalid_request", "this is not a request of HTTP/1.1")
        self._say(self._refusal or unread)

    def _unsupported_upgrade_warning(self) -> None:
        """Logs nothing: we offer no upgrade and answer the request as it is, which is normal."""

    @property
    def owes_answer(self) -> bool:
        """Whether its first request is still to come, or a request is being answered."""
        answering: Any = self.cycle  # None before the first request that is not a hot read
        if answering is None:
            return not self._is_answered
        return not answering.response_complete

    @property
    def _peer(self) -> str | None:
        return self.client[0] if self.client else None

    def _turn_away(self, refusal: HTTPProblem) -> None:
        self._refusal = refusal
        self.transport.write(self._door.refuse(refusal))
        self._door.turned_away += 1
        if self._door.turned_away > _MAX_TURNED_AWAY:
            self.transport.close()
        else:
            self.transport.write_eof()
            self._deadline = self.loop.call_later(_TURNED_AWAY_SECONDS, self.transport.close)

    def _answer_hot_read(self) -> bool:
        """Answers at once what the core can answer; False: the app is asked.

        Only one of several requests that came at once, so that no client holds up the others, and
        none while an answer is still being made or waits to be taken.
        """
        self._may_be_hot = False
        parser, before = self.parser, self.cycle
        if (
            parser.get_method() != b"GET"
            or not parser.should_keep_alive()
            or parser.get_http_version() != "1.1"
            or parser.should_upgrade()
            or (before is not None and not before.response_complete)
            or self.flow.write_paused
        ):
            return False
        date = self.server_state.default_headers[0][1]
        answer = self._door.hot_response(self.url, self.headers, self.client, date)
        if answer is None:
            return False
        self._is_answered = True
        self.transport.write(answer)
        self.on_response_complete()
        return True

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

    def _watch_taking(self, before: int) -> None:
        self._taking = self.loop.call_later(TAKE_SECONDS, self._look_at_taking, before)

    def _take_no_more(self) -> None:
        if self._taking is not None:
            self._taking.cancel()
            self._taking = None

    def _look_at_taking(self, before: int) -> None:
        """Ends the connection of a client that has taken nothing since the last look."""
        left = self.transport.get_write_buffer_size()
        self._taking = None
        if left and left >= before:
            self.transport.abort()
        elif left:
            self._watch_taking(left)

    def _refuse(self, status: int, code: str, message: str) -> None:
        self._say(HTTPProblem(status, code, message))

    def _say(self, refusal: HTTPProblem) -> None:
        """Sends the last response on this connection."""
        if self.transport.is_closing():
            return
        self.transport.write(self._door.refuse(refusal))
        self.transport.close()
