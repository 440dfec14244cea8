"""`azora import`: another supervisor's file becomes an azora.toml."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from azora_orchestrator.cli import render
from azora_orchestrator.cli.client import USAGE, Failure
from azora_orchestrator.cli.common import Json, app, as_json_wanted


@app.command("import")
def import_(
    ctx: typer.Context,
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="A Procfile, docker-compose.yml, supervisord.conf, process-compose.yaml, or a "
            "PM2 ecosystem file in JSON.",
        ),
    ],
    kind: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="KIND",
            help="procfile, docker-compose, supervisord, process-compose or pm2 [default: by the "
            "file's name].",
        ),
    ] = None,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="File to write; - prints it.")
    ] = "-",
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
    as_json: Json = False,
) -> None:
    """Convert another supervisor's file to an azora.toml.

    Names everything that could not be carried over.
    """
    from azora_orchestrator import importers
    from azora_orchestrator.config import load_text

    if kind is not None and kind not in importers.KINDS:
        raise Failure(USAGE, f'--from is "{kind}"; it must be one of {", ".join(importers.KINDS)}')
    try:
        found = importers.read(Path(file), kind)
    except importers.NotImportable as error:
        for note in error.notes:
            render.complain(f"{file}: {note}")
        raise Failure(USAGE, f"{file}: {error}") from None
    name = Path(file).name
    checked = load_text(importers.write_toml(found, name), "azora.toml", Path(file).parent)
    found.notes += [f"to be corrected: {fault.field}: {fault.message}" for fault in checked.faults]
    text = importers.write_toml(found, name)
    if output != "-":
        if Path(output).exists() and not force:
            raise Failure(USAGE, f"{output}: already exists; --force overwrites it")
        Path(output).write_text(text, encoding="utf-8")
    if as_json_wanted(ctx, as_json):
        render.as_json({"file": file, "services": found.services, "notes": found.notes})
        return
    for note in found.notes:
        render.complain(f"{file}: {note}")
    if output == "-":
        render.write(text)
    else:
        count = render.count(len(found.services))
        render.say(f"{output}: {count}; read it, then: azora check {output}")
