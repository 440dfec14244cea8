"""Describes the API: OpenAPI, and a page of it that needs nothing from the network."""

from __future__ import annotations

import html
import json
from typing import Any

from azora_orchestrator import _core

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;
color:#1b1f24;background:#fff}
h1{font-size:1.5rem}section{border-top:1px solid #d8dee4;padding:.6rem 0}
code{font:13px/1.4 ui-monospace,monospace}b{display:inline-block;width:4.5rem}
.get{color:#0a5d2c}.post{color:#0b4a9e}.delete{color:#a1260d}
table{border-collapse:collapse;font-size:14px}td,th{padding:.1rem .8rem .1rem 0;text-align:left;
vertical-align:top}p{margin:.2rem 0}
@media(prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}section{border-color:#30363d}
.get{color:#56d364}.post{color:#79c0ff}.delete{color:#ff9b8e}}
"""


JSON = "application/json"

# RFC 9457, with the keys of the seed.
_PROBLEM = {
    "title": "Problem",
    "type": "object",
    "required": ["error", "type", "title", "status", "detail", "code"],
    "properties": {
        "success": {"type": "boolean", "description": "Always false; in answers to changes."},
        "error": {"type": "string", "description": "What is wrong and what to do; as detail."},
        "type": {"type": "string", "description": "urn:azora:error: and the code."},
        "title": {"type": "string", "description": "The words of the status."},
        "status": {"type": "integer", "description": "The HTTP status."},
        "detail": {"type": "string", "description": "What is wrong and what to do."},
        "code": {"type": "string", "description": "The reason, for programs."},
        "faults": {
            "type": "array",
            "description": "Each wrong field of a service.",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}


_FLAG = {"type": "string", "enum": ["1", "0", "true", "false", "yes", "no"]}
_SCHEMAS: dict[str, dict[str, Any]] = {
    "wait": {"type": "string", "enum": ["ready"]},
    "timeoutMs": {"type": "integer", "minimum": 0, "maximum": 600_000, "default": 60_000},
    "dependents": _FLAG,
    "dependencies": _FLAG,
    "follow": _FLAG,
    "timestamps": _FLAG,
    "explain": _FLAG,
    "lines": {"type": "integer", "minimum": 0, "maximum": 10_000, "default": 200},
    "strategy": {
        "type": "string",
        "enum": _core.strategies(),
    },
    "lease": {"type": "string", "enum": ["auto", "none"]},
    "since": {"type": "integer", "minimum": 0},
    "Last-Event-ID": {"type": "integer", "minimum": 0},
}


def parameter(path: str, name: str, place: str, text: str) -> dict[str, Any]:
    """One parameter of an operation."""
    schema = _SCHEMAS.get(name, {"type": "string"})
    if name == "wait" and path.endswith("/stop"):
        schema = {"type": "string", "enum": ["stopped"]}
    return {
        "name": name,
        "in": place,
        "required": place == "path",
        "description": text,
        "schema": schema,
    }


def operation_id(method: str, path: str) -> str:
    """A name for generated clients: get_services_id_why."""
    words = path.replace("{", "").replace("}", "").replace(".", "_").strip("/").split("/")
    return "_".join([method.lower(), *words])


def responses(media_type: str, *, waits: bool) -> dict[int | str, dict[str, Any]]:
    """The possible answers of an operation, errors included."""
    content = {media_type: {"schema": {"type": "object" if media_type == JSON else "string"}}}
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    answers: dict[int | str, dict[str, Any]] = {
        200: {"description": "Done.", "content": content},
        "default": {"description": "Why not, and what to do.", "content": problem},
    }
    if waits:
        answers[202] = {"description": "Begun.", "content": content}
        answers[200] = {"description": "With `wait`: it has come true.", "content": content}
    return answers


def with_service_schema(document: dict[str, Any]) -> dict[str, Any]:
    """Adds the schema of a service from the core's field table."""
    schema = json.loads(_core.service_schema())
    schema.pop("$schema", None)
    components = document.setdefault("components", {}).setdefault("schemas", {})
    components["ServiceConfig"] = schema
    components["Problem"] = _PROBLEM
    return document


def page(document: dict[str, Any]) -> str:
    """The document as one page of plain HTML."""
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>",
        '<meta name=viewport content="width=device-width,initial-scale=1">',
        f"<title>{html.escape(document['info']['title'])}</title><style>{_STYLE}</style>",
        f"<h1>{html.escape(document['info']['title'])}</h1>",
        '<p>The same as a document: <a href="openapi.json">openapi.json</a></p>',
    ]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            parts.append(_operation(path, method, operation))
    parts.append(_fields(document["components"]["schemas"]["ServiceConfig"]))
    return "\n".join(parts)


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{html.escape(item['name'])}</code><td>{html.escape(item['in'])}"
        f"<td>{html.escape(item.get('description', ''))}"
        for item in operation.get("parameters", ())
    )
    return (
        f"<section><b class={method}>{method.upper()}</b><code>{html.escape(path)}</code>"
        f"<p>{html.escape(operation.get('summary', ''))}</p>"
        + (f"<table>{rows}</table>" if rows else "")
        + "</section>"
    )


def _fields(schema: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{html.escape(name)}</code>"
        f"<td>{html.escape(str(field.get('description', '')))}"
        for name, field in schema.get("properties", {}).items()
    )
    return f"<section><h2>A service</h2><table>{rows}</table></section>"
