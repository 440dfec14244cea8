"""What is asked of the server: one function for each request, without any input or output.

`Client` and `AsyncClient` send the same requests and read the answers by the same functions.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from math import ceil
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from azora_orchestrator._arguments import choice_of, integer_of, moment_of, string_of
from azora_orchestrator._wire import split, texts_of
from azora_orchestrator.errors import InvalidArgument, InvalidSpec
from azora_orchestrator.service_config import ServiceConfig
from azora_orchestrator.vocabulary import DRAIN_THENS

_DOT_SEGMENTS = {".": "%2E", "..": "%2E%2E"}  # else clients and servers remove them from a path


_CALLABLE = "is a callable, which cannot be sent to a server; leave it out"


class Request(NamedTuple):
    """One request.

    Attributes:
        method: GET, POST, DELETE or HEAD.
        path: Quoted, below the server's URL, with the query.
        about: The id of the service, for errors that name it.
        body: JSON that is sent.
        extra_ms: How long the server may take to answer, beyond the client's `timeout_ms`.
        headers: Further headers.
    """

    method: str
    path: str
    about: str = ""
    body: bytes | None = None
    extra_ms: float = 0
    headers: Mapping[str, str] = {}

    @property
    def repeatable(self) -> bool:
        """Whether it may be sent again when the connection broke before the answer."""
        return self.method in ("GET", "HEAD")


def get(*parts: str, about: str = "", **query: Any) -> Request:
    """A read."""
    return Request("GET", _path(parts, query), about)


def post(*parts: str, about: str = "", extra_ms: float = 0, **query: Any) -> Request:
    """A change."""
    return Request("POST", _path(parts, query), about, None, extra_ms)


def register(given: ServiceConfig | Mapping[str, Any] | None, fields: Mapping[str, Any]) -> Request:
    """A registration, of a service or of its fields.

    Raises:
        InvalidSpec: A value cannot be expressed in JSON.
    """
    if (given is None) == (not fields):
        raise InvalidArgument("register: give one service, or its fields as keywords")
    wire, function = split(ServiceConfig(**fields) if given is None else given)
    if function is not None:
        raise InvalidSpec(f"restart: {_CALLABLE}", [("restart", _CALLABLE)])
    (text,) = texts_of([wire])
    return Request("POST", "/services/register", body=text.encode())


def register_many(services: Iterable[ServiceConfig | Mapping[str, Any]]) -> Request:
    """A registration of several services.

    Raises:
        InvalidSpec: A value cannot be expressed in JSON.
    """
    if isinstance(services, ServiceConfig | Mapping | str) or not isinstance(services, Iterable):
        raise InvalidArgument("register_many: takes a list of services; one is for register()")
    wires: list[dict[str, Any]] = []
    faults: list[tuple[str, str]] = []
    for index, service in enumerate(services):
        wire, function = split(service)
        wires.append(wire)
        if function is not None:
            faults.append((f"services[{index}].restart", _CALLABLE))
    if faults:
        raise InvalidSpec("; ".join(map(": ".join, faults)), faults)
    return Request("POST", "/services", body=f"[{','.join(texts_of(wires))}]".encode())


def wait(names: Sequence[str], goal: str, timeout_ms: float, horizon_ms: float) -> Request:
    """Wait until services are ready or stopped; no name: all."""
    for name in names:
        one_id(name)
    asked = get(
        "wait",
        about=names[0] if len(names) == 1 else "",
        service=list(names) or None,
        timeoutMs=ceil(timeout_ms),
        horizonMs=ceil(horizon_ms),
        **{"for": goal},
    )
    return asked._replace(extra_ms=timeout_ms)


def stop_all(timeout_ms: float, *, leave: bool) -> Request:
    """Stop the fleet."""
    if leave:
        raise InvalidArgument(
            "leave: only the program that runs the server can leave its services running "
            "(azora serve --leave)"
        )
    return post("orchestrator", "stop", extra_ms=timeout_ms)


def reload(*, plan: bool, restart_changed: bool) -> Request:
    """Read the configuration file again."""
    return post(
        "orchestrator",
        "reload",
        plan="1" if plan else None,
        restartChanged="1" if restart_changed else None,
    )


def release(lease_id: str) -> Request:
    """End a lease."""
    return post("leases", one_id(lease_id, "lease_id"), "release")


def status(*, detailed: bool) -> Request:
    """The fleet."""
    return get("status", "detailed") if detailed else get("status")


def logs(id: str, lines: int, timestamps: bool, **query: Any) -> Request:
    """The output of a service."""
    if not isinstance(lines, int) or isinstance(lines, bool):
        raise InvalidArgument(f"lines is {lines!r}; it must be an integer from 0 to 10000")
    return service(id, "logs", lines=lines, timestamps="1" if timestamps else None, **query)


def history(given: Mapping[str, Any], cursor: str | None) -> Request:
    """A page of past events."""
    return get("history", **given, cursor=cursor)


def delete(*parts: str, about: str = "") -> Request:
    """A removal."""
    return Request("DELETE", _path(parts, {}), about)


def service(name: str, *parts: str, **query: Any) -> Request:
    """A read of one service, or of a part of it."""
    return get("services", one_id(name), *parts, about=name, **query)


def verb(
    name: str,
    what: str,
    *,
    wait: bool,
    timeout_ms: float,
    dependents: bool = False,
    dependencies: bool = False,
) -> Request:
    """Start, stop or restart a service."""
    goal = "stopped" if what == "stop" else "ready"
    return post(
        "services",
        one_id(name),
        what,
        about=name,
        extra_ms=timeout_ms if wait else 0,
        wait=goal if wait else None,
        timeoutMs=round(timeout_ms) if wait else None,
        dependents="1" if dependents else None,
        dependencies="1" if dependencies else None,
    )


def drain(name: str, *, timeout_ms: int, then: str, wait: bool) -> Request:
    """Take a service out of rotation. With `wait`, what follows has 30 s beyond the drain."""
    within = integer_of("timeout_ms", timeout_ms, 0, 2**31 - 1)
    whole_ms = min(within + 30_000, 600_000)
    asked = post(
        "services",
        one_id(name),
        "drain",
        about=name,
        extra_ms=whole_ms if wait else 0,
        wait="drained" if wait else None,
        timeoutMs=whole_ms if wait else None,
    )
    choice_of("then", then, DRAIN_THENS)
    return asked._replace(body=json.dumps({"timeoutMs": within, "then": then}).encode())


def undrain(name: str) -> Request:
    """End a drain."""
    return delete("services", one_id(name), "drain", about=name)


def maintenance(name: str, *, reason: str, until: datetime | str | None) -> Request:
    """Have a service left alone."""
    asked = post("services", one_id(name), "maintenance", about=name)
    body = {"reason": string_of("reason", reason)}
    if (at := moment_of("until", until)) is not None:
        body["until"] = datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")
    return asked._replace(body=json.dumps(body).encode())


def end_maintenance(name: str) -> Request:
    """End a maintenance."""
    return delete("services", one_id(name), "maintenance", about=name)


def pick(pool: str, *, key: str | None, strategy: str | None, lease: bool) -> Request:
    """Choose an instance of a pool."""
    return get(
        "loadbalancer",
        one_id(pool, "pool"),
        key=key,
        strategy=strategy,
        lease="auto" if lease else None,
    )


def one_id(value: object, what: str = "id") -> str:
    """A name for a path. Raises InvalidArgument if it is not a string, or is empty."""
    if not isinstance(value, str) or not value:
        raise InvalidArgument(f"{what} is {value!r}; it must be a string")
    return value


def _path(parts: tuple[str, ...], query: Mapping[str, Any]) -> str:
    try:
        path = "/" + "/".join(_DOT_SEGMENTS.get(part) or quote(part, safe="@") for part in parts)
        given = {name: value for name, value in query.items() if value is not None}
        return f"{path}?{urlencode(given, doseq=True)}" if given else path
    except UnicodeEncodeError:
        raise InvalidArgument("a lone surrogate cannot be sent to a server") from None
