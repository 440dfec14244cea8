"""`azora`: serve a fleet, look at it, change it.

Exit codes of every verb: 0 ok, 1 unhealthy, 2 usage or configuration, 3 no server there.
"""

from __future__ import annotations

import io
import sys

# Each of these adds its verbs to the app; the help shows them in this order.
from azora_orchestrator.cli import serving  # noqa: F401

# isort: split
from azora_orchestrator.cli import verbs  # noqa: F401

# isort: split
from azora_orchestrator.cli import actions  # noqa: F401
from azora_orchestrator.cli.client import Failure
from azora_orchestrator.cli.common import app
from azora_orchestrator.cli.render import as_json, complain

__all__ = ["app", "main"]


def main() -> None:
    """The console script."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what it cannot spell must not end a verb
            stream.reconfigure(errors="backslashreplace")
    try:
        app(prog_name="azora")
    except Failure as failure:
        if failure.body is not None and "--json" in sys.argv:
            as_json(failure.body)
        for line in str(failure).splitlines():
            complain(line)
        sys.exit(failure.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
