"""A real server over a real orchestrator, and a plain client."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from azora_orchestrator import MasterOrchestrator
from azora_orchestrator.server import create_app
from rest.asking import Api
from rest.served import Actors, Serve, Served


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.contextmanager
def serving(app: Any, **options: Any) -> Iterator[Api]:
    """Serves any app on a free port of loopback; `options` are uvicorn's."""
    server = _Server(
        uvicorn.Config(
            app,
            port=0,
            lifespan="off",
            log_config=None,
            proxy_headers=False,
            ws="none",
            timeout_graceful_shutdown=2,
            **options,
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


@pytest.fixture
def actors(tmp_path: Path) -> Actors:
    """Services that misbehave when told to."""
    folder = tmp_path / "actors"
    folder.mkdir()
    return Actors(folder)


@pytest.fixture
def served() -> Iterator[Serve]:
    """Run `azora serve` or `azora demo` on a free port."""
    with contextlib.ExitStack() as stack:

        def run(*arguments: str, **options: Any) -> Served:
            server = Served(*arguments, **options)
            stack.callback(server.close)
            return server

        yield run
