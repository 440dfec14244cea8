"""`GET /docs`: the API as a page, by swagger-ui's own files, with nothing from the network.

The folder swagger_ui holds these files as npm's `swagger-ui-dist` has them, compressed, with their
licences and sums (SHA256).
"""

from __future__ import annotations

import html
from importlib import resources

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from azora_orchestrator.server.openapi import PROBLEMS
from azora_orchestrator.server.routes.common import new_router

_FOLDER = resources.files("azora_orchestrator.server").joinpath("swagger_ui")
# swagger-ui writes styles into the page; scripts come from here alone.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS = {"content-security-policy": _POLICY, "x-content-type-options": "nosniff"}
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Azora Orchestrator</title>
<link rel="stylesheet" href="{root}/docs/swagger-ui.css">
</head>
<body>
<noscript><a href="{root}/openapi.json">The document</a> needs no scripts.</noscript>
<div id="swagger-ui"></div>
<script src="{root}/docs/swagger-ui-bundle.js"></script>
<script src="{root}/docs/start.js"></script>
</body>
</html>
"""
# The page may be mounted anywhere: the document lies beside the folder of this script.
_START = b"""\
const here = new URL(document.currentScript.src);
SwaggerUIBundle({
  url: new URL("../openapi.json", here).pathname,
  dom_id: "#swagger-ui",
  presets: [SwaggerUIBundle.presets.apis],
  deepLinking: true,
  docExpansion: "list",
  validatorUrl: null,
});
"""


router = new_router()


@router.get("/docs", response_class=HTMLResponse, responses=PROBLEMS)
async def docs(request: Request) -> Response:
    """The description of the API as a page."""
    root = html.escape(request.scope.get("root_path", ""))
    return HTMLResponse(_PAGE.replace("{root}", root), headers=_HEADERS)


@router.get("/docs/swagger-ui-bundle.js", include_in_schema=False)
async def bundle() -> Response:
    """Its program."""
    return _file("swagger-ui-bundle.js", "text/javascript; charset=utf-8")


@router.get("/docs/swagger-ui.css", include_in_schema=False)
async def style() -> Response:
    """Its style."""
    return _file("swagger-ui.css", "text/css; charset=utf-8")


@router.get("/docs/start.js", include_in_schema=False)
async def start() -> Response:
    """Starts it with our document."""
    return Response(_START, headers=_HEADERS | {"content-type": "text/javascript; charset=utf-8"})


def _file(name: str, kind: str) -> Response:
    kept = {"content-encoding": "gzip", "cache-control": "max-age=3600"}
    body = _FOLDER.joinpath(f"{name}.gz").read_bytes()
    return Response(body, headers=_HEADERS | kept | {"content-type": kind})
