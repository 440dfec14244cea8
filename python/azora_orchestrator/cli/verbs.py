"""The verbs that look: one read, a table or JSON out."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from azora_orchestrator.cli import render
from azora_orchestrator.cli.client import OK, UNHEALTHY, USAGE
from azora_orchestrator.cli.common import Json, ServiceId, Url, app, as_json_wanted, client_of

_RECENT = 10  # events shown before those that are waited for
_NOTE = "[azora: "  # begins what the server says in between a service's lines


@app.command()
def check(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="TOML, JSON or YAML.")],
    host: Annotated[
        str | None, typer.Option("--host", metavar="HOST", help="As for serve.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            "--port", "-p", min=0, max=65_535, help="As for serve: no process may have it."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Judge a configuration file: every fault with its line; exit 2 when there is one."""
    from azora_orchestrator.cli.serve import port_before_file
    from azora_orchestrator.config import load

    read = load(file, host=host, port=port_before_file(port))
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
            where, _, text = str(warning).partition(": ")
            render.say(f"{where}: warning: {text}")
        if not read.faults:
            render.say(f"{file}: ok, {render.count(len(read.services))}")
    raise typer.Exit(USAGE if read.faults else OK)


@app.command()
def status(ctx: typer.Context, url: Url = None, as_json: Json = False) -> None:
    """How the fleet is; exit 1 when it is stopped or a service is unhealthy or has ended."""
    found = client_of(ctx, url).get("status")
    if as_json_wanted(ctx, as_json):
        render.as_json(found)
    else:
        state = "running" if found["running"] else "stopped"
        render.say(
            f"{state}, {render.count(found['totalServices'])}, {found['healthyServices']} healthy, "
            f"{found['unhealthyServices']} unhealthy"
        )
        render.table(
            ("SERVICE", "STATUS", "UP", "CHECK", "RESTARTS", "ERRORS"),
            (
                (
                    item["serviceId"],
                    item["status"],
                    render.span(item["uptime"]),
                    f"{item['responseTime']} ms",
                    str(item["restartCount"]),
                    str(item["errorCount"]),
                )
                for item in found["services"]
            ),
            status=1,
        )
        if ended := found.get("endedServices"):
            render.say(
                f"ended and not started again: {', '.join(ended)} (see azora why {ended[0]})"
            )
    ill = not found["running"] or found["unhealthyServices"] or found.get("endedServices")
    raise typer.Exit(UNHEALTHY if ill else OK)


@app.command()
def services(
    ctx: typer.Context,
    type: Annotated[str | None, typer.Option("--type", help="Only this type.")] = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Every service with its type, endpoint and dependencies."""
    found = client_of(ctx, url).get("status", "detailed")["services"]
    if type is not None:
        found = [item for item in found if item.get("config", {}).get("type") == type]
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
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as they come.")] = False,
    since: Annotated[
        int | None,
        typer.Option("--since", min=0, help="Begin after this number; with -f the last few."),
    ] = None,
    service: Annotated[str | None, typer.Option("--service", help="Only of this one.")] = None,
    type: Annotated[list[str] | None, typer.Option("--type", help="Only these.")] = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """What happened so far, and with -f what happens."""
    client, raw = client_of(ctx, url), as_json_wanted(ctx, as_json)
    if since is None:
        since = max(0, client.seq() - _RECENT) if follow else 0
    stream = client.lines(
        "events",
        since=since,
        service=service,
        type=type or None,
        follow=None if follow else "0",
    )
    for line in stream:
        if not line.startswith("data: "):
            continue
        event = json.loads(line[6:])
        if raw:
            render.as_json(event)
        else:
            render.say(render.event_line(event))


@app.command()
def why(ctx: typer.Context, id: ServiceId, url: Url = None, as_json: Json = False) -> None:
    """Why a service is as it is, and what happens next."""
    found = client_of(ctx, url).get("services", id, "why")
    if as_json_wanted(ctx, as_json):
        render.as_json(found)
    else:
        known = f"{found['serviceId']} is {found['status']}"
        render.say(f"{known} ({found['lifecycle']})")
        if found["summary"] != known:
            render.say(found["summary"])
        if found.get("blockedBy"):
            render.say("waits for: " + ", ".join(found["blockedBy"]))
        if found.get("nextAttemptAt"):
            render.say(f"next attempt: {found['nextAttemptAt']}")
        for text in found.get("unblockedBy") or ():
            render.say(f"would help: {text}")
    raise typer.Exit(UNHEALTHY if found["status"] == "unhealthy" else OK)


@app.command()
def logs(
    ctx: typer.Context,
    id: ServiceId,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as it comes.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, max=10_000, help="How many.")] = 200,
    timestamps: Annotated[
        bool, typer.Option("--timestamps", "-t", help="When each line was taken, UTC.")
    ] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """What a process service wrote.

    What was lost of it, to a full disk for instance, is said on stderr.
    """
    raw = as_json_wanted(ctx, as_json)
    text = client_of(ctx, url).lines(
        "services",
        id,
        "logs",
        lines=lines,
        follow="1" if follow else None,
        timestamps="1" if timestamps else None,
    )
    for line in text:
        if line.startswith(_NOTE) and line.endswith("]\n"):
            render.complain(line[len(_NOTE) : -2])
        elif raw:
            render.as_json({"serviceId": id, "line": line.rstrip("\n")})
        else:
            render.write(line)


@app.command()
def pick(
    ctx: typer.Context,
    pool: Annotated[str, typer.Argument(metavar="POOL", help="A type or a group.")],
    strategy: Annotated[
        str | None, typer.Option("--strategy", help="Other than the pool's.")
    ] = None,
    key: Annotated[str | None, typer.Option("--key", help="For ip-hash.")] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Show every candidate.")] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """One healthy instance of a pool; exit 1 when there is none."""
    found = client_of(ctx, url).get(
        "loadbalancer", pool, strategy=strategy, key=key, explain="1" if explain else None
    )
    if as_json_wanted(ctx, as_json):
        render.as_json(found)
        return
    render.say(f"{found['serviceId']} {found['endpoint']}")
    if explain:
        render.table(
            ("CANDIDATE", "TIER", "LOAD", "WEIGHT", "EXCLUDED"),
            (
                tuple(
                    str(item.get(name, "-"))
                    for name in ("serviceId", "tier", "load", "weight", "excluded")
                )
                for item in found.get("candidates", ())
            ),
        )


@app.command()
def graph(ctx: typer.Context, url: Url = None, as_json: Json = False) -> None:
    """What depends on what, as a tree."""
    found = client_of(ctx, url).get("graph")
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
