"""The routes: typed parameters, one call of the core, its bytes as they are. No logic lives here.

Each file has the routes of one subject. The hot reads among them are answered in front of them by
the core (`_core.Core.front`) for most callers; they are whole here all the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from azora_orchestrator.server.routes import (
    balancing,
    docs_page,
    events,
    fleet,
    history,
    owner,
    server,
    services,
    verbs,
    waits,
)

if TYPE_CHECKING:
    from azora_orchestrator.server.app import AzoraApp

_SUBJECTS = (fleet, services, verbs, owner, waits, balancing, events, history, server, docs_page)


def add_routes(app: AzoraApp) -> None:
    """Adds every route to the app."""
    for subject in _SUBJECTS:
        app.router.routes.extend(subject.router.routes)  # as they are: the app has no prefix
