"""What the files of routes share: the app that serves a request, and how its query is judged."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Annotated, Any, get_origin
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from azora_orchestrator.server import openapi
from azora_orchestrator.server.parameters import MAX_PARAMETERS, check_counts
from azora_orchestrator.server.problems import HTTPProblem


async def _serving(request: Request) -> Any:
    return request.app


# Routes belong to no app: FastAPI keeps their functions for ever, and would keep the app of a
# closure with them.
if TYPE_CHECKING:
    from azora_orchestrator.server.app import AzoraApp

    App = Annotated[AzoraApp, Depends(_serving)]
else:
    App = Annotated[Any, Depends(_serving)]


class _Route(APIRoute):
    """Refuses a query that gives one of its parameters twice: which one is meant is not known."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()
        fields = self.dependant.query_params
        known = frozenset(field.alias for field in fields)
        once = frozenset(
            field.alias for field in fields if get_origin(field.field_info.annotation) is not list
        )

        async def checked(request: Request) -> Response:
            raw = request.scope.get("query_string", b"")
            if raw and known:
                check_counts(_pairs(raw), once)
            return await handler(request)

        return checked


def _pairs(raw: bytes) -> list[tuple[str, str]]:
    try:
        text = raw.decode("latin-1")
        return parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_PARAMETERS)
    except ValueError:
        raise HTTPProblem(
            400, "invalid_argument", f"the query has more than {MAX_PARAMETERS} parameters"
        ) from None


def new_router() -> APIRouter:
    """The routes of one subject."""
    return APIRouter(route_class=_Route, generate_unique_id_function=openapi.operation_id)
