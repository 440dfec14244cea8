"""The CLI in this process, against a server in this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from azora_orchestrator import MasterOrchestrator
from azora_orchestrator.cli import main
from rest.conftest import actors, api, serve, served

__all__ = ["actors", "api", "serve", "served"]


@dataclass(frozen=True)
class Said:
    """What a verb printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def json(self) -> Any:
        assert self.out.count("\n") == 1, self.out
        return json.loads(self.out)


Azora = Callable[..., Said]


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No server, token or port of the user's is met by accident."""
    monkeypatch.setenv("AZORA_TOKEN_FILE", str(tmp_path / "token"))
    for name in ("AZORA_URL", "AZORA_TOKEN", "ORCHESTRATOR_PORT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def azora(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Azora:
    """Run `azora` with these arguments."""

    def run(*arguments: str) -> Said:
        monkeypatch.setattr("sys.argv", ["azora", *arguments])
        capsys.readouterr()
        code: Any = 0
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        printed = capsys.readouterr()
        return Said(code, printed.out, printed.err)

    return run


@pytest.fixture
def at(api: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a server, which the verbs find by themselves."""
    url = f"http://127.0.0.1:{api.port}"
    monkeypatch.setenv("AZORA_URL", url)
    return url


@pytest.fixture
def fleet(orch: MasterOrchestrator, web: Callable[[], Any]) -> MasterOrchestrator:
    """Two services with only a URL, both healthy."""
    orch.register({"id": "db", "type": "core", "endpoint": web().endpoint})
    orch.register({"id": "shop", "type": "b2b", "endpoint": web().endpoint, "dependencies": ["db"]})
    orch.wait_ready(timeout_ms=10_000)
    return orch
