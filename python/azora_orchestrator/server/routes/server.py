"""The server itself: whether it lives and is ready, its figures, its description."""

from __future__ import annotations

import time
from typing import Any

from fastapi import Request
from starlette.responses import PlainTextResponse, Response

from azora_orchestrator.server import openapi, schemas
from azora_orchestrator.server.openapi import PROBLEMS
from azora_orchestrator.server.problems import HTTPProblem, compact
from azora_orchestrator.server.responses import json_response
from azora_orchestrator.server.routes.common import App, new_router

_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"

router = new_router()


@router.get("/health", responses=PROBLEMS, response_model=schemas.OkNow)
async def health() -> Response:
    """Whether this server responds; always ok."""
    return json_response(b'{"status":"ok","timestamp":"%s"}' % _iso_now())


@router.get("/healthz", responses=PROBLEMS, response_model=schemas.Ok)
async def healthz() -> Response:
    """Whether this process lives."""
    return json_response(b'{"status":"ok"}')


@router.get("/readyz", responses=PROBLEMS, response_model=schemas.Ready)
async def readyz(app: App) -> Response:
    """Whether the server is ready; 503 with the reason when it is not."""
    reason = "the server is shutting down" if app.draining else app.ready_reason
    if reason is None and not app.core.totals()[0]:
        reason = "the orchestrator is stopped"
    if reason is None:
        reason = app.core.trouble() or None
    extra: dict[str, Any] = {"insecurePlaintext": True} if app.in_the_clear else {}
    if reason is not None:
        raise HTTPProblem(503, "not_ready", reason, extra=extra)
    if ended := app.core.ended():
        ids, lines = ([*column] for column in zip(*ended, strict=True))
        extra |= {"endedServices": ids, "details": lines}
    return json_response(compact({"ready": True, **extra}))


@router.get("/metrics", response_class=PlainTextResponse, responses=PROBLEMS)
async def metrics(app: App) -> Response:
    """Figures for Prometheus."""
    text = await app.in_thread(app.core.metrics_text) + app.metrics_text()
    return Response(text, headers={"content-type": _METRICS_TYPE})


@router.get("/openapi.json", responses=openapi.DOCUMENT)
async def document(app: App, request: Request) -> Response:
    """The description of the API as a document."""
    described = app.openapi()
    if root := request.scope.get("root_path", ""):  # mounted: the paths are below it
        described = described | {"servers": [{"url": root}]}
    return json_response(compact(described))


def _iso_now() -> bytes:
    """The present time as the seed writes it: ISO 8601, UTC, milliseconds, Z."""
    seconds, ms = divmod(time.time_ns() // 1_000_000, 1000)
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return b"%s.%03dZ" % (text.encode(), ms)
