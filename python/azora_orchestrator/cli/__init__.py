"""`azora`: serve a fleet, look at it, change it.

Exit codes of every verb: 0 ok, 1 unhealthy, 2 usage or configuration, 3 no server there.
"""

from __future__ import annotations

import sys

# Each of these adds its verbs to the app; the help shows them in this order.
from azora_orchestrator.cli import serving  # noqa: F401

# isort: split
from azora_orchestrator.cli import verbs  # noqa: F401

# isort: split
from azora_orchestrator.cli import actions  # noqa: F401
from azora_orchestrator.cli.client import Failure
from azora_orchestrator.cli.common import app
from azora_orchestrator.cli.render import complain

__all__ = ["app", "main"]


def main() -> None:
    """The console script."""
    try:
        app()
    except Failure as failure:
        for line in str(failure).splitlines():
            complain(line)
        sys.exit(failure.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
