"""The verbs of `azora`: options in, one call, a table or JSON out."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer

from azora_orchestrator.cli import render
from azora_orchestrator.cli.client import OK, UNHEALTHY, USAGE, Client, Failure, server_url

app = typer.Typer(
    name="azora",
    help="Keeps the services of one machine alive.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Url = Annotated[
    str | None,
    typer.Option("--url", metavar="URL", help="The server; AZORA_URL, else ORCHESTRATOR_PORT."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ServiceId = Annotated[str, typer.Argument(metavar="ID", help="Id of the service.")]
Config = Annotated[
    str | None, typer.Option("--config", "-c", metavar="FILE", help="TOML, JSON or YAML.")
]
Host = Annotated[str | None, typer.Option("--host", metavar="HOST", help="127.0.0.1.")]
Port = Annotated[
    int | None,
    typer.Option("--port", "-p", min=0, max=65_535, help="ORCHESTRATOR_PORT, else 5000; 0: any."),
]
Ephemeral = Annotated[
    bool,
    typer.Option("--ephemeral", help="Keep no state: processes end with the server. Always so."),
]
State = Annotated[
    str | None, typer.Option("--state", metavar="DIR", help="Durable state; not in this version.")
]
Auth = Annotated[
    str | None,
    typer.Option("--auth", metavar="owner|token", help="Who may change things without a token."),
]
StopTimeout = Annotated[
    str | None,
    typer.Option("--stop-timeout", metavar="TIME", help="How long a stop may take, such as 60s."),
]


def _client(ctx: typer.Context, url: str | None) -> Client:
    return Client(server_url(url or (ctx.obj or {}).get("url")))


def _as_json(ctx: typer.Context, given: bool) -> bool:
    return given or bool((ctx.obj or {}).get("json"))


def _version(wanted: bool) -> None:
    if wanted:
        from azora_orchestrator import __version__

        render.say(f"azora {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    ctx: typer.Context,
    url: Url = None,
    as_json: Json = False,
    version: Annotated[  # noqa: ARG001 (its callback does the work)
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    ctx.obj = {"url": url, "json": as_json}


def _milliseconds(text: str | None) -> int | None:
    if text is None:
        return None
    if text.isdigit():
        text += "s"
    for unit, size in (("ms", 1), ("min", 60_000), ("s", 1000), ("m", 60_000)):
        number = text.removesuffix(unit)
        if number != text and number.isdigit():
            return int(number) * size
    raise Failure(USAGE, f'--stop-timeout is "{text}"; it must be a time such as 60s or 500ms')


def _serve(
    *,
    demo: bool,
    config: str | None,
    host: str | None,
    port: int | None,
    state: str | None,
    auth: str | None,
    stop_timeout: str | None,
) -> None:
    if state is not None:
        raise Failure(
            USAGE, "--state: durable state is not available in this version; leave it out"
        )
    if auth not in (None, "owner", "token"):
        raise Failure(USAGE, f'--auth is "{auth}"; it must be owner or token')
    from azora_orchestrator import catalog
    from azora_orchestrator.cli import serve as serving

    plan = serving.make_plan(
        config=config,
        catalog=catalog.demo_services if demo else catalog.services,
        host=host,
        port=port,
        auth=auth,
        stop_timeout_ms=_milliseconds(stop_timeout),
    )
    what = "demo: eleven local processes" if demo and config is None else "serve"
    greeting = f"azora {what}, ephemeral: nothing is kept, processes end with this server"
    code = serving.run(plan, greeting=greeting)
    raise typer.Exit(code)


@app.command()
def serve(
    config: Config = None,
    host: Host = None,
    port: Port = None,
    ephemeral: Ephemeral = True,  # noqa: ARG001 (the only kind there is)
    state: State = None,
    auth: Auth = None,
    stop_timeout: StopTimeout = None,
) -> None:
    """Serve a fleet; without --config, the eleven services of Azora OS by their endpoints."""
    _serve(
        demo=False,
        config=config,
        host=host,
        port=port,
        state=state,
        auth=auth,
        stop_timeout=stop_timeout,
    )


@app.command()
def demo(
    config: Config = None,
    host: Host = None,
    port: Port = None,
    ephemeral: Ephemeral = True,  # noqa: ARG001 (the only kind there is)
    state: State = None,
    auth: Auth = None,
    stop_timeout: StopTimeout = None,
) -> None:
    """Run the eleven services as real local processes and serve them."""
    _serve(
        demo=True,
        config=config,
        host=host,
        port=port,
        state=state,
        auth=auth,
        stop_timeout=stop_timeout,
    )


@app.command()
def check(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="TOML, JSON or YAML.")],
    as_json: Json = False,
) -> None:
    """Judge a configuration file: every fault with its line; exit 2 when there is one."""
    from azora_orchestrator.config import load

    read = load(file)
    if _as_json(ctx, as_json):
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
            render.say(f"{file}: ok, {len(read.services)} services")
    raise typer.Exit(USAGE if read.faults else OK)


@app.command()
def status(ctx: typer.Context, url: Url = None, as_json: Json = False) -> None:
    """How the fleet is; exit 1 when it is stopped or a service is unhealthy."""
    found = _client(ctx, url).get("status")
    if _as_json(ctx, as_json):
        render.as_json(found)
    else:
        state = "running" if found["running"] else "stopped"
        render.say(
            f"{state}, {found['totalServices']} services, {found['healthyServices']} healthy, "
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
    ill = not found["running"] or found["unhealthyServices"]
    raise typer.Exit(UNHEALTHY if ill else OK)


@app.command()
def services(
    ctx: typer.Context,
    type: Annotated[str | None, typer.Option("--type", help="Only this type.")] = None,  # noqa: A002
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Every service with its type, endpoint and lifecycle."""
    found = _client(ctx, url).get("status", "detailed")["services"]
    if type is not None:
        found = [item for item in found if item.get("config", {}).get("type") == type]
    if _as_json(ctx, as_json):
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
    since: Annotated[int, typer.Option("--since", min=0, help="Begin after this number.")] = 0,
    service: Annotated[str | None, typer.Option("--service", help="Only of this one.")] = None,
    type: Annotated[list[str] | None, typer.Option("--type", help="Only these.")] = None,  # noqa: A002
    url: Url = None,
    as_json: Json = False,
) -> None:
    """What happened so far, and with -f what happens."""
    client, raw = _client(ctx, url), _as_json(ctx, as_json)
    head = None if follow else client.head_seq()
    if head is not None and head <= since:
        return
    stream = client.lines("events", since=since, service=service, type=type or None)
    try:
        for line in stream:
            if line.startswith(":") and head is not None:
                return
            if not line.startswith("data: "):
                continue
            event = json.loads(line[6:])
            if head is not None and (event.get("seq") or 0) > head:
                return
            if raw:
                render.as_json(event)
            else:
                render.say(render.event_line(event))
            if head is not None and (event.get("seq") or 0) >= head:
                return
    finally:
        stream.close()


