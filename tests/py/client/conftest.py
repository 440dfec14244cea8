"""Clients of a server in this process, some through a relay whose connections can be cut."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from azora_orchestrator import Client, MasterOrchestrator
from client.relay import Relay
from rest.conftest import actors, api, serve, served

__all__ = ["actors", "api", "serve", "served"]


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No server, token or port of the user's is met by accident."""
    monkeypatch.setenv("AZORA_TOKEN_FILE", str(tmp_path / "token"))
    for name in ("AZORA_URL", "AZORA_TOKEN", "ORCHESTRATOR_PORT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def client(api: Any) -> Iterator[Client]:
    """A client of a server in this process."""
    with Client(f"http://127.0.0.1:{api.port}") as made:
        yield made


@pytest.fixture
def relay(api: Any) -> Iterator[Relay]:
    """A way to that server which can be cut."""
    with contextlib.closing(Relay(api.port)) as made:
        yield made


@pytest.fixture
def fleet(orch: MasterOrchestrator, web: Callable[[], Any]) -> MasterOrchestrator:
    """Two services with only a URL, both healthy."""
    orch.register({"id": "db", "type": "core", "endpoint": web().endpoint})
    orch.register({"id": "shop", "type": "b2b", "endpoint": web().endpoint, "dependencies": ["db"]})
    orch.wait_ready(timeout_ms=10_000)
    return orch
