"""`azora state check` and `azora state repair`: the state of a fleet that does not run."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from azora_orchestrator import _core
from azora_orchestrator.cli import render
from azora_orchestrator.cli.client import OK, UNHEALTHY
from azora_orchestrator.cli.common import Json, app, as_json_wanted

Folder = Annotated[str, typer.Argument(metavar="DIR", help="As `azora serve --state DIR` has it.")]

_state = typer.Typer(
    name="state",
    help="Check or repair a state directory that no server uses.",
    no_args_is_help=True,
)
app.add_typer(_state)


@_state.command()
def check(ctx: typer.Context, folder: Folder, as_json: Json = False) -> None:
    """Say what is wrong with a state directory, and change nothing.

    Ends with 1 if something is.
    """
    findings = _core.check_state(os.path.abspath(folder))
    if as_json_wanted(ctx, as_json):
        render.as_json({"success": not findings, "findings": findings})
    else:
        render.say("\n".join(findings) or f"{folder}: nothing is wrong")
    raise typer.Exit(UNHEALTHY if findings else OK)


@_state.command()
def repair(ctx: typer.Context, folder: Folder, as_json: Json = False) -> None:
    """Save what can be saved of a damaged state directory.

    The damaged files are kept under another name. Ends with 1 if something is lost.
    """
    done = _core.repair_state(os.path.abspath(folder))
    if as_json_wanted(ctx, as_json):
        render.as_json({"success": not done["lost"]} | done)
    elif not done["findings"]:
        render.say(f"{folder}: nothing is wrong, nothing was changed")
    else:
        lines = [*done["findings"], f"saved: {done['saved']} rows"]
        lines += [f"lost: {line}" for line in done["lost"]]
        lines += [f"kept: {path}" for path in done["kept"]]
        render.say("\n".join(lines))
    raise typer.Exit(UNHEALTHY if done["lost"] else OK)
