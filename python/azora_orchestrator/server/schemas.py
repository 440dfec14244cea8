"""What the responses look like: the models behind `/openapi.json`.

The core writes the responses itself; these classes describe them, and tests compare the two.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, RootModel, WithJsonSchema
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema

from azora_orchestrator import _core, vocabulary

Moment = Annotated[
    str, WithJsonSchema({"type": "string", "format": "date-time"})
]  # ISO 8601, UTC, milliseconds
Milliseconds = Annotated[int, Field(ge=0)]
Count = Annotated[int, Field(ge=0)]
Anything = Annotated[Any, WithJsonSchema({})]


class Answer(BaseModel):
    """Python names become the names of the wire."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class ServiceConfig(RootModel[dict[str, Any]]):
    """A service as its owner describes it."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """The schema that the core makes of its table of fields, as requests may have them."""
        schema: dict[str, Any] = json.loads(_core.service_schema("rest"))
        schema.pop("$schema", None)
        return schema


class Configuration(RootModel[dict[str, Any]]):
    """A service as it was registered: with the seed's defaults, and unknown fields."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """The keys that are always there."""
        text = {"type": "string"}
        return {
            "type": "object",
            "description": "A service as it was registered, with the seed's defaults filled in.",
            "required": ["id", "name", "type", "endpoint"],
            "properties": {
                "id": text,
                "name": text,
                "type": text,
                "endpoint": {"anyOf": [text, {"type": "null"}]},
            },
            "additionalProperties": True,
        }


class Fault(Answer):
    """One wrong field."""

    field: str = Field(description="Its path, such as healthCheck.timeout.")
    message: str = Field(description="The rule, the given value, and what to do.")


class Problem(Answer):
    """Every error (RFC 9457), with the keys of the seed."""

    success: Literal[False] | None = Field(None, description="In answers to changes.")
    error: str = Field(description="What is wrong and what to do; the same as detail.")
    type: str = Field(description="urn:azora:error: and the code.")
    title: str = Field(description="The words of the status.")
    status: int = Field(description="The HTTP status.", ge=400, le=599)
    detail: str = Field(description="What is wrong and what to do.")
    code: str = Field(description="The reason, for programs.")
    faults: list[Fault] | None = Field(None, description="Each wrong field of a service.")
    not_stopped: list[str] | None = Field(None, description="Services that did not stop in time.")
    candidates: list[Candidate] | None = Field(
        None, description="Of a pick that found nothing, with explain."
    )
    insecure_plaintext: bool | None = Field(None, description="As /readyz says when it is ready.")


class Health(Answer):
    """How a service responds to its checks."""

    service_id: str = Field(description="Id of the service.")
    status: vocabulary.Status
    last_check: Moment = Field(description="When it was last checked, registered or restarted.")
    uptime: Milliseconds = Field(description="Since its start, while it is healthy; ms.")
    restart_count: Count = Field(description="Restarts since it was registered.")
    error_count: Count = Field(description="Checks in a row that got no answer.")
    response_time: Milliseconds = Field(description="Of the last check; ms.")
    cpu: Anything = Field(None, description="As the service itself reports it.")
    memory: Anything = Field(None, description="As the service itself reports it.")
    last_error: str | None = Field(None, description="Why its last check or start failed.")


class LastExit(Answer):
    """How the process ended last."""

    code: int | None
    signal: str | None
    oom: bool | None = Field(description="Killed for lack of memory; null: not known.")
    at: Moment
    reason: str | None = None


class LogLoss(Answer):
    """Output that could not be written."""

    lines: Count
    bytes: Count
    since: Moment
    reason: str
    goes_on: bool


class Process(Answer):
    """The process of a service."""

    pid: int | None
    incarnation: Count
    started_at: Moment | None
    cpu_percent: float | None
    rss_bytes: int | None
    last_exit: LastExit | None
    log_dropped: Count
    log_loss: LogLoss | None = None


