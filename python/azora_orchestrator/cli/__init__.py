"""`azora`: serve a fleet, look at it, change it.

Exit codes of every verb: 0 ok, 1 unhealthy, 2 usage or configuration, 3 no server there.
"""

from __future__ import annotations

import io
import os
import sys

# Each of these adds its verbs to the app; the help shows them in this order.
from azora_orchestrator.cli import serving  # noqa: F401

# isort: split
from azora_orchestrator.cli import verbs  # noqa: F401

# isort: split
from azora_orchestrator.cli import actions  # noqa: F401

# isort: split
from azora_orchestrator.cli import importing  # noqa: F401
from azora_orchestrator.cli.client import Failure
from azora_orchestrator.cli.common import app
from azora_orchestrator.cli.render import as_json, complain, drop_output, lost_output

__all__ = ["app", "main"]


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
    """One verb; answers the exit code."""
    try:
        try:
            app(prog_name="azora")
        except Failure as failure:
            if failure.body is not None and "--json" in sys.argv:
                as_json(failure.body)
            for line in str(failure).splitlines():
                complain(line)
            return failure.exit_code
    except OSError as error:
        code = lost_output(error)
        if code is None:
            raise
        return code
    except KeyboardInterrupt:
        return 130
    return 0
