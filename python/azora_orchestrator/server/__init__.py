"""The REST surface: `create_app(orchestrator)` is an ASGI app, alone or mounted into yours.

Example:
    app = azora_orchestrator.server.create_app(orch)
    your_fastapi_app.mount("/fleet", app)
"""

from azora_orchestrator.server.app import AzoraApp, create_app

__all__ = ["AzoraApp", "create_app"]
