"""The hot reads, as bytes, in front of FastAPI.

/health, /status, /services, /services/{id} and /loadbalancer/{pool} are bytes made by the core;
everything else goes on to the routes. Errors have the same shape here as everywhere.
Their plainest case (a GET without a query, by a local peer under a Host that passed before) is
answered by the core in one call, `Core.front`, before it comes here.
"""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import parse_qs

from azora_orchestrator._core import CoreError
from azora_orchestrator.server.answers import JSON_TYPE, Refusal, from_core

_NOT_FOUND = "Service not found"
_NO_STORE = (b"cache-control", b"no-store")
# An answer about more services than this is made on a thread, so that picks do not wait for it.
LARGE_FLEET = 2_000
_TRUE = ("1", "true", "yes")

Answer = tuple[int, list[tuple[bytes, bytes]], bytes]


_second: tuple[int, bytes] = (-1, b"")  # the last time that was formatted


def iso_now() -> bytes:
    """The present time as the seed writes it: ISO 8601, UTC, milliseconds, Z."""
    global _second
    seconds, ms = divmod(time.time_ns() // 1_000_000, 1000)
    known, text = _second
    if known != seconds:
        text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)).encode()
        _second = (seconds, text)
    return b"%s.%03dZ" % (text, ms)


def ok(body: bytes) -> Answer:
    """A 200 with a JSON body."""
    return 200, [(b"content-type", JSON_TYPE)], body


def query_of(scope: Any) -> dict[str, list[str]]:
    """The query parameters; empty values are kept."""
    raw = scope.get("query_string", b"")
    if not raw:
        return {}
    try:
        return parse_qs(raw.decode("latin-1"), keep_blank_values=True, max_num_fields=64)
    except ValueError:
        raise Refusal(400, "invalid_argument", "the query has more than 64 parameters") from None


def one(query: dict[str, list[str]], name: str) -> str | None:
    """The value of a parameter that may be given once; None when absent or empty.

    Raises:
        Refusal: It is given more than once.
    """
    values = query.get(name, ())
    if len(values) > 1:
        raise Refusal(400, "invalid_argument", f"{name}: given {len(values)} times; give it once")
    return values[0] if values and values[0] else None


def flag(query: dict[str, list[str]], name: str) -> bool:
    """A parameter that is true or false; absent is false."""
    value = one(query, name)
    if value is None or value in ("0", "false", "no"):
        return False
    if value in _TRUE:
        return True
    raise Refusal(400, "invalid_argument", f'{name}: is "{value}"; it must be 1 or 0')


def hot_read(core: Any, path: str, scope: Any, head: bool) -> Answer | None:
    """The answer to a hot read; None if `path` is not a hot read.

    Args:
        core: The native core.
        path: Below the mount point, without a trailing slash.
        scope: The ASGI scope.
        head: A HEAD request: a pick then takes no turn and no lease.
    """
    if path.startswith("/loadbalancer/"):
        pool = path[14:]
        if not pool or "/" in pool:
            return None
        if b"explain" in scope.get("query_string", b"") and core.totals()[1] > LARGE_FLEET:
            return None  # slow: it names every candidate
        return pick(core, pool, scope, head)
    if path.startswith("/services/"):
        service_id = path[10:]
        if "/" in service_id:
            return None
        service = core.find(service_id)
        if service is None:
            raise Refusal(404, "unknown_service", _NOT_FOUND)
        return ok(service.json)
    if path in ("/status", "/services") and core.totals()[1] > LARGE_FLEET:
        return None
    if path == "/status":
        return ok(core.status_json(False))
    if path == "/services":
        return ok(services_json(core, scope))
    if path == "/health":
        return ok(b'{"status":"ok","timestamp":"%s"}' % iso_now())
    return None


def services_json(core: Any, scope: Any) -> bytes:
    """The answer to GET /services: all services, or those of one type, which have another shape."""
    types = query_of(scope).get("type", ())
    if len(types) > 1:
        return b'{"services":[]}'
    body: bytes = core.services_json(types[0] if types and types[0] else None)
    return body


def pick(core: Any, pool: str, scope: Any, head: bool) -> Answer:
    """The answer to GET /loadbalancer/{pool}."""
    client = scope.get("client")
    peer = client[0] if client else None
    strategy, explain = None, False
    try:
        if not scope.get("query_string"):
            body = core.pick_json(pool, None, None, peer, False, False, head)
        else:
            query = query_of(scope)
            strategy, explain = one(query, "strategy"), flag(query, "explain")
            lease = one(query, "lease")
            if lease not in (None, "auto", "none"):
                raise Refusal(400, "invalid_argument", f'lease: is "{lease}"; it must be auto')
            body = core.pick_json(
                pool,
                strategy,
                one(query, "key"),
                peer,
                lease == "auto" and not head,
                explain,
                head,
            )
    except CoreError as error:
        refusal = from_core(error)
        if refusal.code in ("no_healthy_instance", "not_running"):
            refusal.message = f"No healthy instances available for service type: {pool}"
            if explain:
                refusal.extra["candidates"] = json.loads(core.candidates_json(pool, strategy))
        refusal.headers.append(_NO_STORE)
        raise refusal from None
    return 200, [(b"content-type", JSON_TYPE), _NO_STORE], body
