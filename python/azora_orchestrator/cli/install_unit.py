"""`azora install-unit`: a systemd unit that runs `azora serve` from boot on."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from azora_orchestrator.cli import render
from azora_orchestrator.cli.client import USAGE, Failure
from azora_orchestrator.cli.common import Json, app, as_json_wanted
from azora_orchestrator.cli.unit import Unit

_SYSTEM = "/etc/systemd/system"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")


@app.command("install-unit")
def install_unit(
    ctx: typer.Context,
    config: Annotated[
        str | None,
        typer.Option("--config", "-c", metavar="FILE", help="File that the unit's server serves."),
    ] = None,
    user: Annotated[
        bool, typer.Option("--user", help="For your own systemd, not for that of the system.")
    ] = False,
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="Name of the unit.")
    ] = "azora",
    socket: Annotated[
        bool,
        typer.Option(
            "--socket",
            help="Let systemd hold the listening socket: no request is refused while the server "
            "is replaced.",
        ),
    ] = False,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="DIR",
            help=f"Folder to write to; - prints [default: {_SYSTEM}, or yours with --user].",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace units that differ.")] = False,
    as_json: Json = False,
) -> None:
    """Write a systemd unit that serves from boot on.

    The fleet is durable: services go on while the server is restarted or upgraded.
    """
    name = name.removesuffix(".service")
    if not _NAME.fullmatch(name):
        rule = "it must be 1 to 128 letters, digits, `-`, `_`, `.`, not `-`, `_` or `.` first"
        raise Failure(USAGE, f'--name is "{name}"; {rule}')
    files = _unit(config, user=user, name=name, socket=socket).files()
    if output == "-":
        _print(files, as_json=as_json_wanted(ctx, as_json))
        return
    folder = Path(output or (_user_units() if user else _SYSTEM))
    written = _write(folder, files, force=force)
    following = _following(list(files), user=user)
    if as_json_wanted(ctx, as_json):
        paths = [str(folder / one) for one in files]
        render.as_json({"success": True, "files": paths, "written": written, "next": following})
        return
    for one in files:
        render.say(f"{folder / one}: {'written' if written else 'is as it should be'}")
    render.say("next: " + "\n      ".join(following))


def _unit(config: str | None, *, user: bool, name: str, socket: bool) -> Unit:
    from azora_orchestrator.cli.serve import DEFAULT_STOP_MS

    settings = _settings(config)
    return Unit(
        name=name,
        program=_program(),
        state=f"{_state_home()}/{name}" if user else f"/var/lib/{name}",
        config=None if config is None else os.path.abspath(config),
        user=user,
        listen=_listen(settings) if socket else None,
        stop_ms=settings.get("stop_timeout_ms", DEFAULT_STOP_MS),
    )


def _settings(config: str | None) -> dict[str, Any]:
    """What the file says about the server; a faulty file ends the verb with all faults."""
    from azora_orchestrator.config import load

    if config is None:
        return {}
    read = load(config)
    if read.faults:
        raise Failure(USAGE, "\n".join(map(str, read.faults)))
    for warning in read.warnings:
        render.complain(render.warning(warning))
    return read.settings


def _listen(settings: dict[str, Any]) -> str:
    from azora_orchestrator.cli.serve import refuse_plaintext
    from azora_orchestrator.config import DEFAULT_HOST, DEFAULT_PORT
    from azora_orchestrator.server.listening import address_of

    host, port = settings.get("host", DEFAULT_HOST), settings.get("port", DEFAULT_PORT)
    if port == 0:
        raise Failure(USAGE, "--socket needs a port that clients know; the file has port 0")
    if not settings.get("insecure_plaintext", False):
        refuse_plaintext(host)
    try:
        address = address_of(host)
    except OSError as error:
        raise Failure(USAGE, str(error.strerror)) from None
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _program() -> list[str]:
    """The command line of ours that needs no PATH."""
    script = Path(sys.executable).with_name("azora")
    if os.access(script, os.X_OK):
        return [str(script)]
    return [sys.executable, "-m", "azora_orchestrator"]


def _home_of(variable: str, usual: str) -> str:
    """A folder of the XDG specification, by which a path that is not absolute is ignored."""
    given = os.environ.get(variable, "")
    return given if os.path.isabs(given) else os.path.expanduser(usual)


def _user_units() -> str:
    return _home_of("XDG_CONFIG_HOME", "~/.config") + "/systemd/user"


def _state_home() -> str:
    return _home_of("XDG_STATE_HOME", "~/.local/state")


def _print(files: dict[str, str], *, as_json: bool) -> None:
    if as_json:
        render.as_json({"success": True, "files": files})
    else:
        render.write("\n".join(f"# {name}\n{text}" for name, text in files.items()))


def _write(folder: Path, files: dict[str, str], *, force: bool) -> bool:
    """Writes what differs; all files or, when one is refused, none. False: nothing differs."""
    differing = {}
    try:
        for name, text in files.items():
            path = folder / name
            there = path.read_text() if path.exists() else None
            if there is not None and there != text and not force:
                raise Failure(USAGE, f"{path}: already exists and differs; --force replaces it")
            if there != text:
                differing[path] = text
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in differing.items():
            new = path.with_name(f".{path.name}.new")  # systemd never reads half a unit
            new.write_text(text)
            new.replace(path)
    except OSError as error:
        hint = "; run it as root, or give --user" if isinstance(error, PermissionError) else ""
        raise Failure(USAGE, f"{error.filename}: {error.strerror}{hint}") from None
    return bool(differing)


def _following(units: list[str], *, user: bool) -> list[str]:
    """What to type next."""
    systemctl = "systemctl --user" if user else "systemctl"
    lines = [f"{systemctl} daemon-reload", f"{systemctl} enable --now {' '.join(sorted(units))}"]
    if user:
        lines.append("loginctl enable-linger  # to go on after you log out")
    return lines
