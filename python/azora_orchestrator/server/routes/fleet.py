"""The fleet as a whole: its state, its graph, its start and its stop."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from azora_orchestrator.server import schemas
from azora_orchestrator.server.openapi import PROBLEMS
from azora_orchestrator.server.parameters import Flag, OneType
from azora_orchestrator.server.problems import HTTPProblem, compact
from azora_orchestrator.server.responses import json_response, said
from azora_orchestrator.server.routes.common import App, new_router
from azora_orchestrator.server.waiting import until_done

router = new_router()


@router.get("/status", responses=PROBLEMS, response_model=schemas.Status)
async def status(app: App) -> Response:
    """Totals, and the health of every service in the order of registration."""
    return json_response(await app.make_list(app.core.status_json, False))


@router.get("/status/detailed", responses=PROBLEMS, response_model=schemas.DetailedStatus)
async def status_detailed(app: App) -> Response:
    """The same with configuration, lifecycle and process of each service."""
    return json_response(await app.in_thread(app.core.status_json, True))


@router.get(
    "/services",
    responses=PROBLEMS,
    response_model=schemas.HealthList | schemas.TypeList,
)
async def services(
    app: App,
    types: Annotated[
        OneType,
        Query(alias="type", default_factory=list, description="Only services of this type."),
    ],
) -> Response:
    """The health of every service; with `type` also the id, name and type of each."""
    if len(types) > 1:
        return json_response(b'{"services":[]}')
    return json_response(await app.make_list(app.core.services_json, next(iter(types), "") or None))


@router.get("/graph", responses=PROBLEMS, response_model=schemas.Graph)
async def graph(app: App) -> Response:
    """Every entry and what it depends on."""
    return json_response(await app.in_thread(app.core.graph_json))


@router.post("/orchestrator/start", responses=PROBLEMS, response_model=schemas.Said)
async def start(app: App) -> Response:
    """Bring the fleet up."""
    await app.in_thread(app.core.start)
    return said("Orchestrator started successfully")


@router.post("/orchestrator/reload", responses=PROBLEMS, response_model=schemas.Reload)
async def reload(
    app: App,
    plan: Annotated[Flag, Query(description="Only say what would change.")] = False,
    restart_changed: Annotated[
        Flag,
        Query(alias="restartChanged", description="Restart processes whose program changed."),
    ] = False,
) -> Response:
    """Read the configuration file again, and change what differs.

    A file with errors changes nothing. Services of REST and Python stay as they are.
    """
    if app.reload is None:
        text = "this server was started without a configuration file, so there is none to reload"
        raise HTTPProblem(409, "invalid_argument", text)
    found = await app.in_thread(app.reload, plan, restart_changed)
    return json_response(compact({"success": True} | found.to_dict()))


@router.post("/orchestrator/stop", responses=PROBLEMS, response_model=schemas.Said)
async def stop(app: App, request: Request) -> Response:
    """Stop the fleet in reverse order of dependency; the server goes on."""
    left = await until_done(app, request, app.core_calls.stop(app.stop_timeout_ms))
    if left:
        names = ", ".join(left)
        raise HTTPProblem(
            504, "timed_out", f"did not stop in time: {names}", extra={"notStopped": left}
        )
    return said("Orchestrator stopped successfully")
