"""The routes behind the raw layer: parse, ask the core once, answer. No logic lives here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from azora_orchestrator.server import docs
from azora_orchestrator.server.answers import JSON_TYPE, Refusal, compact
from azora_orchestrator.server.fast import flag, one, pick, query_of, services_json
from azora_orchestrator.server.logs import LogAnswer
from azora_orchestrator.server.pieces import PIECE, InPieces
from azora_orchestrator.server.registering import PATH as REGISTER
from azora_orchestrator.server.sse import EventStream

_DEFAULT_WAIT_MS = 60_000
_MAX_WAIT_MS = 600_000
_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"

Handler = Callable[[Request], Awaitable[Response]]


def _json(body: bytes, status: int = 200) -> Response:
    response = (InPieces if len(body) > PIECE else Response)(body, status)
    response.raw_headers = [
        (b"content-type", JSON_TYPE),
        (b"content-length", b"%d" % len(body)),
    ]
    return response


def _said(message: str) -> Response:
    return _json(compact({"success": True, "message": message}))


async def _hot(request: Request) -> Response:
    """Never reached: the layer in front answers. Here so that the document names the route."""
    raise Refusal(404, "not_found", f"there is no {request.url.path} here; see /docs")


async def _status(request: Request) -> Response:
    """Reached only by a large fleet; the layer in front answers for the others."""
    return _json(await request.app.in_thread(request.app.core.status_json, False))


async def _services(request: Request) -> Response:
    """Reached only by a large fleet; the layer in front answers for the others."""
    app = request.app
    return _json(await app.in_thread(services_json, app.core, request.scope))


async def _explained_pick(request: Request) -> Response:
    """Reached only for a large fleet; the layer in front answers all other picks."""
    scope, pool = request.scope, request.path_params["pool"]
    app, head = request.app, scope["azora.head"]
    status, headers, body = await app.in_thread(pick, app.core, pool, scope, head)
    response = Response(body, status)
    response.raw_headers = [*headers, (b"content-length", b"%d" % len(body))]
    return response


async def _status_detailed(request: Request) -> Response:
    return _json(await request.app.in_thread(request.app.core.status_json, True))


async def _unregister(request: Request) -> Response:
    app, service_id = request.app, request.path_params["id"]
    await app.in_thread(app.core.unregister, service_id, "rest")
    return _said(f"Service {service_id} unregistered successfully")


async def _start_all(request: Request) -> Response:
    await request.app.in_thread(request.app.core.start)
    return _said("Orchestrator started successfully")


async def _stop_all(request: Request) -> Response:
    left = await request.app.waiting(request.app.core.stop, request.app.stop_timeout_ms)
    if left:
        names = ", ".join(left)
        raise Refusal(
            504, "timed_out", f"did not stop in time: {names}", extra={"notStopped": list(left)}
        )
    return _said("Orchestrator stopped successfully")


def _verb(verb: str) -> Handler:
    async def handler(request: Request) -> Response:
        app, query = request.app, query_of(request.scope)
        service_id = request.path_params["id"]
        wait = one(query, "wait")
        goal = "stopped" if verb == "stop" else "ready"
        if wait not in (None, goal):
            raise Refusal(400, "invalid_argument", f'wait: is "{wait}"; it must be {goal}')
        timeout = one(query, "timeoutMs") or str(_DEFAULT_WAIT_MS)
        if not (timeout.isascii() and timeout.isdigit() and int(timeout[:9]) <= _MAX_WAIT_MS):
            raise Refusal(
                400,
                "invalid_argument",
                f'timeoutMs: is "{timeout}"; it must be 0 to {_MAX_WAIT_MS}',
            )
        name, incarnation, seq, affected = await app.in_thread(
            app.core.command,
            verb,
            service_id,
            flag(query, "dependents"),
            flag(query, "dependencies"),
            "rest",
        )
        if wait is not None:
            await app.waiting(app.core.wait_for, service_id, wait, int(timeout))
            service = app.core.find(service_id)
            incarnation = service.incarnation if service is not None else incarnation
        body = {
            "success": True,
            "serviceId": name,
            "incarnation": incarnation,
            "seq": seq,
            "affected": list(affected),
        }
        return _json(compact(body), 202 if wait is None else 200)

    return handler


async def _release(request: Request) -> Response:
    released = request.app.core.release(request.path_params["id"])
    return _json(compact({"released": bool(released)}))


async def _dependencies(request: Request) -> Response:
    app = request.app
    return _json(await app.in_thread(app.core.dependencies_json, request.path_params["id"]))


async def _why(request: Request) -> Response:
    return _json(await request.app.in_thread(request.app.core.why_json, request.path_params["id"]))


async def _logs(request: Request) -> Response:
    if request.app.core.find(request.path_params["id"]) is None:
        raise Refusal(404, "unknown_service", "Service not found")
    return LogAnswer(request.app, request.path_params["id"], query_of(request.scope))


async def _events(request: Request) -> Response:
    last = request.headers.get("last-event-id")
    return EventStream(request.app, query_of(request.scope), last)


async def _graph(request: Request) -> Response:
    return _json(await request.app.in_thread(request.app.core.graph_json))


async def _metrics(request: Request) -> Response:
    text = await request.app.in_thread(request.app.core.metrics_text)
    text += request.app.refusals.text()
    return Response(text, headers={"content-type": _METRICS_TYPE})


async def _healthz(_request: Request) -> Response:
    return _json(b'{"status":"ok"}')


async def _readyz(request: Request) -> Response:
    app = request.app
    reason = "the server is shutting down" if app.draining else app.ready_reason
    if reason is None and not app.core.totals()[0]:
        reason = "the orchestrator is stopped"
    if reason is None:
        reason = app.core.trouble() or None
    extra: dict[str, Any] = {"insecurePlaintext": True} if app.in_the_clear else {}
    if reason is not None:
        raise Refusal(503, "not_ready", reason, extra=extra)
    if ended := app.core.ended():
        ids, lines = ([*column] for column in zip(*ended, strict=True))
        extra |= {"endedServices": ids, "details": lines}
    return _json(compact({"ready": True, **extra}))


async def _openapi(request: Request) -> Response:
    document = request.app.openapi()
    root = request.scope.get("root_path", "")
    if root:  # mounted: the paths are below it
        document = document | {"servers": [{"url": root}]}
    return _json(compact(document))


async def _docs(request: Request) -> Response:
    return Response(
        docs.page(request.app.openapi()),
        media_type="text/html",
        headers={"content-security-policy": _PAGE_POLICY, "x-content-type-options": "nosniff"},
    )


_ID = ("id", "path", "Id of a service, or name of an entry: all its instances.")
_WAIT = [
    ("wait", "query", "ready (stopped for stop): answer when that is so, with 200, or 504."),
    ("timeoutMs", "query", "How long to wait; 60000."),
    ("dependents", "query", "1: those that depend on it, too, in reverse order."),
]

# method, path, handler, what it does, parameters
_ROUTES: list[tuple[str, str, Handler, str, list[tuple[str, str, str]]]] = [
    ("GET", "/health", _hot, "Whether this server answers; always ok.", []),
    ("GET", "/status", _status, "Totals, and the health of every service.", []),
    (
        "GET",
        "/status/detailed",
        _status_detailed,
        "The same with configuration, lifecycle and process of each.",
        [],
    ),
    (
        "GET",
        "/services",
        _services,
        "The health of every service.",
        [("type", "query", "Of one type.")],
    ),
    ("POST", REGISTER, _hot, "Register a service, or replace it.", []),
    ("GET", "/services/{id}", _hot, "One service: configuration, health, lifecycle.", [_ID]),
    ("DELETE", "/services/{id}", _unregister, "Forget a service; its process is stopped.", [_ID]),
    (
        "GET",
        "/services/{id}/dependencies",
        _dependencies,
        "What it needs, and who needs it.",
        [_ID],
    ),
    ("GET", "/services/{id}/why", _why, "Why it is as it is, and what happens next.", [_ID]),
    (
        "GET",
        "/services/{id}/logs",
        _logs,
        "What it wrote, as plain text.",
        [
            _ID,
            ("lines", "query", "How many; 200."),
            ("follow", "query", "1: go on as it comes."),
            ("timestamps", "query", "1: before each line, when it was taken."),
            ("notes", "query", "A word of yours; what is lost is then said as `[azora WORD: ..]`."),
        ],
    ),
    (
        "POST",
        "/services/{id}/start",
        _verb("start"),
        "Start it.",
        [_ID, *_WAIT, ("dependencies", "query", "1: what it needs, too.")],
    ),
    ("POST", "/services/{id}/stop", _verb("stop"), "Stop it and keep it down.", [_ID, *_WAIT]),
    ("POST", "/services/{id}/restart", _verb("restart"), "Restart it.", [_ID, *_WAIT]),
    (
        "GET",
        "/loadbalancer/{pool}",
        _explained_pick,
        "One healthy instance of a pool.",
        [
            ("pool", "path", "A type or a group."),
            ("strategy", "query", "The strategy of this pick; the pool's."),
            ("key", "query", "What ip-hash hashes; the caller's address."),
            ("lease", "query", "auto: count this use until it is released."),
            ("explain", "query", "1: name every candidate, too."),
        ],
    ),
    (
        "POST",
        "/leases/{id}/release",
        _release,
        "End a lease.",
        [("id", "path", "Id of the lease.")],
    ),
    ("POST", "/orchestrator/start", _start_all, "Bring the fleet up.", []),
    ("POST", "/orchestrator/stop", _stop_all, "Stop the fleet; the server goes on.", []),
    (
        "GET",
        "/events",
        _events,
        "What happens, as server-sent events.",
        [
            ("since", "query", "Begin after this event number."),
            ("Last-Event-ID", "header", "The same, sent by a client that resumes; it wins."),
            ("service", "query", "Of one service, or of all instances of an entry."),
            ("type", "query", "Of one type; may be repeated."),
            ("follow", "query", "0: end after what is there already."),
        ],
    ),
    ("GET", "/graph", _graph, "Every service and what it depends on.", []),
    ("GET", "/metrics", _metrics, "Figures for Prometheus.", []),
    ("GET", "/healthz", _healthz, "Whether this process lives.", []),
    ("GET", "/readyz", _readyz, "Whether it is ready; 503 with the reason when not.", []),
    ("GET", "/openapi.json", _openapi, "This description as a document.", []),
    ("GET", "/docs", _docs, "This description as a page.", []),
]

# The media types of answers that are not JSON.
_CONTENT = {
    "/services/{id}/logs": "text/plain",
    "/events": "text/event-stream",
    "/metrics": "text/plain",
    "/docs": "text/html",
}


def add_routes(app: Any) -> None:
    """Adds every route of the table to the app."""
    for method, path, handler, summary, parameters in _ROUTES:
        extra: dict[str, Any] = {
            "parameters": [docs.parameter(path, *parameter) for parameter in parameters]
        }
        if path == REGISTER:
            schema = {"$ref": "#/components/schemas/ServiceConfig"}
            extra["requestBody"] = {
                "required": True,
                "content": {"application/json": {"schema": schema}},
            }
        waits = parameters[1:4] == _WAIT
        app.add_api_route(
            path,
            handler,
            methods=[method],
            status_code=202 if waits else 200,
            responses=docs.responses(_CONTENT.get(path, docs.JSON), waits=waits),
            summary=summary,
            operation_id=docs.operation_id(method, path),
            openapi_extra=extra,
            response_model=None,
            response_class=Response,
        )
