"""What happens and what services write, once or as it comes."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header, Query
from starlette.responses import PlainTextResponse, Response

from azora_orchestrator.server import openapi
from azora_orchestrator.server.event_stream import EventStream
from azora_orchestrator.server.log_follow import LogAnswer
from azora_orchestrator.server.parameters import (
    EventNumber,
    EventTypes,
    Flag,
    Lines,
    ServiceId,
    Text,
    Token,
)
from azora_orchestrator.server.problems import HTTPProblem
from azora_orchestrator.server.routes.common import App, new_router

router = new_router()


@router.get(
    "/services/{id}/logs",
    response_class=PlainTextResponse,
    responses=openapi.PROBLEMS,
)
async def logs(
    app: App,
    id: ServiceId,
    lines: Annotated[Lines, Query(description="How many of the last lines.")] = 200,
    follow: Annotated[Flag, Query(description="Go on as it comes.")] = False,
    timestamps: Annotated[Flag, Query(description="Before each line, when it was taken.")] = False,
    notes: Annotated[
        Token,
        Query(description="A word of yours; what is lost is then said as `[azora WORD: ..]`."),
    ] = None,
) -> Response:
    """What a service wrote, as plain text."""
    if app.core.find(id) is None:
        raise HTTPProblem(404, "unknown_service", "Service not found")
    return LogAnswer(app, id, lines=lines, follow=follow, timestamps=timestamps, notes=notes or "")


@router.get("/events", response_class=Response, responses=openapi.EVENTS)
async def events(
    app: App,
    types: Annotated[
        EventTypes,
        Query(
            alias="type",
            default_factory=list,
            description="Only of these types; it may be repeated.",
        ),
    ],
    since: Annotated[EventNumber, Query(description="Begin after this event number.")] = None,
    last_event_id: Annotated[
        EventNumber,
        Header(
            alias="Last-Event-ID",
            description="The same, sent by a client that resumes; it wins.",
        ),
    ] = None,
    service: Annotated[
        Text, Query(description="Only of this service, or of all instances of an entry.")
    ] = None,
    follow: Annotated[Flag, Query(description="0: end after what is there already.")] = True,
) -> Response:
    """What happens, as server-sent events; each has its number as id."""
    return EventStream(
        app,
        since=since if last_event_id is None else last_event_id,
        types=[name for value in types for name in value.split(",") if name],
        service=service,
        follow=follow,
    )