class Drain(Answer):
    """It is out of rotation until its owner ends that."""

    state: Literal["draining", "drained"] = Field(description="drained: it is over.")
    then: vocabulary.DrainThen
    since: Moment
    until: Moment = Field(description="When it is over at the latest.")


class Maintenance(Answer):
    """It is checked, but neither picked nor restarted."""

    reason: str
    since: Moment
    until: Moment | None = Field(description="When it ends by itself.")


class DrainRequest(Answer):
    """How to drain a service."""

    timeout_ms: Milliseconds = Field(
        30_000, description="When the drain is over, whatever leases are left.", le=2**31 - 1
    )
    then: vocabulary.DrainThen = Field("keep", description="What follows.")


class MaintenanceRequest(Answer):
    """Why nothing is to be done about a service, and until when."""

    reason: str = Field(description="1 to 1000 bytes.")
    until: Moment | None = Field(None, description="When it ends by itself, with its zone.")


class State(Answer):
    """What is known of a service beside its health."""

    start_time: Moment
    lifecycle: vocabulary.Lifecycle
    desired: vocabulary.Desired
    restart_required: bool | None = None
    drain: Drain | None = None
    maintenance: Maintenance | None = None
    process: Process | None = None
    instances: list[str] | None = Field(None, description="Of an entry with replicas.")
    ready: int | None = Field(None, description="How many of them are ready.")


class Service(State):
    """One service, or an entry with replicas as one."""

    config: Configuration
    health: Health
    last_error: str | None = None


class DetailedService(State, Health):
    """One service with all that is known of it."""

    config: Configuration


class Totals(Answer):
    """The fleet in numbers."""

    running: bool = Field(description="Whether the orchestrator is started.")
    total_services: Count
    healthy_services: Count
    unhealthy_services: Count


class Status(Totals):
    """The fleet, and the health of every service in the order of registration."""

    services: list[Health]
    ended_services: list[str] = Field(
        description="Services that ended by themselves though they are wanted up."
    )
    unverified_services: list[str] | None = Field(
        None, description="Services of which the kernel could not say whose listener answers."
    )


class DetailedStatus(Totals):
    """The same with configuration, lifecycle and process of each service."""

    services: list[DetailedService]
    ended_services: list[str]
    unverified_services: list[str] | None = None


class HealthList(Answer):
    """Every service."""

    services: list[Health]


class NamedHealth(Answer):
    """One service of a type."""

    id: str
    name: str
    type: str
    health: Health


class TypeList(Answer):
    """The services of one type, which have another shape."""

    services: list[NamedHealth]


class Lease(Answer):
    """A use that is counted until it is released."""

    id: str
    ttl_ms: Milliseconds


class Candidate(Answer):
    """One instance of a pool, as it was before the pick."""

    service_id: str
    tier: str
    load: Count
    load_source: str
    weight: float
    excluded: str | None = Field(None, description="Why it could not be picked.")


class Pick(Answer):
    """One instance of a pool."""

    service_id: str
    endpoint: str
    health: Health
    strategy: vocabulary.Strategy
    lease: Lease | None = None
    panic: bool | None = Field(None, description="All instances count, since so few are healthy.")
    candidates: list[Candidate] | None = None


class Released(Answer):
    """Whether there was such a lease."""

    released: bool


class Said(Answer):
    """A change that was made."""

    success: Literal[True]
    message: str


class Waited(Answer):
    """A wait that is over, since it has come true."""

    success: Literal[True]
    services: list[str] = Field(description="What was waited for: ids and names of entries.")


class VerbAnswer(Answer):
    """A start, stop, restart or the like that was accepted, or with `wait` is done."""

    success: Literal[True]
    service_id: str
    incarnation: Count
    seq: Count = Field(description="Number of the last event of this change.")
    affected: list[str] = Field(description="Ids of the services that it is about.")


