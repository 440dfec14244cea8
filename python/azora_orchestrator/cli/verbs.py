"""The verbs that look: one read, a table or JSON out."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from azora_orchestrator.cli import render
from azora_orchestrator.cli.client import OK, UNHEALTHY, USAGE
from azora_orchestrator.cli.common import (
    LONGEST_WAIT_MS,
    Insecure,
    Json,
    ServiceId,
    Timeout,
    Url,
    app,
    as_json_wanted,
    client_of,
    duration_ms,
)

if TYPE_CHECKING:
    from azora_orchestrator.client import Client
    from azora_orchestrator.events import Event

_RECENT = 10  # events shown before those that are waited for
_LOG_LINES = 200
_LISTED = 100  # events shown when none are waited for


@app.command()
def check(
    ctx: typer.Context,
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="Configuration file: TOML, JSON or YAML.")
    ],
    host: Annotated[
        str | None, typer.Option("--host", metavar="HOST", help="Address of the server.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            "--port",
            "-p",
            min=0,
            max=65_535,
            help="Port of the server, which no service may use.",
        ),
    ] = None,
    insecure_plaintext: Insecure = False,
    as_json: Json = False,
) -> None:
    """Validate a configuration file.

    Prints every error with its line, and exits with 2 if there is one.
    """
    from azora_orchestrator.cli.serve import port_before_file, refuse_plaintext
    from azora_orchestrator.config import DEFAULT_HOST, load

    port = port_before_file(port)
    read = load(file, host=host, port=port, insecure_plaintext=insecure_plaintext)
    if not (read.faults or insecure_plaintext or read.settings.get("insecure_plaintext", False)):
        refuse_plaintext(host or read.settings.get("host", DEFAULT_HOST))
    if as_json_wanted(ctx, as_json):
        shown = [
            {
                "severity": kind,
                "file": item.file,
                "line": item.line,
                "field": item.field,
                "message": item.message,
            }
            for kind, items in (("fault", read.faults), ("warning", read.warnings))
            for item in items
        ]
        render.as_json(
            {"file": file, "ok": not read.faults, "services": len(read.services), "findings": shown}
        )
    else:
        for fault in read.faults:
            render.say(str(fault))
        for warning in read.warnings:
            render.say(render.warning(warning))
        if not read.faults:
            render.say(f"{file}: ok, {render.count(len(read.services))}")
    raise typer.Exit(USAGE if read.faults else OK)


@app.command()
def status(
    ctx: typer.Context,
    wait: Annotated[
        bool,
        typer.Option("--wait", help="Wait until every service that should run is healthy or done."),
    ] = False,
    timeout: Timeout = "60s",
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Show the state of all services.

    Exits with 1 while the fleet is stopped, or while a service that should be running is neither
    healthy nor a finished job.
    """
    from azora_orchestrator.cli import fleet

    with client_of(ctx, url) as client:
        found = fleet.read(client)
        reasons: Iterable[str] = ()
        if wait:
            timeout_ms = duration_ms("--timeout", timeout, most_ms=LONGEST_WAIT_MS)
            found, reasons = fleet.wait(client, found, timeout_ms, render.complain)
    if as_json_wanted(ctx, as_json):
        render.as_json(found.summary())
    else:
        render.say(found.headline())
        render.table(fleet.HEADINGS, found.rows(), status=1)
        if ended := found.ended:
            render.say(
                f"ended and not started again: {', '.join(ended)} (see azora why {ended[0]})"
            )
        if unverified := found.unverified:
            render.say(
                f"not verified whose listener answers: {', '.join(unverified)} "
                f"(see azora why {unverified[0]})"
            )
    for reason in reasons:
        render.complain(reason)
    raise typer.Exit(OK if found.well else UNHEALTHY)


