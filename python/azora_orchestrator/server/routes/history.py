"""Past events, in pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import Query
from starlette.responses import Response

from azora_orchestrator._core import CoreError
from azora_orchestrator._moments import cursor_of, span_at, span_of_cursor
from azora_orchestrator.server import schemas
from azora_orchestrator.server.openapi import PROBLEMS
from azora_orchestrator.server.parameters import (
    Cursor,
    EventTypes,
    Moment,
    PageSize,
    ServiceId,
    Text,
)
from azora_orchestrator.server.problems import HTTPProblem, compact, from_core
from azora_orchestrator.server.responses import json_response
from azora_orchestrator.server.routes.common import App, new_router

if TYPE_CHECKING:
    from azora_orchestrator.server.app import AzoraApp

router = new_router()

Since = Annotated[
    Moment,
    Query(
        description="Begin after the event of this number; or at this time (ISO 8601, UTC unless "
        "it names a zone), or at this age, such as 24h."
    ),
]
Until = Annotated[
    Moment, Query(description="End before the event of this number, or before this time or age.")
]
Types = Annotated[
    EventTypes,
    Query(
        alias="type",
        default_factory=list,
        description="Only of these types; it may be repeated. Health checks are not stored: the "
        "last ones of this run are found when they are asked for here.",
    ),
]
Limit = Annotated[PageSize, Query(description="How many events a page has at most.")]
After = Annotated[
    Cursor,
    Query(
        description="The `next` of the page before, with the same other parameters; `since` and "
        "`until` are as they were then."
    ),
]


@router.get("/history", responses=PROBLEMS, response_model=schemas.History)
async def history(
    app: App,
    types: Types,
    since: Since = None,
    until: Until = None,
    service: Annotated[
        Text, Query(description="Only of this service, or of all instances of an entry.")
    ] = None,
    limit: Limit = 1000,
    cursor: After = None,
) -> Response:
    """Past events, oldest first."""
    body, _ = await _page(app, types, since, until, service, limit, cursor)
    return json_response(body)


@router.get("/services/{id}/history", responses=PROBLEMS, response_model=schemas.History)
async def service_history(
    app: App,
    id: ServiceId,
    types: Types,
    since: Since = None,
    until: Until = None,
    limit: Limit = 1000,
    cursor: After = None,
) -> Response:
    """Past events of a service, oldest first; also of one that was unregistered."""
    body, count = await _page(app, types, since, until, id, limit, cursor)
    if count == 0 and app.core.find(id) is None:
        _any_body, any_count = await _page(app, [], None, None, id, 1, None)
        if any_count == 0:
            raise HTTPProblem(404, "unknown_service", "Service not found")
    return json_response(body)


async def _page(
    app: AzoraApp,
    types: list[str],
    since: str | None,
    until: str | None,
    service: str | None,
    limit: int,
    cursor: str | None,
) -> tuple[bytes, int]:
    """The body, and how many events it has."""
    span = (span_of_cursor(cursor) if cursor else None) or span_at(since, until)
    names = [name for value in types for name in value.split(",") if name] or None
    try:
        events, count, through, more, lost = await app.in_thread(
            app.core.history_json, *span, names, service, limit
        )
    except CoreError as error:
        raise from_core(error) from None
    rest = {
        "next": cursor_of(span, through) if more else None,
        "gaps": [
            {"fromSeq": first, "toSeq": last, "count": lost_count}
            for first, last, lost_count in lost
        ],
    }
    return b'{"events":' + events + b"," + compact(rest)[1:], count
