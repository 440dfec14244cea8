"""Sends requests to one server and returns its answers, or raises the errors that they say.

Threads: any.
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Iterator
from typing import Any

import httpx

from azora_orchestrator.client import address, answers, transport
from azora_orchestrator.client.requests import Request
from azora_orchestrator.errors import OrchestratorClosed, UnknownService


class Connection:
    """The way to one server.

    Args:
        url: Of the server.
        token: Sent with every request; None: this user's, where the server asks and is this user's.
        timeout_ms: How long an answer may take.
    """

    def __init__(self, url: str, token: str | None, timeout_ms: float) -> None:
        self.url = url
        self._token = token
        self._timeout_ms = timeout_ms
        self._asked_for_token = False
        self._http = httpx.Client(**transport.options(url, token))

    @property
    def closed(self) -> bool:
        """True once it was closed."""
        return self._http.is_closed

    def close(self) -> None:
        """Closes what is idle, for good."""
        self._http.close()

    def json(self, request: Request, *, missing: bool = False) -> Any:
        """The JSON of an answer; with `missing`, None for a service that is not there."""
        try:
            return answers.json_of(self.url, self.ask(request).content)
        except UnknownService:
            if missing:
                return None
            raise

    def ask(self, request: Request) -> httpx.Response:
        """An answer, read to its end. Raises the error that it says."""
        try:
            response = self._exchange(request, stream=False)
        except httpx.HTTPError as error:
            whole_ms = self._timeout_ms + request.extra_ms
            raise transport.error_of(self.url, error, whole_ms) from None
        return answers.checked(self.url, request.about, response)

    def open(self, request: Request, quiet_seconds: float | None = None) -> httpx.Response:
        """An answer that goes on; the caller closes it."""
        timeout = httpx.Timeout(quiet_seconds, connect=transport.CONNECT_SECONDS)
        try:
            response = self._exchange(request, stream=True, timeout=timeout)
            if response.status_code >= 300:
                with contextlib.closing(response):
                    response.read()
        except httpx.HTTPError as error:
            raise transport.error_of(self.url, error, self._timeout_ms) from None
        return answers.checked(self.url, request.about, response)

    def chunks(self, response: httpx.Response) -> Iterator[bytes]:
        """The bytes of an answer that goes on, as they come."""
        try:
            yield from response.iter_raw()
        except httpx.HTTPError as error:
            raise transport.error_of(self.url, error, self._timeout_ms) from None

    def _exchange(
        self, request: Request, *, stream: bool, timeout: httpx.Timeout | None = None
    ) -> httpx.Response:
        options = transport.arguments(request, self._timeout_ms)
        if timeout is not None:
            options["timeout"] = timeout
        if self.closed:
            raise OrchestratorClosed("the client is closed")
        if self._asked_for_token:
            return self._as_owner(request, options, stream)
        try:
            response = self._send(self._http, request, options, stream)
        except transport.BROKEN:
            if not request.repeatable:
                raise
            response = self._send(self._http, request, options, stream)
        if response.status_code != 401 or self._token is not None:
            return response
        response.close()
        answer = self._as_owner(request, options, stream)
        self._asked_for_token = answer.status_code != 401
        return answer

    def _send(
        self, http: httpx.Client, request: Request, options: dict[str, Any], stream: bool
    ) -> httpx.Response:
        asked = http.build_request(request.method, self.url + request.path, **options)
        return http.send(asked, stream=stream)

    def _as_owner(self, request: Request, options: dict[str, Any], stream: bool) -> httpx.Response:
        """Send it with this user's token, over one connection to a server of this user.

        The first time without the token: then the server has accepted the connection, and the
        kernel says whose it is.
        """
        http = httpx.Client(**transport.options(self.url, None, connections=1))
        try:
            response = self._send(http, request, options, stream=True)
            if response.status_code == 401:
                token = address.own_token(*transport.addresses(response))
                response.read()
                if token is not None:
                    options = transport.with_token(options, token, transport.only_the_same)
                    with contextlib.suppress(transport.Elsewhere):
                        response = self._send(http, request, options, stream=True)
            if not stream:
                response.read()
        except BaseException:
            http.close()
            raise
        if not stream or response.is_closed:
            http.close()
        else:
            weakref.finalize(response, http.close).atexit = False
        return response
