"""What the verbs share: the app, their common options, and the way to the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
import typer.core

from azora_orchestrator.cli.client import USAGE, Failure, connect

if TYPE_CHECKING:
    from azora_orchestrator.client import Client

# Known words of the field that are not verbs in this version.
_LATER = ("chaos", "simulate", "top")
_COMPLETION_MS = 2_000  # how long the server may take to name its services to a shell


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
    help=(
        "Keep the services of one machine alive.\n\n"
        "Exit codes: 0 success; 1 something is unhealthy, or did not happen in time; 2 wrong "
        "usage, invalid configuration, or refused; 3 no server responds."
    ),
    epilog=(
        "TIME is a number with a unit: 500ms, 1.5s, 2min, 1h; a plain number is seconds. "
        "Start with `azora demo` in one terminal and `azora status` in another."
    ),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help, the same in a pipe, without the import of rich
    context_settings={"help_option_names": ["-h", "--help"]},
)


def known_ids(ctx: typer.Context, incomplete: str) -> list[str]:
    """For the completion of shells: the ids of the server's services, and the entries of them."""
    from azora_orchestrator.errors import AzoraError

    url = ctx.params.get("url") or (ctx.parent.params.get("url") if ctx.parent else None)
    try:
        with connect(url, timeout_ms=_COMPLETION_MS) as client:
            found = client.request("GET", "graph")["nodes"]
    except (AzoraError, Failure):
        return []
    ids = [id for node in found for id in (node["id"], *node.get("instances", ()))]
    return [id for id in ids if id.startswith(incomplete)]


Insecure = Annotated[
    bool,
    typer.Option(
        "--insecure-plaintext",
        help="Allow a HOST that other machines can reach: without TLS, tokens can be read.",
    ),
]
Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        metavar="URL",
        help="URL of the server [default: $AZORA_URL, else port $ORCHESTRATOR_PORT or 5000 of "
        "127.0.0.1].",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ServiceId = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="Id of a service, or name of an entry with replicas.",
        autocompletion=known_ids,
    ),
]
Timeout = Annotated[
    str,
    typer.Option("--timeout", metavar="TIME", help="How long to wait at most, up to 600s."),
]
NoWait = Annotated[
    bool, typer.Option("--no-wait", help="Return as soon as the server has accepted it.")
]
LONGEST_WAIT_MS = 600_000


def client_of(ctx: typer.Context, url: str | None) -> Client:
    """The server that `--url` names, before or after the verb."""
    return connect(url or (ctx.obj or {}).get("url"))


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


@app.callback()
def _common(
    ctx: typer.Context,
    url: Url = None,
    as_json: Json = False,
    version: Annotated[  # noqa: ARG001 (answered before typer is imported, unless options precede)
        bool, typer.Option("--version", help="Print the version.")
    ] = False,
) -> None:
    ctx.obj = {"url": url, "json": as_json}
