"""The REST surface: `create_app(orchestrator)` is an ASGI app, alone or mounted into yours.

FastAPI is imported when the app is asked for, not with this package: the command line uses the
rooms `owner` and `tokens` alone.

Example:
    app = azora_orchestrator.server.create_app(orch)
    your_fastapi_app.mount("/fleet", app)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azora_orchestrator.server.app import AzoraApp, create_app

__all__ = ["AzoraApp", "create_app"]

_MODULES = {
    "AzoraApp": "azora_orchestrator.server.app",
    "create_app": "azora_orchestrator.server.app",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
