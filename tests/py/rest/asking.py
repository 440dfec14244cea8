"""A plain client of the REST surface."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Api:
    """Asks one server, each time over a connection of its own."""

    def __init__(
        self, port: int, app: Any = None, loop: asyncio.AbstractEventLoop | None = None
    ) -> None:
        self.port = port
        self.app = app
        self.loop = loop

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | str | None = None,
        headers: dict[str, str] | None = None,
        host: str = "127.0.0.1",
    ) -> Answer:
        connection = http.client.HTTPConnection(host, self.port, timeout=20)
        with contextlib.closing(connection):
            data = body.encode() if isinstance(body, str) else body
            connection.request(method, path, data, headers or {})
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, headers=headers)

    def register(self, service: Any) -> Answer:
        body = service if isinstance(service, str | bytes) else json.dumps(service)
        return self.ask("POST", "/services/register", body, {"Content-Type": "application/json"})

    @contextlib.contextmanager
    def stream(self, path: str, **headers: str) -> Iterator[Iterator[dict[str, str]]]:
        """The frames of an event stream."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        with contextlib.closing(connection):
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            assert response.status == 200, response.read()
            yield _frames(response)

    def events(self, query: str) -> list[dict[str, Any]]:
        """What the log holds already."""
        with self.stream(f"/events?since=0&follow=0&{query}") as frames:
            return [json.loads(frame["data"]) for frame in frames]


def until(frames: Iterator[dict[str, str]], *types: str) -> list[dict[str, Any]]:
    """The events up to the first of one of these types, and it."""
    got = []
    for frame in frames:
        got.append(json.loads(frame["data"]))
        if frame["event"] in types:
            return got
    raise AssertionError(f"the stream ended without {types}: {got}")


def _frames(response: http.client.HTTPResponse) -> Iterator[dict[str, str]]:
    frame: dict[str, str] = {}
    for raw in response:
        line = raw.decode().rstrip("\n")
        if line:
            name, _, value = line.partition(": ")
            frame[name] = value
        elif frame:
            if "data" in frame:
                yield frame
            frame = {}
