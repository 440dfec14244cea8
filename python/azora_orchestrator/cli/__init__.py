"""`azora`: serve a fleet, look at it, change it.

Exit codes of every verb: 0 ok, 1 unhealthy, 2 usage or configuration, 3 no server there.
"""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, Any

from azora_orchestrator.cli.render import as_json, complain, drop_output, lost_output, say

if TYPE_CHECKING:
    import typer

    from azora_orchestrator.cli.client import Failure

app: typer.Typer

__all__ = ["app", "main"]


def __getattr__(name: str) -> Any:
    """Loads `app`, the typer app of the verbs, on first use: `main()` may do without."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from azora_orchestrator.cli import common, run  # noqa: F401 (each verb adds itself)

    return common.app


def _standard_files() -> None:
    """Opens closed standard files (`azora serve >&-`), so that no other file gets their number."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # open() takes the lowest free number, which is this one
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115


def main() -> None:
    """The console script."""
    _standard_files()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a character it cannot encode must not end a verb
            stream.reconfigure(errors="backslashreplace")
    try:
        sys.exit(_run())
    finally:
        drop_output()


def _run() -> int:
    """One verb; returns the exit code."""
    if sys.argv[1:] in (["--version"], ["--version", "--json"], ["--json", "--version"]):
        return _version()
    try:
        from azora_orchestrator.cli import run

        code, failure = run.verb()
        if failure is not None:
            _say(failure)
        return code
    except OSError as error:
        found = lost_output(error)
        if found is None:
            raise
        return found
    except KeyboardInterrupt:
        return 130


def _version() -> int:
    """Scripts ask for it often: it is printed before typer is imported."""
    from azora_orchestrator import __version__

    if "--json" in sys.argv:
        as_json({"version": __version__})
    else:
        say(f"azora {__version__}")
    return 0


def _say(failure: Failure) -> None:
    if "--json" in sys.argv:
        body: Any = failure.body
        as_json(body if body is not None else {"success": False, "error": str(failure)})
    for line in str(failure).splitlines():
        complain(line)
