"""`create_app(orchestrator)`: FastAPI for the many routes, a raw ASGI layer for the hot ones.

The layer in front asks who is calling, answers the hot reads, limits bodies, adds `Azora-Seq`
and lets HEAD be GET without a body. It needs no lifespan, so a mounted app works.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from azora_orchestrator._core import CoreError
from azora_orchestrator.server import bodies, docs, routes
from azora_orchestrator.server.access import NOT_PLAIN, SAFE_METHODS, Access
from azora_orchestrator.server.answers import Headers, Refusal, from_core, problem, shutting_down
from azora_orchestrator.server.closing import Closing
from azora_orchestrator.server.fast import hot_read, ok
from azora_orchestrator.server.patience import Patience
from azora_orchestrator.server.refusals import RefusalCounts
from azora_orchestrator.server.registering import PATH as REGISTER
from azora_orchestrator.server.registering import Registering

if TYPE_CHECKING:
    from azora_orchestrator.aio import AsyncMasterOrchestrator
    from azora_orchestrator.orchestrator import MasterOrchestrator

_log = logging.getLogger("azora.server")

# Each call that waits for a state holds one thread; further calls queue. They have separate
# threads, so that sixty waiting clients do not delay registrations.
_WORKERS, _WAITERS = 8, 64


class _Here:
    """The objects of an app for the loop that serves it."""

    def __init__(self, core: Any) -> None:
        self.patience = Patience()
        self.registering = Registering(core)


class AzoraApp(FastAPI):
    """The ASGI app over one orchestrator. It neither starts nor stops it.

    Threads: one event loop. Ownership: borrows the orchestrator.
    """

    def __init__(self, orch: MasterOrchestrator | AsyncMasterOrchestrator, access: Access) -> None:
        super().__init__(
            title="Azora Orchestrator",
            summary="Keeps the services of one machine alive.",
            docs_url=None,
            redoc_url=None,
            openapi_url=None,
            redirect_slashes=False,
        )
        self._core: Any = getattr(orch, "sync", orch)._core  # type: ignore[union-attr]
        self.access = access
        self._plain_read: Any = self._core.front(access.known_hosts, NOT_PLAIN)
        self.ready_reason: str | None = None  # why /readyz answers 503, besides the core itself
        self.stop_timeout_ms = 60_000  # how long POST /orchestrator/stop may take
        self.in_the_clear = False  # whether tokens and answers cross a network without TLS
        self.draining = False
        self.streams = 0
        self.refusals = RefusalCounts()
        # By loop: test clients use another loop for each request.
        self._closing: WeakKeyDictionary[asyncio.AbstractEventLoop, Closing]
        self._closing = WeakKeyDictionary()
        self._here: dict[asyncio.AbstractEventLoop, _Here] = {}
        self._workers = ThreadPoolExecutor(_WORKERS, thread_name_prefix="azora-rest")
        self._waiters = ThreadPoolExecutor(_WAITERS, thread_name_prefix="azora-wait")
        self.add_exception_handler(Refusal, _on_refusal)
        self.add_exception_handler(CoreError, _on_core_error)
        self.add_exception_handler(HTTPException, _on_http)
        self.add_exception_handler(Exception, _on_bug)
        routes.add_routes(self)

    @property
    def core(self) -> Any:
        """The native core."""
        return self._core

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document, with the service schema made from the core's field table."""
        if self.openapi_schema is None:
            self.openapi_schema = docs.with_service_schema(super().openapi())
        return self.openapi_schema

    @property
    def closing(self) -> Closing:
        """When open streams are to end; belongs to the running loop."""
        loop = asyncio.get_running_loop()
        closing = self._closing.get(loop)
        if closing is None:
            closing = self._closing[loop] = Closing()
            if self.draining:
                closing.set()
        return closing

    def begin_shutdown(self) -> None:
        """From now on /readyz and changes answer 503 and event streams end. Call it on the loop."""
        self.draining = True
        self.closing.set()
        self._on_loop().patience.end()

    async def in_thread(self, call: Any, *args: Any) -> Any:
        """Runs a call that takes a moment on a thread of the app's own."""
        return await asyncio.get_running_loop().run_in_executor(self._workers, call, *args)

    async def waiting(self, call: Any, *args: Any) -> Any:
        """The same for a call that waits until something has come true, perhaps for minutes.

        Raises:
            Refusal: 503: the server began to shut down meanwhile.
        """
        answer = asyncio.get_running_loop().run_in_executor(self._waiters, call, *args)
        closing = asyncio.ensure_future(self.closing.wait())
        try:
            await asyncio.wait({answer, closing}, return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                raise shutting_down()
            return answer.result()
        finally:
            closing.cancel()
            answer.cancel()  # the client does not read the answer any more

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """The layer in front of the routes."""
        plain = self._plain_read(scope)
        if plain is not None:
            await send(plain[0])
            await send(plain[1])
            return
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        method, path = scope["method"], scope["path"]
        head = method == "HEAD"
        unsafe = method not in SAFE_METHODS
        seq = self._core.seq()  # read before the body is made: it reflects at least this
        if path[-1:] == "/" or scope.get("root_path"):
            path = _path_below_mount(scope)
        whole, out = False, send  # whether the body has come; where the answer goes
        try:
            self.access.check(scope, unsafe=unsafe)
            if not unsafe:
                if bodies.announced(scope["headers"]) != 0:
                    out = _closing(send)  # nobody reads that body
                answer = hot_read(self._core, path, scope, head)
                if answer is not None:
                    await _send(out, *answer, seq, head)
                    return
            elif self.draining:
                raise shutting_down()
            else:
                here = self._on_loop()
                body = await bodies.read(scope["headers"], receive, here.patience)
                whole = True
                register = path == REGISTER and method == "POST"
                if body or register:
                    bodies.check_kind(scope["headers"])
                if register:
                    answer = ok(await here.registering.register(body))
                    await _send(send, *answer, self._core.seq(), head)
                    return
                receive = bodies.replay(body, receive)
        except Exception as error:
            refusal = _refusal_of(error, method, path)
            self.refusals.count(refusal)
            answer = problem(refusal, unsafe=unsafe)
            if whole or await bodies.drop_small(scope["headers"], receive):
                await _send(send, *answer, seq, head)
            else:
                await _send_unread(send, receive, *answer, seq, head)
            return
        inner = dict(scope)
        inner["path"] = scope.get("root_path", "") + path
        if head:
            inner["method"] = "GET"
        inner["azora.head"] = head
        await super().__call__(inner, receive, self._finish(out, unsafe, seq, head))

    def _on_loop(self) -> _Here:
        loop = asyncio.get_running_loop()
        here = self._here.get(loop)
        if here is None:
            alive = {one: what for one, what in self._here.items() if not one.is_closed()}
            here = alive[loop] = _Here(self._core)
            self._here = alive
        return here

    def _finish(self, send: Any, unsafe: bool, seq: int, head: bool) -> Any:
        """Adds Azora-Seq: for a change the seq after it, for a read the seq before it."""

        async def finish(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = dict(message)
                now = self.core.seq() if unsafe else seq
                message["headers"] = [*message["headers"], (b"azora-seq", b"%d" % now)]
            elif head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        return finish


def _path_below_mount(scope: Any) -> str:
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    if root and path.startswith(root):
        path = path[len(root) :]
    if len(path) > 1 and path.endswith("/"):
        path = path[:-1]
    return path or "/"


def _refusal_of(error: Exception, method: str, path: str) -> Refusal:
    if isinstance(error, Refusal):
        return error
    if isinstance(error, CoreError):
        return from_core(error)
    _log.error("%s %s failed", method, path, exc_info=error)
    return _bug()


def _closing(send: Any) -> Any:
    """Ends the connection with the answer."""

    async def closing(message: Any) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], bodies.CLOSE]}
        await send(message)

    return closing


