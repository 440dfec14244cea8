"""Single services: registration, state, reasons."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from fastapi import Request
from starlette.responses import Response

from azora_orchestrator._core import CoreError
from azora_orchestrator.server import openapi, schemas
from azora_orchestrator.server.openapi import PROBLEMS
from azora_orchestrator.server.parameters import ServiceId
from azora_orchestrator.server.problems import HTTPProblem, from_core
from azora_orchestrator.server.responses import json_response, said, said_body
from azora_orchestrator.server.routes.common import App, new_router

if TYPE_CHECKING:
    from azora_orchestrator.server.app import AzoraApp

REGISTER = "/services/register"
_SPACE = " \t\n\r"
_COMMA = re.compile(r"[ \t\n\r]*(?:(,)[ \t\n\r]*|\Z)")
_ONE_JSON = json.JSONDecoder(parse_int=str, parse_float=str)

router = new_router()


@router.post(
    REGISTER,
    responses=PROBLEMS,
    response_model=schemas.Said,
    openapi_extra=openapi.body_of(schemas.ServiceConfig),
)
async def register(app: App, request: Request) -> Response:
    """Register a service, or replace the one with its id."""
    return json_response(await registered(app, await request.body()))


@router.post(
    "/services",
    responses=PROBLEMS,
    response_model=schemas.Said,
    openapi_extra=openapi.body_of(schemas.ServiceConfig, many=True),
)
async def register_many(app: App, request: Request) -> Response:
    """Register several services at once: all of them or, when one is wrong, none.

    The names of faults begin with the place of their service: `services[1].endpoint`.
    """
    text = _text_of(await request.body())
    services = _slices(text)
    try:
        # Of a text that is no list the core says what is wrong with it, and where.
        await app.core_calls.register(*([text] if services is None else services))
    except CoreError as error:
        raise _unreadable(from_core(error)) from None
    count = 1 if services is None else len(services)
    return said(f"{count} service{'' if count == 1 else 's'} registered successfully")


@router.get("/services/{id}", responses=PROBLEMS, response_model=schemas.Service)
async def service(app: App, id: ServiceId) -> Response:
    """One service: configuration, health, lifecycle, process."""
    found = app.core.find(id)
    if found is None:
        raise HTTPProblem(404, "unknown_service", "Service not found")
    return json_response(found.json)


@router.delete("/services/{id}", responses=PROBLEMS, response_model=schemas.Said)
async def unregister(app: App, id: ServiceId) -> Response:
    """Forget a service; its process is stopped. No error if there is none."""
    await app.in_thread(app.core.unregister, id, "rest")
    return said(f"Service {id} unregistered successfully")


@router.get("/services/{id}/dependencies", responses=PROBLEMS, response_model=schemas.Dependencies)
async def dependencies(app: App, id: ServiceId) -> Response:
    """What a service needs, and who needs it."""
    return json_response(await app.in_thread(app.core.dependencies_json, id))


@router.get("/services/{id}/why", responses=PROBLEMS, response_model=schemas.Why)
async def why(app: App, id: ServiceId) -> Response:
    """Why a service is as it is, and what happens next."""
    return json_response(await app.in_thread(app.core.why_json, id))


async def registered(app: AzoraApp, body: bytes) -> bytes:
    """Registers the service in a body and returns the body of the response.

    The app calls it before the routes: they cost as much as a registration.
    """
    text = _text_of(body)
    try:
        await app.core_calls.register(text)
    except CoreError as error:
        raise _unreadable(from_core(error)) from None
    given = json.loads(text)
    return said_body(f"Service {given.get('name', given['id'])} registered successfully")


def _unreadable(refusal: HTTPProblem) -> HTTPProblem:
    """Says what is not JSON; a number out of range in one of our fields is a fault of that."""
    if refusal.code == "invalid_json" and not refusal.extra:
        refusal.message = f"the body is not valid JSON: {refusal.message}"
    return refusal


def _slices(text: str) -> list[str] | None:
    """The text of each element of a JSON list, as it was written; None: the text is no list.

    The core judges them: it is stricter than Python, above all about names that are given twice.
    """
    inside = text.strip(_SPACE)
    if inside[:1] != "[" or inside[-1:] != "]":
        return None
    inside = inside[1:-1].strip(_SPACE)
    slices: list[str] = []
    at = 0
    try:
        while at < len(inside):
            _, end = _ONE_JSON.raw_decode(inside, at)
            slices.append(inside[at:end])
            comma = _COMMA.match(inside, end)
            if comma is None or (comma[1] and comma.end() == len(inside)):
                return None
            at = comma.end()
    except (ValueError, RecursionError):
        return None
    return slices


def _text_of(body: bytes) -> str:
    try:
        return body.removeprefix(b"\xef\xbb\xbf").decode()
    except UnicodeDecodeError as error:
        raise HTTPProblem(
            400, "invalid_json", f"the body is not UTF-8: byte {error.start} is wrong"
        ) from None
