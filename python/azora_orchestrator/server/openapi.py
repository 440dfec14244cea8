"""The description of the API, as FastAPI makes it of the routes, with what it cannot know."""

from __future__ import annotations

from typing import Any

from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic.json_schema import models_json_schema

from azora_orchestrator.server import schemas
from azora_orchestrator.vocabulary import EVENT_TYPES

_REF = "#/components/schemas/{model}"
# Described here and not by a route: the core judges a service, and errors and events have media
# types of their own.
_MODELS = (
    schemas.Problem,
    schemas.ServiceConfig,
    schemas.DrainRequest,
    schemas.MaintenanceRequest,
    schemas.Event,
)


def _ref(model: Any) -> dict[str, str]:
    return {"$ref": _REF.format(model=model.__name__)}


Responses = dict[int | str, dict[str, Any]]

PROBLEMS: Responses = {
    "default": {
        "description": "Why not, and what to do.",
        "content": {"application/problem+json": {"schema": _ref(schemas.Problem)}},
    }
}
_SENT_EVENT = {
    "type": "object",
    "required": ["event", "data"],
    "properties": {
        "event": {"type": "string", "enum": list(EVENT_TYPES)},
        "data": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": _ref(schemas.Event),
        },
        "id": {"type": "string", "description": "The number of the event; a gap has none."},
    },
}
EVENTS: Responses = PROBLEMS | {
    200: {
        "description": "A stream of such events, in order.",
        "content": {"text/event-stream": {"schema": _SENT_EVENT}},
    }
}
DOCUMENT: Responses = PROBLEMS | {
    200: {
        "description": "An OpenAPI document.",
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}


def accepted_or_done(model: Any) -> Responses:
    """Of a verb: accepted, or with `wait` done."""
    return PROBLEMS | {
        202: {"model": model, "description": "Begun."},
        200: {"model": model, "description": "With `wait`: it has come true."},
    }


def body_of(model: Any, *, many: bool = False, required: bool = True) -> dict[str, Any]:
    """A JSON body that is read by its route or by the core: one, or a list of them."""
    schema: dict[str, Any] = {"type": "array", "items": _ref(model)} if many else _ref(model)
    content = {"application/json": {"schema": schema}}
    return {"requestBody": {"required": required, "content": content}}


def operation_id(route: APIRoute) -> str:
    """A name for generated clients: get_services_id_why."""
    words = route.path_format.replace("{", "").replace("}", "").replace(".", "_")
    method = min(route.methods or ())
    return "_".join([method.lower(), *words.strip("/").split("/")])


def described(app: Any) -> dict[str, Any]:
    """The whole document."""
    document = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        routes=app.routes,
    )
    _, more = models_json_schema([(model, "serialization") for model in _MODELS], ref_template=_REF)
    known = document.setdefault("components", {}).setdefault("schemas", {})
    for name, schema in more.get("$defs", {}).items():
        known.setdefault(name, schema)
    for methods in document["paths"].values():
        for operation in methods.values():
            _describe(operation)
    return document


def _describe(operation: dict[str, Any]) -> None:
    """The first line of a docstring is the summary, the rest the description."""
    first, _, rest = operation.pop("description", "").partition("\n\n")
    operation["summary"] = " ".join(first.split())
    if rest:
        operation["description"] = rest
    for response in operation["responses"].values():
        if response["description"] == "Successful Response":
            response["description"] = "Done."
    for parameter in operation.get("parameters", ()):
        for repeated in ("title", "description"):
            parameter["schema"].pop(repeated, None)