async def _send_unread(
    send: Any,
    receive: Any,
    status: int,
    headers: Headers,
    body: bytes,
    seq: int,
    head: bool,
) -> None:
    """Answers at once, then ends the connection: its body was not read."""

    async def unfinished(message: Any) -> None:
        await send({**message, "more_body": True} if "body" in message else message)

    await _send(unfinished, status, [*headers, bodies.CLOSE], body, seq, head)
    await bodies.linger(receive)
    await send({"type": "http.response.body", "body": b""})


async def _send(
    send: Any, status: int, headers: Headers, body: bytes, seq: int, head: bool
) -> None:
    headers.append((b"content-length", b"%d" % len(body)))
    headers.append((b"azora-seq", b"%d" % seq))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else body})


def _respond(request: Request, refusal: Refusal) -> Response:
    unsafe = request.method not in SAFE_METHODS
    request.app.refusals.count(refusal)
    status, headers, body = problem(refusal, unsafe=unsafe)
    response = Response(body, status)
    response.raw_headers = [*headers, (b"content-length", b"%d" % len(body))]
    return response


async def _on_refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)  # noqa: S101 (registered for it alone)
    return _respond(request, error)


async def _on_core_error(request: Request, error: Exception) -> Response:
    refusal = from_core(error)
    if refusal.code == "unknown_service":
        refusal.message = "Service not found"
    return _respond(request, refusal)


