"""Drain and maintenance: out of rotation, and hands off."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from azora_orchestrator.cli import render
from azora_orchestrator.cli.client import USAGE, Failure
from azora_orchestrator.cli.common import (
    LONGEST_WAIT_MS,
    Json,
    NoWait,
    ServiceId,
    Url,
    app,
    as_json_wanted,
    client_of,
    duration_ms,
)
from azora_orchestrator.vocabulary import DRAIN_THENS

_AFTER_MS = 30_000  # what follows a drain has this time beyond it
_IS = {"keep": "drained", "stop": "drained and stopped", "restart": "drained, restarted and ready"}


@app.command()
def drain(
    ctx: typer.Context,
    id: ServiceId,
    timeout: Annotated[
        str | None,
        typer.Option(
            "--timeout",
            metavar="TIME",
            help="When the drain is over, whatever leases are left [default: 30s].",
        ),
    ] = None,
    then: Annotated[
        str | None,
        typer.Option(
            "--then",
            metavar="WHAT",
            help="What follows: keep (it stays out of rotation), stop or restart [default: keep].",
        ),
    ] = None,
    undo: Annotated[
        bool, typer.Option("--undo", help="End its drain: it is back in rotation.")
    ] = False,
    no_wait: NoWait = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Take a service out of rotation, and wait until its leases are back.

    It stays out of rotation until --undo, a start or a restart.
    """
    if undo and (timeout is not None or then is not None):
        raise Failure(USAGE, "--undo: ends a drain; leave out --timeout and --then")
    if then is not None and then not in DRAIN_THENS:
        raise Failure(USAGE, f'--then is "{then}"; it must be {" or ".join(DRAIN_THENS)}')
    what = then or "keep"
    timeout_ms = duration_ms("--timeout", timeout or "30s")
    wait = not no_wait and not undo
    if wait and timeout_ms + _AFTER_MS > LONGEST_WAIT_MS:
        raise Failure(USAGE, f'--timeout is "{timeout}"; above 570s add --no-wait')
    with client_of(ctx, url) as client:
        if undo:
            found = client.undrain(id)
        else:
            found = client.drain(id, timeout_ms=timeout_ms, then=what, wait=wait)
    if as_json_wanted(ctx, as_json):
        render.as_json({"success": True} | found.to_dict())
    elif undo:
        ended = "its drain has ended" if found.affected else "it had no drain"
        render.say(f"{id}: {ended}")
    else:
        render.say(f"{id} is {_IS[what]}" if wait else f"{id}: drain accepted")


@app.command()
def maintenance(
    ctx: typer.Context,
    id: ServiceId,
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="TEXT", help="Why, for those who ask.")
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            "--until",
            metavar="MOMENT",
            help="When it ends by itself: an ISO time, of this machine's zone if it has none.",
        ),
    ] = None,
    span: Annotated[
        str | None, typer.Option("--for", metavar="TIME", help="The same, from now on.")
    ] = None,
    end: Annotated[bool, typer.Option("--end", help="End its maintenance.")] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Keep Azora's hands off a service: it is checked, but neither picked nor restarted.

    What ends stays down until --end, then it is started. A start or restart ends it, too.
    """
    if end and (reason is not None or until is not None or span is not None):
        raise Failure(USAGE, "--end: ends a maintenance; leave out --reason, --until and --for")
    if not end and not reason:
        raise Failure(USAGE, "--reason: is missing; say why nothing is to be done about it")
    if until is not None and span is not None:
        raise Failure(USAGE, "--until and --for: give one of them")
    at = _moment(until) if until is not None else None
    if span is not None:
        at = datetime.now(UTC) + timedelta(milliseconds=duration_ms("--for", span))
    with client_of(ctx, url) as client:
        if end:
            found = client.end_maintenance(id)
        else:
            found = client.maintenance(id, reason=reason or "", until=at)
    if as_json_wanted(ctx, as_json):
        render.as_json({"success": True} | found.to_dict())
    elif end:
        ended = "its maintenance has ended" if found.affected else "it was under no maintenance"
        render.say(f"{id}: {ended}")
    else:
        shown = f" until {at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if at else ""
        render.say(f"{id} is under maintenance{shown}")


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        raise Failure(
            USAGE, f'--until is "{text}"; it must be a time such as 2030-01-31T12:00'
        ) from None
