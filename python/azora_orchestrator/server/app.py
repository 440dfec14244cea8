"""`create_app(orchestrator)`: one FastAPI application, and what is decided before its routes.

Before a route: who is calling (access), the hot reads that the core answers itself, the limits of
bodies, HEAD as GET without a body, `Azora-Seq`. It needs no lifespan, so a mounted app works.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from azora_orchestrator._core import CoreError
from azora_orchestrator.server import bodies, openapi, parameters, routes
from azora_orchestrator.server.access import NOT_PLAIN, SAFE_METHODS, Access
from azora_orchestrator.server.closing import Closing
from azora_orchestrator.server.core_calls import CoreCalls
from azora_orchestrator.server.deadlines import Deadlines
from azora_orchestrator.server.log_follow import FolderNews
from azora_orchestrator.server.problems import (
    JSON_TYPE,
    Headers,
    HTTPProblem,
    from_core,
    problem,
    shutting_down,
)
from azora_orchestrator.server.refusals import RefusalCounts
from azora_orchestrator.server.routes.services import REGISTER, registered
from azora_orchestrator.server.streaming import Streams

if TYPE_CHECKING:
    from azora_orchestrator.aio import AsyncMasterOrchestrator
    from azora_orchestrator.orchestrator import MasterOrchestrator
    from azora_orchestrator.reload import ReloadPlan

_log = logging.getLogger(__name__)

# Logs are read on threads of their own: a slow disk delays no registration.
_WORKERS, _LOG_READERS = 8, 4
# A list of more services than this is made on a thread, so that picks do not wait for it.
LARGE_FLEET = 2_000


class _LoopState:
    """The objects of an app that belong to the loop that serves it."""

    def __init__(self, core: Any) -> None:
        self.deadlines = Deadlines()
        self.core_calls = CoreCalls(core)
        self.folder_news: FolderNews | None = None


class AzoraApp(FastAPI):
    """The ASGI app over one orchestrator. It neither starts nor stops it.

    Threads: one event loop. Ownership: borrows the orchestrator.
    """

    def __init__(self, orch: MasterOrchestrator | AsyncMasterOrchestrator, access: Access) -> None:
        super().__init__(
            title="Azora Orchestrator",
            version=metadata.version("azora-orchestrator"),
            summary="Keeps the services of one machine alive.",
            docs_url=None,
            redoc_url=None,
            openapi_url=None,
            redirect_slashes=False,
            generate_unique_id_function=openapi.operation_id,
        )
        self._core: Any = getattr(orch, "sync", orch)._core  # type: ignore[union-attr]
        self.access = access
        front = self._core.front(access.known_hosts, NOT_PLAIN, LARGE_FLEET)
        self._hot_read: Any = front.answer
        self._hot_read_passed: Any = front.answer_passed
        self.hot_response: Any = front.response  # for server.run(), before there is a scope
        self.ready_reason: str | None = None  # why /readyz says 503, besides the core itself
        self.stop_timeout_ms = 60_000  # how long POST /orchestrator/stop may take
        # Reads the configuration file again: (only a plan, restart what changed); None: no file.
        self.reload: Callable[[bool, bool], ReloadPlan] | None = None
        self.in_the_clear = False  # whether tokens and responses cross a network without TLS
        self.draining = False
        self.streams = Streams()
        self.refusals = RefusalCounts()
        # By loop: test clients use another loop for each request.
        self._closing: WeakKeyDictionary[asyncio.AbstractEventLoop, Closing]
        self._closing = WeakKeyDictionary()
        self._states: dict[asyncio.AbstractEventLoop, _LoopState] = {}
        self._workers = ThreadPoolExecutor(_WORKERS, thread_name_prefix="azora-rest")
        self._log_readers = ThreadPoolExecutor(_LOG_READERS, thread_name_prefix="azora-logs")
        self.add_exception_handler(HTTPProblem, _on_refusal)
        self.add_exception_handler(CoreError, _on_core_error)
        self.add_exception_handler(RequestValidationError, _on_wrong_parameters)
        self.add_exception_handler(HTTPException, _on_http)
        self.add_exception_handler(Exception, _on_bug)
        routes.add_routes(self)

    @property
    def core(self) -> Any:
        """The native core."""
        return self._core

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document."""
        if self.openapi_schema is None:
            self.openapi_schema = openapi.described(self)
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
        """From now on /readyz and changes get 503 and event streams end. Call it on the loop."""
        self.draining = True
        self.closing.set()
        self._state.deadlines.end()

    async def in_thread(self, call: Any, *args: Any) -> Any:
        """Runs a call that takes a moment on a thread of the app's own."""
        return await asyncio.get_running_loop().run_in_executor(self._workers, call, *args)

    async def in_log_thread(self, call: Any, *args: Any) -> Any:
        """The same for a call that reads logs."""
        return await asyncio.get_running_loop().run_in_executor(self._log_readers, call, *args)

    async def make_list(self, call: Any, *args: Any) -> Any:
        """Runs a call that takes a moment only where the fleet is large."""
        if self._core.totals()[1] > LARGE_FLEET:
            return await self.in_thread(call, *args)
        return call(*args)

    @property
    def core_calls(self) -> CoreCalls:
        """The calls of the core that no thread waits for."""
        return self._state.core_calls

    @property
    def folder_news(self) -> FolderNews:
        """What tells followers of logs that there is more."""
        state = self._state
        if state.folder_news is None:
            state.folder_news = FolderNews()
        return state.folder_news

    def metrics_text(self) -> bytes:
        """The figures of the app itself, for Prometheus."""
        return self.refusals.text() + self.streams.text()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """The layer in front of the routes."""
        messages = self._hot_read(scope)
        if messages is not None:
            await send(messages[0])
            await send(messages[1])
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
        whole, out = False, send  # whether the body has come; where the response goes
        try:
            self.access.check(scope, unsafe=unsafe)
            if not unsafe:
                if bodies.announced(scope["headers"]) != 0:
                    out = _closing(send)  # that body is not read
                elif (messages := self._hot_read_passed(scope)) is not None:
                    await send(messages[0])
                    await send(messages[1])
                    return
            elif self.draining:
                raise shutting_down()
            else:
                body = await bodies.read(scope["headers"], receive, self._state.deadlines)
                whole = True
                register = path == REGISTER and method == "POST"
                if body or register:
                    bodies.check_kind(scope["headers"])
                if register:
                    answer = 200, [(b"content-type", JSON_TYPE)], await registered(self, body)
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

    @property
    def _state(self) -> _LoopState:
        loop = asyncio.get_running_loop()
        state = self._states.get(loop)
        if state is None:
            alive = {one: what for one, what in self._states.items() if not one.is_closed()}
            state = alive[loop] = _LoopState(self._core)
            self._states = alive
        return state

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


