"""`azora history`: past events."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from azora_orchestrator.cli import render
from azora_orchestrator.cli.client import USAGE, Failure
from azora_orchestrator.cli.common import (
    Json,
    Url,
    app,
    as_json_wanted,
    client_of,
    known_ids,
)

_MOMENT = "number of an event, a time such as 2026-12-01T09:00:00Z, or an age such as 24h"


@app.command()
def history(
    ctx: typer.Context,
    id: Annotated[
        str | None,
        typer.Argument(
            metavar="[ID]",
            help="Id of a service, or name of an entry with replicas [default: all].",
            autocompletion=known_ids,
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="WHEN", help=f"Begin there: {_MOMENT}."),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="WHEN", help="End before it: the same.")
    ] = None,
    type: Annotated[
        list[str] | None,
        typer.Option("--type", metavar="NAME", help="Only events of this name; repeatable."),
    ] = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Show past events, oldest first, also those of former servers with the same state directory.

    Each line begins with the number of the event and its time (UTC).
    """
    from azora_orchestrator.errors import InvalidArgument

    raw = as_json_wanted(ctx, as_json)
    names: Any = type or None  # the client judges them
    with client_of(ctx, url) as client:
        try:
            found = client.history(since, until, names, id)
        except InvalidArgument as error:
            raise Failure(USAGE, str(error)) from None
    for event in found:
        if raw:
            render.as_json(event.data)
        else:
            render.say(render.event_line(event.data))
    for gap in found.gaps:
        render.complain(
            f"{gap.lost} events from {gap.from_seq} to {gap.to_seq} are missing: they could not "
            "be stored"
        )