class ReloadChange(Answer):
    """What a reload does with one service or entry."""

    service_id: str
    action: Literal["add", "change", "remove"]
    fields: list[str] = Field(description="Of a change: what differs, such as process.argv.")
    restart: bool = Field(description="Its process runs another program than the file has now.")
    effect: str = Field(description="What happens and why, in one sentence.")


class Reload(Answer):
    """What a reload changes, or has changed."""

    success: Literal[True]
    file: str
    changes: list[ReloadChange]
    unchanged: Count = Field(description="How many entries stay as they are.")
    applied: bool = Field(description="False: it was only a plan.")


class Edge(Answer):
    """A dependency."""

    condition: Literal["started", "healthy", "completed"]
    strength: Literal["hard", "soft"]
    min: int
    satisfied: bool


class Need(Edge):
    """A service that is needed."""

    id: str
    missing: bool = Field(description="It is not registered.")
    status: vocabulary.Status


class TreeNode(Answer):
    """One line of the tree of what is needed; parents come before children."""

    id: str
    depth: Count
    missing: bool


class Dependencies(Answer):
    """What a service needs, and who needs it."""

    service_id: str
    dependencies: list[Need]
    dependents: list[str]
    tree: list[TreeNode]


class Node(Answer):
    """One entry of the graph."""

    id: str
    type: str
    status: vocabulary.Status
    lifecycle: vocabulary.Lifecycle
    rank: int = Field(description="0: needs nothing; else one more than what it needs.")
    instances: list[str] | None = None
    ready: int | None = None


class GraphEdge(Edge):
    """A dependency between two entries."""

    from_: str = Field(alias="from")
    to: str
    instance: str | None = None


class Graph(Answer):
    """Every entry and what it depends on."""

    nodes: list[Node]
    edges: list[GraphEdge]
    start_order: list[str]


class Why(Answer):
    """Why a service is as it is, and what happens next."""

    service_id: str
    summary: str = Field(description="One sentence.")
    lifecycle: vocabulary.Lifecycle
    status: vocabulary.Status
    cause: vocabulary.Cause | None
    attempt: Count
    max_restarts: int = Field(description="-1: no limit.")
    next_attempt_at: Moment | None
    blocked_by: list[str]
    unblocked_by: list[str] = Field(description="What would help.")
    last_error: str | None
    instances: list[str] | None = Field(None, description="Of an entry with replicas.")
    ready: int | None = None


class Event(Answer):
    """One event; which further keys there are depends on its type."""

    model_config = ConfigDict(extra="allow")

    seq: Count
    time: Moment
    type: vocabulary.EventType
    service_id: str | None
    incarnation: Count
    cause: vocabulary.Cause | None
    actor: vocabulary.Actor | None = None
    status: vocabulary.Status | None = None
    response_time: Milliseconds | None = None
    attempt: int | None = None
    max_restarts: int | None = None
    downtime_ms: int | None = None
    pid: int | None = None
    code: int | None = None
    signal: str | None = None
    oom: bool | None = None
    from_seq: int | None = None
    to_seq: int | None = None
    count: int | None = None
    blocked_by: list[str] | None = None
    reason: str | None = None


class HistoryGap(Answer):
    """State events that were lost before they could be stored."""

    from_seq: Count = Field(description="Number of the first of them.")
    to_seq: Count = Field(description="Number of the last of them.")
    count: Count


class History(Answer):
    """A page of past events."""

    events: list[Event] = Field(description="In order of their numbers.")
    next: str | None = Field(description="The cursor of the next page; null: there is none.")
    gaps: list[HistoryGap] = Field(description="What was lost among them; usually nothing.")


class Ok(Answer):
    """The process lives."""

    status: Literal["ok"]


class OkNow(Ok):
    """The server responds."""

    timestamp: Moment


class Ready(Answer):
    """The server is ready."""

    ready: Literal[True]
    insecure_plaintext: bool | None = Field(
        None, description="Tokens and answers cross a network without TLS."
    )
    ended_services: list[str] | None = None
    details: list[str] | None = None


Problem.model_rebuild()