async def _on_http(request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 500)
    root = request.scope.get("root_path", "")
    if status == 404:
        refusal = Refusal(404, "not_found", f"there is no {request.url.path} here; see {root}/docs")
    elif status == 405:
        refusal = Refusal(
            405, "method_not_allowed", f"{request.method} is not allowed here; see {root}/docs"
        )
    else:
        refusal = Refusal(status, "invalid_request", str(getattr(error, "detail", "")))
    if status == 405:
        refusal.headers.append((b"allow", _allowed(request).encode()))
    return _respond(request, refusal)


def _allowed(request: Request) -> str:
    """All methods of a path, not only those of its first route."""
    routes = [
        route
        for route in request.app.router.routes
        if route.matches(request.scope)[0] != Match.NONE
    ]
    # A route with this exact path goes before one that would read it as an id.
    named = [route for route in routes if not route.param_convertors] or routes
    found = {method for route in named for method in route.methods or ()}
    return ", ".join(sorted(found | ({"HEAD"} if "GET" in found else set())))


async def _on_bug(request: Request, error: Exception) -> Response:
    _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return _respond(request, _bug())


def _bug() -> Refusal:
    return Refusal(500, "internal", "the server failed on this request; see its log")


def create_app(
    orch: MasterOrchestrator | AsyncMasterOrchestrator,
    *,
    auth: str | None = "owner",
    allowed_hosts: Iterable[str] | None = None,
) -> AzoraApp:
    """The REST app over `orch`, to be served alone or mounted into an app of yours.

    It neither starts nor stops the orchestrator and needs no lifespan.

    Args:
        orch: A MasterOrchestrator or an AsyncMasterOrchestrator.
        auth: "owner": changes are open to processes of the user who runs the server and need a
            token from everybody else; "token": they need it from everybody; None: no question is
            asked (for tests).
        allowed_hosts: Names a Host header may have besides the loopback ones; "ip" allows any
            numeric address, "*" any host.

    Raises:
        InvalidArgument: There is no such `auth`, or a host could never match.

    What the server above it decides is its own: where it listens, how large and slow the head of a
    request and how many connections there may be, TLS, and what a request line names as host.
    `server.run()` decides all of these, safely.

    Example:
        app = create_app(orch)
        uvicorn.run(app, host="127.0.0.1", port=5000, proxy_headers=False)
    """
    access = Access(auth, allowed_hosts)
    return AzoraApp(orch, access)
