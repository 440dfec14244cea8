"""The servers that bench_rest.py asks, each in a process of its own.

Each prints its ports as soon as it listens at them, and serves until it is ended.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

_PICKED = 11  # services of the pool that is picked from
# The health checks of a fleet: the orchestrator asks one address only so many times at once.
_TARGETS = [f"127.0.1.{number}" for number in range(1, 65)]


class _Bodies(dict[str, bytes]):
    """`/250` -> 250 bytes of JSON."""

    def __missing__(self, path: str) -> bytes:
        body = self[path] = b'"' + b"x" * (int(path[1:]) - 2) + b'"'
        return body


_bodies = _Bodies()


async def _raw(scope: Any, _receive: Any, send: Any) -> None:
    """The least that can be answered."""
    body = _bodies[scope["path"]]
    head = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": body})


async def serve_raw() -> None:
    """Serves the peer of reads."""
    await _serve(_server(_raw))


async def serve_empty_post() -> None:
    """Serves the peer of registration."""
    from fastapi import FastAPI

    app = FastAPI()

    @app.post("/services/register")
    async def register() -> dict[str, Any]:
        return {}

    await _serve(_server(app))


async def serve_azora(fleet: int, target: int) -> None:
    """Serves eleven services that are picked, and as many more as make `fleet`, all healthy."""
    from azora_orchestrator import MasterOrchestrator
    from azora_orchestrator.server import create_app

    hosts = itertools.cycle(_TARGETS)

    def service(id: str, kind: str) -> dict[str, Any]:
        endpoint = f"http://{next(hosts)}:{target}"
        return {"id": id, "type": kind, "endpoint": endpoint, "healthCheckInterval": 3_600_000}

    with MasterOrchestrator() as orch:
        orch.register_many([service(f"s{index}", "core") for index in range(_PICKED)])
        orch.register_many([service(f"more-{index}", "more") for index in range(fleet - _PICKED)])
        orch.wait_ready(timeout_ms=300_000)
        app = create_app(orch)
        await _serve(_server(app), _hardened(app))


async def serve_durable() -> None:
    """Serves a durable fleet, as `azora serve` does; its state lies in the folder BENCH_STATE."""
    from azora_orchestrator import MasterOrchestrator
    from azora_orchestrator.server import create_app

    with MasterOrchestrator(state_dir=os.environ["BENCH_STATE"]) as orch:
        await _serve(_hardened(create_app(orch)))


def _hardened(app: Any) -> Any:
    """As server/runner.py serves it."""
    from azora_orchestrator.server.connections import Connections
    from azora_orchestrator.server.http import Door, Protocol

    http = partial(Protocol, Door(app, Connections()))
    return _server(app, http=http, server_header=False, ws="none")


def _server(app: Any, **options: Any) -> Any:
    import uvicorn

    return uvicorn.Server(
        uvicorn.Config(
            app,
            port=0,
            log_config=None,
            access_log=False,
            lifespan="off",
            proxy_headers=False,
            **options,
        )
    )


async def _serve(*servers: Any) -> None:
    listeners = [server.config.bind_socket() for server in servers]
    for listener in listeners:
        listener.listen(1024)  # from here on nobody is refused
    print(*(listener.getsockname()[1] for listener in listeners), flush=True)
    serving = zip(servers, listeners, strict=True)
    await asyncio.gather(*(server.serve([listener]) for server, listener in serving))


async def serve_target() -> None:
    """Answers every health check, with as little as possible."""

    class Target(asyncio.Protocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            count = data.count(b"\r\n\r\n")
            self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" * count)

    loop = asyncio.get_running_loop()
    first, *more = _TARGETS
    server = await loop.create_server(Target, first, 0, backlog=1024)
    port = server.sockets[0].getsockname()[1]
    others = await loop.create_server(Target, more, port, backlog=1024)
    print(port, flush=True)
    await asyncio.gather(server.serve_forever(), others.serve_forever())


ROLES: dict[str, Callable[..., Coroutine[Any, Any, None]]] = {
    "peer": serve_raw,
    "post": serve_empty_post,
    "target": serve_target,
    "azora": serve_azora,
    "durable": serve_durable,
}