@app.command()
def services(
    ctx: typer.Context,
    type: Annotated[
        str | None, typer.Option("--type", metavar="TYPE", help="Only services of this type.")
    ] = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """List services with type, endpoint and dependencies."""
    with client_of(ctx, url) as client:
        found = client.request("GET", "status", "detailed")["services"]
    if type is not None:
        found = [item for item in found if item["config"].get("type") == type]
    if as_json_wanted(ctx, as_json):
        render.as_json({"services": found})
        return
    render.table(
        ("SERVICE", "STATUS", "TYPE", "ENDPOINT", "DEPENDS ON"),
        (
            (
                item["serviceId"],
                item["status"],
                str(item["config"].get("type") or "-"),
                str(item["config"].get("endpoint") or "-"),
                ", ".join(_needs(item["config"])) or "-",
            )
            for item in found
        ),
        status=1,
    )


def _needs(config: dict[str, Any]) -> list[str]:
    return [
        need["id"] if isinstance(need, dict) else str(need)
        for need in config.get("dependencies") or ()
    ]


@app.command()
def events(
    ctx: typer.Context,
    follow: Annotated[
        bool,
        typer.Option("--follow", "-f", help="Follow new events, also when the server restarts."),
    ] = False,
    lines: Annotated[
        int | None,
        typer.Option(
            "--lines",
            "-n",
            min=0,
            metavar="N",
            help=f"Only the last N [default: {_LISTED}, {_RECENT} with -f, all with --since].",
        ),
    ] = None,
    since: Annotated[
        int | None,
        typer.Option("--since", min=0, metavar="SEQ", help="Only events after this number."),
    ] = None,
    service: Annotated[
        str | None,
        typer.Option("--service", metavar="ID", help="Only events of this service or entry."),
    ] = None,
    type: Annotated[
        list[str] | None,
        typer.Option("--type", metavar="NAME", help="Only events of this name; repeatable."),
    ] = None,
    checks: Annotated[
        bool, typer.Option("--checks", help="Include health checks, which are left out otherwise.")
    ] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Show events, oldest first; -f follows.

    Each line begins with the number of the event, for --since, and its time (UTC).
    """
    from azora_orchestrator.vocabulary import EVENT_TYPES

    raw = as_json_wanted(ctx, as_json)
    if not type and not checks:
        type = [name for name in EVENT_TYPES if name not in ("healthCheck", "gap")]
    elif type and checks:
        type = [*type, "healthCheck"]
    chosen: dict[str, Any] = {"type": type, "service": service}
    with client_of(ctx, url) as client:
        if service is not None:
            _note_unknown(client, service)
        head = client.seq()
        most = (_RECENT if follow else _LISTED) if lines is None and since is None else lines
        for event in _past(client, head, since, most, chosen):
            _print_event(event, raw)
            head = max(head, event.seq)
        if not follow:
            return

        def tell(connected: bool) -> None:
            lost = f"the connection to {client.url} is lost; trying again"
            render.complain("connected again" if connected else lost)

        with client.events(since=head, on_connection=tell, **chosen) as stream:
            for event in stream:
                _print_event(event, raw)


def _note_unknown(client: Client, service: str) -> None:
    """A wrong name would be waited for in silence; a former or later service may be meant, too."""
    from azora_orchestrator.errors import UnknownService

    try:
        client.service(service)
    except UnknownService:
        render.complain(f'no service "{service}" is registered at {client.url} now')


def _past(
    client: Client, head: int, since: int | None, most: int | None, chosen: dict[str, Any]
) -> Iterable[Event]:
    """Those after `since`, at most the last so many: the log is read from near its end."""
    if most is None:
        return client.past_events(since=since or 0, **chosen)
    span = 8 * most + 64
    while True:
        begin = max(since or 0, head - span)
        last = deque(client.past_events(since=begin, **chosen), maxlen=most)
        if begin == (since or 0) or len(last) >= most:
            return last
        span *= 8


def _print_event(event: Event, raw: bool) -> None:
    if raw:
        render.as_json(event.data)
    else:
        render.say(render.event_line(event.data))


@app.command()
def why(ctx: typer.Context, id: ServiceId, url: Url = None, as_json: Json = False) -> None:
    """Explain the state of a service, and what happens next.

    Exits with 1 if it is unhealthy.
    """
    with client_of(ctx, url) as client:
        found = client.request("GET", "services", id, "why")
    if as_json_wanted(ctx, as_json):
        render.as_json(found)
    else:
        known, summary = f"{found['serviceId']} is {found['status']}", found["summary"]
        more = summary.removeprefix(known)
        goes_on = not more or more.startswith((":", ";"))
        render.say(f"{known} ({found['lifecycle']}){more if goes_on else ''}")
        if not goes_on:
            render.say(summary)
        error = found.get("lastError")
        if error and error not in found["summary"]:
            render.say(f"last error: {error}")
        if found.get("blockedBy") and found["lifecycle"] not in ("READY", "WATCHING"):
            render.say("waits for: " + ", ".join(found["blockedBy"]))
        if found.get("nextAttemptAt"):
            render.say(f"next attempt: {found['nextAttemptAt']}")
        for text in found.get("unblockedBy") or ():
            render.say(f"unblocked by: {text}")
    raise typer.Exit(UNHEALTHY if found["status"] == "unhealthy" else OK)


@app.command()
def logs(
    ctx: typer.Context,
    id: ServiceId,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Follow the output.")] = False,
    lines: Annotated[
        int | None,
        typer.Option(
            "--lines",
            "-n",
            min=0,
            max=10_000,
            metavar="N",
            help=f"How many lines to begin with [default: {_LOG_LINES}].",
        ),
    ] = None,
    timestamps: Annotated[
        bool, typer.Option("--timestamps", "-t", help="Prefix each line with its time (UTC).")
    ] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Show the output of a service that the server runs.

    Output that was lost, to a full disk for instance, is reported on standard error.
    Control characters are spelled out on a terminal, and left as they are in a pipe.
    """
    raw = as_json_wanted(ctx, as_json)
    lines = _LOG_LINES if lines is None else lines
    word = secrets.token_hex(8)  # the service cannot know it, so it cannot write our notes
    note = f"[azora {word}: "
    with client_of(ctx, url) as client:
        shown: Iterable[str]
        if follow:
            shown = client.follow_logs(id, lines=lines, timestamps=timestamps, notes=word)
        else:
            text = client.logs(id, lines=lines, timestamps=timestamps, notes=word)
            shown = text.removesuffix("\n").split("\n") if text else ()
        for line in shown:
            if line.startswith(note) and line.endswith("]"):
                render.complain(line[len(note) : -1])
            elif raw:
                render.as_json({"serviceId": id, "line": line})
            else:
                render.say(line)


@app.command()
def pick(
    ctx: typer.Context,
    pool: Annotated[
        str, typer.Argument(metavar="POOL", help="A type, a group, or the id of a service.")
    ],
    strategy: Annotated[
        str | None,
        typer.Option(
            "--strategy",
            metavar="NAME",
            help="round-robin, least-connections, weighted or ip-hash [default: the pool's].",
        ),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option("--key", help="What ip-hash hashes [default: the caller's address]."),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show every candidate, and why it was left out.")
    ] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Pick an instance of a pool.

    Exits with 1 if none can be picked; with --explain it says why.
    """
    from azora_orchestrator.errors import NoHealthyInstance

    asked = {"strategy": strategy, "key": key, "explain": "1" if explain else None}
    raw = as_json_wanted(ctx, as_json)
    with client_of(ctx, url) as client:
        try:
            found = client.request("GET", "loadbalancer", pool, **asked)
        except NoHealthyInstance as error:
            if explain and not raw and error.problem is not None:
                _print_candidates(error.problem.get("candidates", ()))
            raise
    if raw:
        render.as_json(found)
        return
    render.say(f"{found['serviceId']} {found['endpoint']}")
    if explain:
        _print_candidates(found["candidates"])


def _print_candidates(candidates: Iterable[dict[str, Any]]) -> None:
    names = ("serviceId", "tier", "load", "weight", "excluded")
    render.table(
        ("CANDIDATE", "TIER", "LOAD", "WEIGHT", "EXCLUDED"),
        (tuple(str(item.get(name, "-")) for name in names) for item in candidates),
    )


@app.command()
def graph(ctx: typer.Context, url: Url = None, as_json: Json = False) -> None:
    """Show the dependencies between services as a tree."""
    with client_of(ctx, url) as client:
        found = client.request("GET", "graph")
    if as_json_wanted(ctx, as_json):
        render.as_json(found)
        return
    needs: dict[str, list[str]] = {node["id"]: [] for node in found["nodes"]}
    for edge in found["edges"]:
        if edge["to"] not in needs[edge["from"]]:  # by several of its instances
            needs[edge["from"]].append(edge["to"])
    for line in render.tree(needs, {node["id"]: _state(node) for node in found["nodes"]}):
        render.say(line)


def _state(node: dict[str, Any]) -> str:
    status = str(node["status"])
    if "instances" not in node:
        return status
    return f"{status}, {node['ready']} of {len(node['instances'])} ready"
