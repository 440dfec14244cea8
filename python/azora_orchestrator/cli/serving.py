"""`azora serve` and `azora demo`: their options."""

from __future__ import annotations

from typing import Annotated

import typer

from azora_orchestrator.cli.client import USAGE, Failure
from azora_orchestrator.cli.common import Insecure, app, duration_ms
from azora_orchestrator.cli.state_place import default_state

Config = Annotated[
    str | None, typer.Option("--config", "-c", metavar="FILE", help="TOML, JSON or YAML file.")
]
Host = Annotated[
    str | None,
    typer.Option("--host", metavar="HOST", help="Address to listen on [default: 127.0.0.1]."),
]
Port = Annotated[
    int | None,
    typer.Option(
        "--port",
        "-p",
        min=0,
        max=65_535,
        help="Port to listen on; 0: a free one [default: $ORCHESTRATOR_PORT, else 5000].",
    ),
]
State = Annotated[
    str | None,
    typer.Option(
        "--state",
        metavar="DIR",
        help="Keep registrations and decisions in DIR: services go on when this server is killed, "
        "and the next one with DIR takes them back "
        "[default: $XDG_STATE_HOME/azora/PORT; none for the demo and for port 0].",
    ),
]
Ephemeral = Annotated[
    bool, typer.Option("--ephemeral", help="Keep nothing; services end with this server.")
]
Leave = Annotated[
    bool,
    typer.Option(
        "--leave", help="Leave the services running at the end, for the next server with the state."
    ),
]
Watch = Annotated[
    bool, typer.Option("--watch", help="Reload FILE when it changes; a faulty one is refused.")
]
Auth = Annotated[
    str | None,
    typer.Option(
        "--auth",
        metavar="owner|token",
        help="owner: processes of this user need no token; token: everyone does [default: owner].",
    ),
]
StopTimeout = Annotated[
    str | None,
    typer.Option("--stop-timeout", metavar="TIME", help="How long a stop may take [default: 60s]."),
]


def _serve(
    *,
    demo: bool,
    config: str | None,
    host: str | None,
    port: int | None,
    state: str | None,
    ephemeral: bool,
    leave: bool,
    watch: bool,
    auth: str | None,
    insecure: bool,
    stop_timeout: str | None,
) -> None:
    if ephemeral and state is not None:
        raise Failure(USAGE, "--ephemeral was given with --state; leave one of them out")
    if watch and config is None:
        raise Failure(USAGE, "--watch needs --config FILE: without it there is no file to reload")
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
        insecure_plaintext=insecure,
        stop_timeout_ms=None
        if stop_timeout is None
        else duration_ms("--stop-timeout", stop_timeout),
    )
    if state is None and not demo and not ephemeral:
        state = default_state(plan.port)
        plan.state_hint = "; --state DIR names another place, --ephemeral keeps nothing"
    if leave and state is None:
        raise Failure(USAGE, "--leave needs --state DIR: without it services end with this server")
    plan.state, plan.leave, plan.watch = state, leave, watch
    what = "demo: eleven local processes" if demo and config is None else "serve"
    greeting = f"azora {what}, ephemeral: nothing is kept, processes end with this server"
    if state is not None:
        greeting = f"azora {what}, state in {state}: services outlive a server that is killed"
    code = serving.run(plan, greeting=greeting)
    raise typer.Exit(code)


@app.command()
def serve(
    config: Config = None,
    host: Host = None,
    port: Port = None,
    ephemeral: Ephemeral = False,
    state: State = None,
    leave: Leave = False,
    watch: Watch = False,
    auth: Auth = None,
    insecure_plaintext: Insecure = False,
    stop_timeout: StopTimeout = None,
) -> None:
    """Run the services of a file, and serve them.

    Without --config it watches the eleven services of Azora OS at their endpoints.
    """
    _serve(
        demo=False,
        config=config,
        host=host,
        port=port,
        state=state,
        ephemeral=ephemeral,
        leave=leave,
        watch=watch,
        auth=auth,
        insecure=insecure_plaintext,
        stop_timeout=stop_timeout,
    )


@app.command()
def demo(
    config: Config = None,
    host: Host = None,
    port: Port = None,
    ephemeral: Ephemeral = False,
    state: State = None,
    leave: Leave = False,
    watch: Watch = False,
    auth: Auth = None,
    insecure_plaintext: Insecure = False,
    stop_timeout: StopTimeout = None,
) -> None:
    """Run eleven sample services, and serve them.

    They are those of Azora OS, as real local processes.
    """
    _serve(
        demo=True,
        config=config,
        host=host,
        port=port,
        state=state,
        ephemeral=ephemeral,
        leave=leave,
        watch=watch,
        auth=auth,
        insecure=insecure_plaintext,
        stop_timeout=stop_timeout,
    )
