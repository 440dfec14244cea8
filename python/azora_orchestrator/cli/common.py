"""What the verbs share: the app, their common options, and the way to the server."""

from __future__ import annotations

from typing import Annotated, Any

import typer
import typer.core

from azora_orchestrator.cli import render
from azora_orchestrator.cli.client import USAGE, Client, Failure, server_url

# Known words of the field that are not verbs in this version.
_LATER = ("chaos", "drain", "history", "maintenance", "reload", "simulate", "top")


class _Verbs(typer.core.TyperGroup):
    """The verbs; one that this version does not have is refused by its name."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] in _LATER:
            raise Failure(
                USAGE,
                f"{args[0]}: is not available in this version; the verbs are "
                + ", ".join(self.list_commands(ctx)),
            )
        return super().resolve_command(ctx, args)


app = typer.Typer(
    name="azora",
    cls=_Verbs,
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
ServiceId = Annotated[
    str, typer.Argument(metavar="ID", help="Id of a service, or name of an entry.")
]


def client_of(ctx: typer.Context, url: str | None) -> Client:
    """The server that `--url` names, before or after the verb."""
    return Client(server_url(url or (ctx.obj or {}).get("url")))


def as_json_wanted(ctx: typer.Context, given: bool) -> bool:
    """Whether `--json` was given, before or after the verb."""
    return given or bool((ctx.obj or {}).get("json"))


def duration_ms(option: str, text: str, *, most_ms: int = 2**31 - 1) -> int:
    """An option's duration in ms: as files spell it ("1.5s"); a plain number is seconds."""
    from azora_orchestrator.config import milliseconds

    plain = text.isascii() and text.replace(".", "", 1).isdigit()
    found = milliseconds(f"{text}s" if plain else text)
    if found is None or found > most_ms:
        most = f", at most {most_ms // 1000}s" if most_ms < 2**31 - 1 else ""
        rule = f"it must be a time such as 60s or 500ms{most}"
        raise Failure(USAGE, f'{option} is "{text}"; {rule}')
    return found


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
