"""A real server over a real orchestrator, and a plain client."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import uvicorn

from azora_orchestrator import MasterOrchestrator
from azora_orchestrator.server import create_app


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

    def __init__(self, port: int, app: Any, loop: asyncio.AbstractEventLoop) -> None:
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


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.contextmanager
def serving(app: Any) -> Iterator[Api]:
    """Serves any app on a free port of loopback."""
    server = _Server(
        uvicorn.Config(
            app,
            port=0,
            lifespan="off",
            log_config=None,
            proxy_headers=False,
            ws="none",
            timeout_graceful_shutdown=2,
        )
    )
    socket = server.config.bind_socket()
    ready = threading.Event()
    loops: list[asyncio.AbstractEventLoop] = []
    startup = server.startup

    async def tell(*args: Any, **kwargs: Any) -> None:
        await startup(*args, **kwargs)
        loops.append(asyncio.get_running_loop())
        ready.set()

    server.startup = tell  # type: ignore[method-assign]
    thread = threading.Thread(target=server.run, args=([socket],), daemon=True)
    thread.start()
    try:
        assert ready.wait(10)
        yield Api(socket.getsockname()[1], app, loops[0])
    finally:
        server.should_exit = True
        thread.join(10)
        socket.close()


@pytest.fixture
def serve(orch: MasterOrchestrator) -> Iterator[Callable[..., Api]]:
    """Serve the orchestrator with options of create_app()."""
    with contextlib.ExitStack() as stack:
        yield lambda **options: stack.enter_context(serving(create_app(orch, **options)))


@pytest.fixture
def api(serve: Callable[..., Api]) -> Api:
    """A server that asks nobody who he is."""
    return serve(auth=None)


@pytest.fixture
def serve_app() -> Iterator[Callable[[Any], Api]]:
    """Serve an app of the test's own."""
    with contextlib.ExitStack() as stack:
        yield lambda app: stack.enter_context(serving(app))
