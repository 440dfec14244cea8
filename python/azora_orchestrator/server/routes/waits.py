"""A read that waits: until services are ready, or have no process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import Query, Request
from starlette.responses import Response

from azora_orchestrator._members import members_of, wanted_up
from azora_orchestrator.server import schemas
from azora_orchestrator.server.openapi import PROBLEMS
from azora_orchestrator.server.parameters import Goal, HorizonMs, Names, WaitMs
from azora_orchestrator.server.problems import compact
from azora_orchestrator.server.responses import json_response
from azora_orchestrator.server.routes.common import App, new_router
from azora_orchestrator.server.waiting import all_of, until_done

if TYPE_CHECKING:
    from azora_orchestrator.server.app import AzoraApp

router = new_router()


@router.get("/wait", responses=PROBLEMS, response_model=schemas.Waited)
async def wait(
    app: App,
    request: Request,
    names: Annotated[
        Names,
        Query(
            alias="service",
            default_factory=list,
            description="An id, an entry (all its instances) or a group (all its members); may be "
            "repeated. Default: all that are wanted up, or all that may have a process.",
        ),
    ],
    goal: Annotated[Goal, Query(alias="for", description="What to wait for.")] = "ready",
    timeout_ms: Annotated[
        WaitMs, Query(alias="timeoutMs", description="How long to wait, in ms; then 504.")
    ] = 60_000,
    horizon_ms: Annotated[
        HorizonMs,
        Query(
            alias="horizonMs",
            description="How long the caller will wait in all, with further requests, in ms; "
            "`timeoutMs` if that is longer.",
        ),
    ] = 0,
) -> Response:
    """Wait until services are ready, or have no process.

    It is answered with 409 `not_coming` as soon as it is known that one of them will not be ready
    before `horizonMs` is over, unless somebody acts.
    """
    ids = await app.in_thread(_ids, app, names, goal)
    waits = all_of(app.core_calls, ids, names, goal, timeout_ms, horizon_ms)
    await until_done(app, request, waits)
    return json_response(compact({"success": True, "services": ids}))


def _ids(app: AzoraApp, names: list[str], goal: str) -> list[str]:
    if names:
        return list(dict.fromkeys(members_of(app.core, names)))
    if goal == "ready":
        return wanted_up(app.core)
    return [view.id for view in app.core.list() if view.lifecycle != "WATCHING"]
