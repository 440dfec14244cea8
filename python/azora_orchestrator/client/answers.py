"""What the server said, as the orchestrator's classes and errors."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx

from azora_orchestrator import errors
from azora_orchestrator._arguments import optional_string_of, types_of
from azora_orchestrator.client import requests
from azora_orchestrator.client.requests import Request
from azora_orchestrator.errors import AzoraError, ServerUnreachable
from azora_orchestrator.events import Event
from azora_orchestrator.fleet_status import FleetStatus
from azora_orchestrator.history import History, HistoryGap, Moment, query_of
from azora_orchestrator.lease import Lease
from azora_orchestrator.models import Service, pick_from_dict
from azora_orchestrator.vocabulary import EventFilter

# Codes of REST that no method of the orchestrator has; the others are those of errors.py.
_OF_REST: dict[str, type[AzoraError]] = {
    "token_required": errors.AccessDenied,
    "foreign_origin": errors.AccessDenied,
    "unknown_host": errors.AccessDenied,
    "shutting_down": errors.OrchestratorClosed,
    "not_ready": errors.NotRunning,
}
_OF_STATUS: dict[int, type[AzoraError]] = {
    401: errors.AccessDenied,
    403: errors.AccessDenied,
    421: errors.AccessDenied,
    429: errors.LimitReached,
    504: errors.TimedOut,
}
_OF_CODE = {row.code: row.error for row in errors.ERRORS}


def not_ours(url: str, why: object) -> ServerUnreachable:
    """The error for an answer that is not of our server."""
    return ServerUnreachable(f"{url} does not answer as Azora does ({why})")


def error_of(url: str, about: str, status: int, body: bytes) -> AzoraError:
    """The error for an answer whose status says that the request failed."""
    try:
        problem = json.loads(body)
        message, code = str(problem["error"]), str(problem.get("code", ""))
        faults = [(str(one["field"]), str(one["message"])) for one in problem.get("faults", ())]
    except (ValueError, LookupError, TypeError, AttributeError):
        return not_ours(url, f"HTTP status {status}")
    kind = _OF_CODE.get(code) or _OF_REST.get(code) or _OF_STATUS.get(status)
    if kind is None:
        kind = errors.InvalidArgument if status < 500 else errors.InternalError
    if kind is errors.UnknownService and about:
        message = f'there is no service "{about}" at {url}'
    error = kind(message, faults)
    error.problem = problem
    return error


def checked(url: str, about: str, response: httpx.Response) -> httpx.Response:
    """An answer that was read, if it is a success. Raises the error that it says otherwise."""
    if response.status_code >= 300:
        raise error_of(url, about, response.status_code, response.content)
    return response


def not_stopped(error: AzoraError) -> list[str]:
    """The ids of services that did not stop in time. Raises the error if it says none."""
    if error.problem is None or "notStopped" not in error.problem:
        raise error
    return list(error.problem["notStopped"])


def json_of(url: str, body: bytes) -> Any:
    """The JSON of an answer. Raises ServerUnreachable if it is none."""
    try:
        return json.loads(body)
    except ValueError as error:
        raise not_ours(url, error) from None


def seq_of(url: str, headers: Mapping[str, str]) -> int:
    """The number of the last event that an answer reflects."""
    text = headers.get("azora-seq", "")
    if not (text.isascii() and text.isdigit()):
        raise not_ours(url, "it sent no Azora-Seq header")
    return int(text)


_HEALTH: tuple[str, ...] = (
    "serviceId",
    "status",
    "lastCheck",
    "uptime",
    "restartCount",
    "errorCount",
)
_HEALTH += ("responseTime", "cpu", "memory", "lastError")


def data_of_listed(item: dict[str, Any]) -> dict[str, Any]:
    """The answer of `GET /services/{id}` from an element of `GET /status/detailed`."""
    health = {name: item[name] for name in _HEALTH if name in item}
    rest = {name: value for name, value in item.items() if name not in health}
    data = {"config": rest.pop("config"), "health": health}
    data |= {name: rest.pop(name) for name in ("startTime", "lifecycle", "desired")}
    if "lastError" in health:
        data["lastError"] = health["lastError"]
    return data | rest


def services_of(
    url: str, response: httpx.Response, type: str | None = None, group: str | None = None
) -> list[Service]:
    """The services of `GET /status/detailed`: of a type and of a group; None: of all."""
    data, seq = json_of(url, response.content), seq_of(url, response.headers)
    services = [Service.from_dict(data_of_listed(one), seq=seq) for one in data["services"]]
    return [
        service
        for service in services
        if type in (None, service.type) and group in (None, service.group)
    ]


def status_of(
    url: str, response: httpx.Response, services: Sequence[Service] | Callable[[], list[Service]]
) -> FleetStatus:
    """The fleet from an answer of `GET /status`."""
    data, seq = json_of(url, response.content), seq_of(url, response.headers)
    return FleetStatus.from_dict(data, seq=seq, services=services)


class HistoryPages:
    """The pages of `GET /history`, one after the other.

    Raises:
        InvalidArgument: An argument is wrong.
    """

    def __init__(
        self,
        since: Moment | None,
        until: Moment | None,
        type: EventFilter | type[Event] | None,
        service: str | None,
    ) -> None:
        named = optional_string_of("service", service)
        self._query = query_of(since, until, types_of(type), named)
        self._events: list[Event] = []
        self._gaps: dict[int, HistoryGap] = {}
        self._cursor: str | None = None
        self.more = True

    def request(self) -> Request:
        """Asks for the next page."""
        return requests.history(self._query, self._cursor)

    def add(self, page: dict[str, Any]) -> None:
        """Takes a page."""
        self._events += [Event.from_dict(one) for one in page["events"]]
        for gap in page["gaps"]:
            self._gaps[gap["fromSeq"]] = HistoryGap(gap["fromSeq"], gap["toSeq"], gap["count"])
        self._cursor = page["next"]
        self.more = self._cursor is not None

    def history(self) -> History:
        """All that came."""
        return History(self._events, self._gaps.values())


def lease_of(pool: str, data: dict[str, Any], release: Callable[[str], bool]) -> Lease:
    """A lease from the answer of `GET /loadbalancer/{pool}?lease=auto`."""
    lease = data["lease"]
    pick = pick_from_dict(data)
    return Lease(pick, pool, data["strategy"], lease["id"], lease["ttlMs"], release)
