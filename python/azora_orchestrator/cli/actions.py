"""The verbs that change something."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from azora_orchestrator.cli import render
from azora_orchestrator.cli.client import USAGE, Failure
from azora_orchestrator.cli.common import (
    LONGEST_WAIT_MS,
    Json,
    NoWait,
    ServiceId,
    Timeout,
    Url,
    app,
    as_json_wanted,
    client_of,
    duration_ms,
)

if TYPE_CHECKING:
    from azora_orchestrator.answers import VerbAnswer

Dependents = Annotated[
    bool, typer.Option("--dependents", help="Include its dependents, in reverse order.")
]


def _verb(
    ctx: typer.Context,
    verb: str,
    service: str,
    *,
    url: str | None,
    as_json: bool,
    no_wait: bool,
    timeout: str,
    dependents: bool = False,
    dependencies: bool = False,
) -> None:
    timeout_ms = duration_ms("--timeout", timeout, most_ms=LONGEST_WAIT_MS)
    with client_of(ctx, url) as client:
        options: dict[str, bool] = {"dependencies": dependencies}
        call: Callable[..., VerbAnswer] = client.start_service
        if verb != "start":
            options = {"dependents": dependents}
            call = client.stop_service if verb == "stop" else client.restart
        found = call(service, wait=not no_wait, timeout_ms=timeout_ms, **options)
    if as_json_wanted(ctx, as_json):
        render.as_json({"success": True} | found.to_dict())
        return
    goal = "stopped" if verb == "stop" else "ready"
    render.say(f"{service}: {verb} accepted" if no_wait else f"{service} is {goal}")
    others = [name for name in found.affected if name != service]
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
        bool, typer.Option("--dependencies", help="Start the services it needs first.")
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
    """Stop a service and wait until its processes have ended.

    It stays stopped until it is started again.
    """
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
def reload(
    ctx: typer.Context,
    plan: Annotated[bool, typer.Option("--plan", help="Only say what would change.")] = False,
    restart_changed: Annotated[
        bool, typer.Option("--restart-changed", help="Restart processes whose program changed.")
    ] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Let the server read its configuration file again.

    It changes what differs: a file with errors changes nothing.
    """
    with client_of(ctx, url) as client:
        found = client.reload(plan=plan, restart_changed=restart_changed)
    if as_json_wanted(ctx, as_json):
        render.as_json({"success": True} | found.to_dict())
    else:
        render.say(str(found))


@app.command()
def token(ctx: typer.Context, as_json: Json = False) -> None:
    """Print the token for servers of this user.

    Creates it if there is none.
    """
    from azora_orchestrator.server import tokens

    try:
        found = tokens.ensure_token()
    except OSError as error:
        raise Failure(USAGE, f"the token cannot be stored: {error}") from None
    if as_json_wanted(ctx, as_json):
        render.as_json({"token": found})
    else:
        render.say(found)
