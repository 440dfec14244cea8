"""`azora rolling-restart`: the members of a pool, each ready before the next one goes."""

from __future__ import annotations

from typing import Annotated

import typer

from azora_orchestrator.cli import render
from azora_orchestrator.cli.client import UNHEALTHY, Failure
from azora_orchestrator.cli.common import Json, Url, app, as_json_wanted, client_of, duration_ms


@app.command("rolling-restart")
def rolling_restart(
    ctx: typer.Context,
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="An entry with replicas, a group, a type or an id."),
    ],
    max_unavailable: Annotated[
        int,
        typer.Option(
            "--max-unavailable", metavar="N", min=1, help="How many may be unavailable at a time."
        ),
    ] = 1,
    min_ready: Annotated[
        str,
        typer.Option(
            "--min-ready",
            metavar="TIME",
            help="How long a new one must be healthy before the next one goes.",
        ),
    ] = "10s",
    timeout: Annotated[
        str,
        typer.Option("--timeout", metavar="TIME", help="How long one may take until then."),
    ] = "60s",
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Restart the members of a pool one after the other.

    Ends with 1 at the first that fails, and leaves the rest as they are.
    """
    from azora_orchestrator.rolling import RollStopped, limits_of, roll

    limits = limits_of(
        max_unavailable, duration_ms("--min-ready", min_ready), duration_ms("--timeout", timeout)
    )
    wants_json = as_json_wanted(ctx, as_json)
    with client_of(ctx, url) as client:
        try:
            found = roll(client, name, limits, render.complain)
        except RollStopped as stopped:
            body = {"success": False} | stopped.outcome.to_dict()
            raise Failure(UNHEALTHY, str(stopped), body) from None
    if wants_json:
        render.as_json({"success": True} | found.to_dict())
    else:
        render.say(str(found))