@app.command()
def why(ctx: typer.Context, id: ServiceId, url: Url = None, as_json: Json = False) -> None:  # noqa: A002
    """Why a service is as it is, and what happens next."""
    found = _client(ctx, url).get("services", id, "why")
    if _as_json(ctx, as_json):
        render.as_json(found)
    else:
        render.say(f"{found['serviceId']} is {found['status']} ({found['lifecycle']})")
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
    id: ServiceId,  # noqa: A002
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as it comes.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, max=10_000, help="How many.")] = 200,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """What a process service wrote."""
    raw = _as_json(ctx, as_json)
    text = _client(ctx, url).lines(
        "services", id, "logs", lines=lines, follow="1" if follow else None
    )
    for line in text:
        if raw:
            render.as_json({"serviceId": id, "line": line.rstrip("\n")})
        else:
            sys.stdout.write(line)
            sys.stdout.flush()


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
    found = _client(ctx, url).get(
        "loadbalancer", pool, strategy=strategy, key=key, explain="1" if explain else None
    )
    if _as_json(ctx, as_json):
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


NoWait = Annotated[bool, typer.Option("--no-wait", help="Answer once it is accepted.")]
Timeout = Annotated[int, typer.Option("--timeout", min=0, max=600, help="Seconds to wait.")]
Dependents = Annotated[bool, typer.Option("--dependents", help="Those that depend on it, too.")]


def _verb(
    ctx: typer.Context,
    verb: str,
    service: str,
    *,
    url: str | None,
    as_json: bool,
    no_wait: bool,
    timeout: int,
    dependents: bool,
    dependencies: bool = False,
) -> None:
    goal = "stopped" if verb == "stop" else "ready"
    found = _client(ctx, url).post(
        "services",
        service,
        verb,
        seconds=timeout + 30,
        wait=None if no_wait else goal,
        timeoutMs=None if no_wait else timeout * 1000,
        dependents="1" if dependents else None,
        dependencies="1" if dependencies else None,
    )
    if _as_json(ctx, as_json):
        render.as_json(found)
        return
    render.say(f"{service}: {verb} accepted" if no_wait else f"{service} is {goal}")
    others = [name for name in found["affected"] if name != service]
    if others:
        render.say("affected: " + ", ".join(others))


@app.command()
def restart(
    ctx: typer.Context,
    id: ServiceId,  # noqa: A002
    dependents: Dependents = False,
    no_wait: NoWait = False,
    timeout: Timeout = 60,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Restart a service and wait until it is ready."""
    _verb(
        ctx,
        "restart",
        id,
        url=url,
        as_json=as_json,
        no_wait=no_wait,
        timeout=timeout,
        dependents=dependents,
    )


@app.command()
def start(
    ctx: typer.Context,
    id: ServiceId,  # noqa: A002
    dependencies: Annotated[
        bool, typer.Option("--dependencies", help="What it needs, too.")
    ] = False,
    no_wait: NoWait = False,
    timeout: Timeout = 60,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Start a service and wait until it is ready."""
    _verb(
        ctx,
        "start",
        id,
        url=url,
        as_json=as_json,
        no_wait=no_wait,
        timeout=timeout,
        dependents=False,
        dependencies=dependencies,
    )


@app.command()
def stop(
    ctx: typer.Context,
    id: ServiceId,  # noqa: A002
    dependents: Dependents = False,
    no_wait: NoWait = False,
    timeout: Timeout = 60,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Stop a service, keep it down, and wait until it is."""
    _verb(
        ctx,
        "stop",
        id,
        url=url,
        as_json=as_json,
        no_wait=no_wait,
        timeout=timeout,
        dependents=dependents,
    )


@app.command()
def graph(ctx: typer.Context, url: Url = None, as_json: Json = False) -> None:
    """What depends on what, as a tree."""
    client = _client(ctx, url)
    if _as_json(ctx, as_json):
        render.as_json(client.get("graph"))
        return
    found = client.get("status", "detailed")["services"]
    nodes = {item["serviceId"]: _needs(item["config"]) for item in found}
    for line in render.tree(nodes, {item["serviceId"]: item["status"] for item in found}):
        render.say(line)


@app.command()
def token() -> None:
    """Print the token of this user's servers; make one when there is none."""
    from azora_orchestrator.server import tokens

    try:
        render.say(tokens.ensure_token())
    except OSError as error:
        raise Failure(USAGE, f"no token can be kept: {error}") from None