def _refusal_of(error: Exception, method: str, path: str) -> HTTPProblem:
    if isinstance(error, HTTPProblem):
        return error
    if isinstance(error, CoreError):
        return from_core(error)
    _log.error("%s %s failed", method, path, exc_info=error)
    return _bug()


def _closing(send: Any) -> Any:
    """Ends the connection with the response."""

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
    """Responds at once, then ends the connection: its body was not read."""

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


def _respond(request: Request, refusal: HTTPProblem) -> Response:
    unsafe = request.method not in SAFE_METHODS
    request.app.refusals.count(refusal)
    status, headers, body = problem(refusal, unsafe=unsafe)
    response = Response(body, status)
    response.raw_headers = [*headers, (b"content-length", b"%d" % len(body))]
    return response


async def _on_refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPProblem)  # noqa: S101 (registered for it alone)
    return _respond(request, error)


async def _on_core_error(request: Request, error: Exception) -> Response:
    refusal = from_core(error)
    if refusal.code == "unknown_service":
        refusal.message = "Service not found"
    return _respond(request, refusal)


async def _on_wrong_parameters(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 (registered for it alone)
    return _respond(request, parameters.refusal_of(error.errors()))


async def _on_http(request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 500)
    root = request.scope.get("root_path", "")
    if status == 404:
        refusal = HTTPProblem(
            404, "not_found", f"there is no {request.url.path} here; see {root}/docs"
        )
    elif status == 405:
        refusal = HTTPProblem(
            405, "method_not_allowed", f"{request.method} is not allowed here; see {root}/docs"
        )
    else:
        refusal = HTTPProblem(status, "invalid_request", str(getattr(error, "detail", "")))
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


def _bug() -> HTTPProblem:
    return HTTPProblem(500, "internal", "the server failed on this request; see its log")


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
