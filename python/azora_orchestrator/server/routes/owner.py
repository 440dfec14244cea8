"""Drain and maintenance of services: what their owners ask for beside start, stop and restart."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Request
from starlette.responses import Response

from azora_orchestrator._arguments import moment_of
from azora_orchestrator.answers import VerbAnswer
from azora_orchestrator.errors import InvalidArgument
from azora_orchestrator.server import openapi, schemas
from azora_orchestrator.server.openapi import PROBLEMS
from azora_orchestrator.server.parameters import Drained, ServiceId, WaitMs
from azora_orchestrator.server.problems import HTTPProblem, compact
from azora_orchestrator.server.responses import json_response
from azora_orchestrator.server.routes.common import App, new_router
from azora_orchestrator.server.small_bodies import fields_of
from azora_orchestrator.server.waiting import until_done

_TIMEOUT_MS = 30_000  # of a drain, where its body says nothing

router = new_router()


@router.post(
    "/services/{id}/drain",
    status_code=202,
    responses=openapi.accepted_or_done(schemas.VerbAnswer),
    openapi_extra=openapi.body_of(schemas.DrainRequest, required=False),
)
async def drain(
    app: App,
    request: Request,
    id: ServiceId,
    wait: Annotated[
        Drained,
        Query(
            description="Answer when the drain is over and what follows has come true, with 200, "
            "or 504 or 409."
        ),
    ] = None,
    timeout_ms: Annotated[
        WaitMs, Query(alias="timeoutMs", description="How long to wait, in ms.")
    ] = 60_000,
) -> Response:
    """Take a service out of rotation until its leases are back or its time is over.

    Then it stays out of rotation (`keep`), is stopped, or is restarted and back in rotation.
    """
    given = fields_of(await request.body(), {"timeoutMs": int, "then": str})
    then = given.get("then", "keep")
    found = await app.in_thread(
        app.core.drain, id, _number(given.get("timeoutMs", _TIMEOUT_MS)), then, "rest"
    )
    if wait is not None:
        await until_done(app, request, _drained(app, id, then, timeout_ms))
    return _answer(found, 202 if wait is None else 200)


@router.delete("/services/{id}/drain", responses=PROBLEMS, response_model=schemas.VerbAnswer)
async def undrain(app: App, id: ServiceId) -> Response:
    """End a drain. No error if there is none: then `affected` is empty."""
    return _answer(await app.in_thread(app.core.undrain, id, "rest"))


@router.post(
    "/services/{id}/maintenance",
    responses=PROBLEMS,
    response_model=schemas.VerbAnswer,
    openapi_extra=openapi.body_of(schemas.MaintenanceRequest),
)
async def maintenance(app: App, request: Request, id: ServiceId) -> Response:
    """Check a service, but neither pick nor restart it, until that ends."""
    given = fields_of(await request.body(), {"reason": str, "until": str})
    if "reason" not in given:
        raise HTTPProblem(400, "invalid_argument", "reason: is missing; say why")
    try:
        until = moment_of("until", given.get("until"))
    except InvalidArgument as error:
        raise HTTPProblem(400, "invalid_argument", str(error)) from None
    return _answer(await app.in_thread(app.core.maintain, id, given["reason"], until, "rest"))


@router.delete("/services/{id}/maintenance", responses=PROBLEMS, response_model=schemas.VerbAnswer)
async def end_maintenance(app: App, id: ServiceId) -> Response:
    """End a maintenance. No error if there is none: then `affected` is empty."""
    return _answer(await app.in_thread(app.core.end_maintenance, id, "rest"))


async def _drained(app: Any, id: str, then: str, timeout_ms: int) -> None:
    """Waits for the end of a drain, then for what follows it, within the same time."""
    loop_time = app.core_calls.time
    begin = loop_time()
    await app.core_calls.wait_for(id, "drained", timeout_ms)
    if then != "keep":
        left_ms = max(0, timeout_ms - int((loop_time() - begin) * 1000))
        await app.core_calls.wait_for(id, "stopped" if then == "stop" else "ready", left_ms)


def _number(value: int) -> int:
    if not 0 <= value < 2**31:
        raise HTTPProblem(
            400, "invalid_argument", f"timeoutMs: is {value}; it must be 0 to 2147483647"
        )
    return value


def _answer(found: tuple[str, int, int, list[str]], status: int = 200) -> Response:
    return json_response(compact({"success": True} | VerbAnswer.of(found).to_dict()), status)
