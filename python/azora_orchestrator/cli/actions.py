"""The verbs that change something."""

from __future__ import annotations

from typing import Annotated

import typer

from azora_orchestrator.cli import render
from azora_orchestrator.cli.client import USAGE, Failure
from azora_orchestrator.cli.common import (
    Json,
    ServiceId,
    Url,
    app,
    as_json_wanted,
    client_of,
    duration_ms,
)

NoWait = Annotated[bool, typer.Option("--no-wait", help="Answer once it is accepted.")]
Timeout = Annotated[
    str, typer.Option("--timeout", metavar="TIME", help="How long to wait, at most 600s.")
]
_LONGEST_WAIT_MS = 600_000
Dependents = Annotated[bool, typer.Option("--dependents", help="Those that depend on it, too.")]


def _verb(
    ctx: typer.Context,
    verb: str,
    service: str,
    *,
    url: str | None,
    as_json: bool,
    no_wait: bool,
    timeout: str,
    dependents: bool,
    dependencies: bool = False,
) -> None:
    timeout_ms = duration_ms("--timeout", timeout, most_ms=_LONGEST_WAIT_MS)
    goal = "stopped" if verb == "stop" else "ready"
    found = client_of(ctx, url).post(
        "services",
        service,
        verb,
        seconds=timeout_ms / 1000 + 30,
        wait=None if no_wait else goal,
        timeoutMs=None if no_wait else timeout_ms,
        dependents="1" if dependents else None,
        dependencies="1" if dependencies else None,
    )
    if as_json_wanted(ctx, as_json):
        render.as_json(found)
        return
    render.say(f"{service}: {verb} accepted" if no_wait else f"{service} is {goal}")
    others = [name for name in found["affected"] if name != service]
    if others:
        render.say("affected: " + ", ".join(others))


@app.command()
def restart(
    ctx: typer.Context,
    id: ServiceId,
    dependents: Dependents = False,
    no_wait: NoWait = False,
    timeout: Timeout = "60s",
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
    id: ServiceId,
    dependencies: Annotated[
        bool, typer.Option("--dependencies", help="What it needs, too.")
    ] = False,
    no_wait: NoWait = False,
    timeout: Timeout = "60s",
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
    id: ServiceId,
    dependents: Dependents = False,
    no_wait: NoWait = False,
    timeout: Timeout = "60s",
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
def token() -> None:
    """Print the token of this user's servers; make one when there is none."""
    from azora_orchestrator.server import tokens

    try:
        render.say(tokens.ensure_token())
    except OSError as error:
        raise Failure(USAGE, f"no token can be kept: {error}") from None
