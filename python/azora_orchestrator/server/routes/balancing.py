"""Picks and leases."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

from fastapi import Path, Query, Request
from starlette.responses import Response

from azora_orchestrator._core import CoreError
from azora_orchestrator.server import schemas
from azora_orchestrator.server.openapi import PROBLEMS
from azora_orchestrator.server.parameters import Flag, LeaseMode, Strategy, Text
from azora_orchestrator.server.problems import compact, from_core
from azora_orchestrator.server.responses import json_response
from azora_orchestrator.server.routes.common import App, new_router

if TYPE_CHECKING:
    from azora_orchestrator.server.app import AzoraApp

_NO_STORE = (b"cache-control", b"no-store")

router = new_router()


def _pick_or_say_why(
    app: AzoraApp,
    pool: str,
    strategy: str | None,
    key: str | None,
    peer: str | None,
    lease: bool,
    explain: bool,
    peek: bool,
) -> bytes:
    """The response's body.

    Raises:
        HTTPProblem: The pool has no instance, or the question is wrong.
    """
    try:
        body: bytes = app.core.pick_json(pool, strategy, key, peer, lease, explain, peek)
    except CoreError as error:
        refusal = from_core(error)
        if refusal.code in ("no_healthy_instance", "not_running"):
            refusal.message = f"No healthy instances available for service type: {pool}"
            if explain:
                refusal.extra["candidates"] = json.loads(app.core.candidates_json(pool, strategy))
        refusal.headers.append(_NO_STORE)
        raise refusal from None
    return body


@router.get("/loadbalancer/{pool}", responses=PROBLEMS, response_model=schemas.Pick)
async def pick(
    app: App,
    request: Request,  # for the peer, and whether it is a HEAD
    pool: Annotated[str, Path(description="A type or a group.")],
    strategy: Annotated[
        Strategy, Query(description="The strategy of this pick. Default: the pool's.")
    ] = None,
    key: Annotated[
        Text, Query(description="What ip-hash hashes. Default: the caller's address.")
    ] = None,
    lease: Annotated[
        LeaseMode,
        Query(description="auto: count this use until it is released."),
    ] = None,
    explain: Annotated[Flag, Query(description="Name every candidate, too.")] = False,
) -> Response:
    """One healthy instance of a pool."""
    head = request.scope["azora.head"]
    peer = request.client.host if request.client else None
    asked = (app, pool, strategy, key, peer, lease == "auto" and not head, explain, head)
    if explain:  # it names every candidate
        body = await app.make_list(_pick_or_say_why, *asked)
    else:
        body = _pick_or_say_why(*asked)
    return json_response(body, headers=(_NO_STORE,))


@router.post("/leases/{id}/release", responses=PROBLEMS, response_model=schemas.Released)
async def release(app: App, id: Annotated[str, Path(description="Id of the lease.")]) -> Response:
    """End a lease. No error if it has ended already."""
    return json_response(compact({"released": bool(app.core.release(id))}))
