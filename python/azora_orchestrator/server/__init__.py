"""The REST surface: `run(orchestrator)` serves it, `create_app(orchestrator)` is it as an ASGI app.

FastAPI is imported when the app is asked for, not with this package: the command line uses the
rooms `owner` and `tokens` alone.

Example:
    azora_orchestrator.server.run(orch, port=5000)  # until Ctrl-C

    app = azora_orchestrator.server.create_app(orch)
    your_fastapi_app.mount("/fleet", app)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azora_orchestrator.server.app import AzoraApp, create_app
    from azora_orchestrator.server.runner import run

__all__ = ["AzoraApp", "create_app", "run"]

_MODULES = {
    "AzoraApp": "azora_orchestrator.server.app",
    "create_app": "azora_orchestrator.server.app",
    "run": "azora_orchestrator.server.runner",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
