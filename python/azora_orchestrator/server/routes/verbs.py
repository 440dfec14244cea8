"""Start, stop and restart of services, answered at once or when it is so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Query, Request
from starlette.responses import Response

from azora_orchestrator.server import openapi, schemas
from azora_orchestrator.server.parameters import Flag, Ready, ServiceId, Stopped, WaitMs
from azora_orchestrator.server.problems import compact
from azora_orchestrator.server.responses import json_response
from azora_orchestrator.server.routes.common import App, new_router
from azora_orchestrator.server.waiting import until_done

if TYPE_CHECKING:
    from azora_orchestrator.server.app import AzoraApp

_Dependents = Annotated[
    Flag, Query(description="Also the services that depend on it, in reverse order.")
]
_TimeoutMs = Annotated[WaitMs, Query(alias="timeoutMs", description="How long to wait, in ms.")]

_UntilReady = Annotated[
    Ready, Query(description="Answer when it is ready, with 200, or 504 or 409.")
]
_UntilStopped = Annotated[
    Stopped, Query(description="Answer when it is stopped, with 200, or 504.")
]

router = new_router()
_ANSWERS = openapi.accepted_or_done(schemas.VerbAnswer)


async def _obey(
    app: AzoraApp,
    request: Request,
    id: str,
    verb: str,
    *,
    wait: str | None,
    timeout_ms: int,
    dependents: bool,
    dependencies: bool = False,
) -> Response:
    """Asks the core, and waits where the caller wants it."""
    name, incarnation, seq, affected = await app.in_thread(
        app.core.command, verb, id, dependents, dependencies, "rest"
    )
    if wait is not None:
        await until_done(app, request, app.core_calls.wait_for(id, wait, timeout_ms))
        found = app.core.find(id)
        incarnation = found.incarnation if found is not None else incarnation
    body: dict[str, Any] = {
        "success": True,
        "serviceId": name,
        "incarnation": incarnation,
        "seq": seq,
        "affected": list(affected),
    }
    return json_response(compact(body), 202 if wait is None else 200)


@router.post("/services/{id}/start", status_code=202, responses=_ANSWERS)
async def start_service(
    app: App,
    request: Request,
    id: ServiceId,
    wait: _UntilReady = None,
    timeout_ms: _TimeoutMs = 60_000,
    dependents: _Dependents = False,
    dependencies: Annotated[Flag, Query(description="Also what it needs.")] = False,
) -> Response:
    """Start a service."""
    return await _obey(
        app,
        request,
        id,
        "start",
        wait=wait,
        timeout_ms=timeout_ms,
        dependents=dependents,
        dependencies=dependencies,
    )


@router.post("/services/{id}/stop", status_code=202, responses=_ANSWERS)
async def stop_service(
    app: App,
    request: Request,
    id: ServiceId,
    wait: _UntilStopped = None,
    timeout_ms: _TimeoutMs = 60_000,
    dependents: _Dependents = False,
) -> Response:
    """Stop a service and keep it down."""
    return await _obey(
        app, request, id, "stop", wait=wait, timeout_ms=timeout_ms, dependents=dependents
    )


@router.post("/services/{id}/restart", status_code=202, responses=_ANSWERS)
async def restart_service(
    app: App,
    request: Request,
    id: ServiceId,
    wait: _UntilReady = None,
    timeout_ms: _TimeoutMs = 60_000,
    dependents: _Dependents = False,
) -> Response:
    """Restart a service."""
    return await _obey(
        app, request, id, "restart", wait=wait, timeout_ms=timeout_ms, dependents=dependents
    )
