"""Sends requests to one server, for asyncio; see connection.py.

Threads: none of its own. A connection belongs to one loop.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx

from azora_orchestrator.client import address, answers, transport
from azora_orchestrator.client.requests import Request
from azora_orchestrator.errors import OrchestratorClosed, UnknownService


class AsyncConnection:
    """See `Connection`."""

    def __init__(self, url: str, token: str | None, timeout_ms: float) -> None:
        self.url = url
        self._token = token
        self._timeout_ms = timeout_ms
        self._asked_for_token = False
        self._http = httpx.AsyncClient(**transport.options(url, token))

    @property
    def closed(self) -> bool:
        """True once it was closed."""
        return self._http.is_closed

    async def close(self) -> None:
        """See `Connection.close`."""
        await self._http.aclose()

    async def json(self, request: Request, *, missing: bool = False) -> Any:
        """See `Connection.json`."""
        try:
            return answers.json_of(self.url, (await self.ask(request)).content)
        except UnknownService:
            if missing:
                return None
            raise

    async def ask(self, request: Request) -> httpx.Response:
        """See `Connection.ask`."""
        try:
            response = await self._exchange(request, stream=False)
        except httpx.HTTPError as error:
            whole_ms = self._timeout_ms + request.extra_ms
            raise transport.error_of(self.url, error, whole_ms) from None
        return answers.checked(self.url, request.about, response)

    async def open(self, request: Request, quiet_seconds: float | None = None) -> httpx.Response:
        """See `Connection.open`."""
        timeout = httpx.Timeout(quiet_seconds, connect=transport.CONNECT_SECONDS)
        try:
            response = await self._exchange(request, stream=True, timeout=timeout)
            if response.status_code >= 300:
                async with contextlib.aclosing(response):
                    await response.aread()
        except httpx.HTTPError as error:
            raise transport.error_of(self.url, error, self._timeout_ms) from None
        return answers.checked(self.url, request.about, response)

    async def chunks(self, response: httpx.Response) -> AsyncIterator[bytes]:
        """See `Connection.chunks`."""
        try:
            async for chunk in response.aiter_raw():
                yield chunk
        except httpx.HTTPError as error:
            raise transport.error_of(self.url, error, self._timeout_ms) from None

    async def _exchange(
        self, request: Request, *, stream: bool, timeout: httpx.Timeout | None = None
    ) -> httpx.Response:
        options = transport.arguments(request, self._timeout_ms)
        if timeout is not None:
            options["timeout"] = timeout
        if self.closed:
            raise OrchestratorClosed("the client is closed")
        if self._asked_for_token:
            return await self._as_owner(request, options, stream)
        try:
            response = await self._send(self._http, request, options, stream)
        except transport.BROKEN:
            if not request.repeatable:
                raise
            response = await self._send(self._http, request, options, stream)
        if response.status_code != 401 or self._token is not None:
            return response
        await response.aclose()
        answer = await self._as_owner(request, options, stream)
        self._asked_for_token = answer.status_code != 401
        return answer

    async def _send(
        self, http: httpx.AsyncClient, request: Request, options: dict[str, Any], stream: bool
    ) -> httpx.Response:
        asked = http.build_request(request.method, self.url + request.path, **options)
        return await http.send(asked, stream=stream)

    async def _as_owner(
        self, request: Request, options: dict[str, Any], stream: bool
    ) -> httpx.Response:
        http = httpx.AsyncClient(**transport.options(self.url, None, connections=1))
        try:
            response = await self._send(http, request, options, stream=True)
            if response.status_code == 401:
                token = address.own_token(*transport.addresses(response))
                await response.aread()
                if token is not None:
                    options = transport.with_token(options, token, transport.only_the_same_async)
                    with contextlib.suppress(transport.Elsewhere):
                        response = await self._send(http, request, options, stream=True)
            if not stream:
                await response.aread()
        except BaseException:
            await http.aclose()
            raise
        if not stream or response.is_closed:
            await http.aclose()
        return response
