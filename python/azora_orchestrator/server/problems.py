"""The forms of our responses: compact JSON, and one shape for every error.

Success is `application/json; charset=utf-8`. An error is `application/problem+json` that begins
with the seed's keys (`success` and `error`, or `error` alone for reads), so that a client of the
seed reads it as it always did.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from azora_orchestrator.errors import ERRORS

JSON_TYPE = b"application/json; charset=utf-8"
PROBLEM_TYPE = b"application/problem+json"
TEXT_TYPE = b"text/plain; charset=utf-8"

Headers = list[tuple[bytes, bytes]]

_STATUS_OF_CODE = {row.code: row.status for row in ERRORS}

_TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    409: "Conflict",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    421: "Misdirected Request",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


def compact(value: Any) -> bytes:
    """JSON without spaces and with unescaped non-ASCII text, as the seed writes it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


class HTTPProblem(Exception):
    """A request that gets an error response.

    Args:
        status: HTTP status.
        code: The machine-readable reason, snake_case.
        message: One line that says what to do.
        headers: Further headers of the response.
        extra: Further keys of the response.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        headers: Sequence[tuple[bytes, bytes]] = (),
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = list(headers)
        self.extra = dict(extra or {})


def shutting_down() -> HTTPProblem:
    """The response to a change, a wait or a new stream from the first signal on."""
    return HTTPProblem(503, "shutting_down", "the server is shutting down")


def problem(refusal: HTTPProblem, *, unsafe: bool) -> tuple[int, Headers, bytes]:
    """The error response: status, headers, body. `unsafe` adds `success:false`, like the seed."""
    body: dict[str, Any] = {"success": False} if unsafe else {}
    body |= {
        "error": refusal.message,
        "type": f"urn:azora:error:{refusal.code}",
        "title": _TITLES.get(refusal.status, "Error"),
        "status": refusal.status,
        "detail": refusal.message,
        "code": refusal.code,
    }
    body |= refusal.extra
    return refusal.status, [(b"content-type", PROBLEM_TYPE), *refusal.headers], compact(body)


def from_core(error: Exception) -> HTTPProblem:
    """A refusal of the core as a REST response. Takes a CoreError: args (code, message, faults)."""
    code, message, faults = (*error.args, "", (), ())[:3]
    extra = {}
    if faults:
        extra["faults"] = [{"field": field, "message": text} for field, text in faults]
    return HTTPProblem(_STATUS_OF_CODE.get(code, 500), str(code), str(message), extra=extra)
