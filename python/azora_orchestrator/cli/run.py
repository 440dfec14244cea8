"""Runs one verb: its options by typer, its end as an exit code and at most one failure."""

from __future__ import annotations

from typing import Any

import typer

# Each of these adds its verbs to the app; the help shows them in this order.
from azora_orchestrator.cli import serving  # noqa: F401

# isort: split
from azora_orchestrator.cli import verbs  # noqa: F401

# isort: split
from azora_orchestrator.cli import history  # noqa: F401

# isort: split
from azora_orchestrator.cli import actions  # noqa: F401

# isort: split
from azora_orchestrator.cli import owner  # noqa: F401

# isort: split
from azora_orchestrator.cli import (
    importing,  # noqa: F401
    install_unit,  # noqa: F401
    quick,
    rolling,  # noqa: F401
    state,  # noqa: F401
)
from azora_orchestrator.cli.client import OK, USAGE, Failure, failure_of
from azora_orchestrator.cli.common import app
from azora_orchestrator.errors import AzoraError

# typer's own copy of click, or click: wherever its errors come from.
_Refused: Any = next(
    kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException"
)


def verb() -> tuple[int, Failure | None]:
    """Runs the verb of `sys.argv`. Returns its exit code, and the failure that is to be told."""
    try:
        code = quick.command(app)(prog_name="azora", standalone_mode=False)
        return code if isinstance(code, int) else OK, None
    except Failure as failure:
        return failure.exit_code, failure
    except AzoraError as error:
        refused = failure_of(error)
        return refused.exit_code, refused
    except typer.Abort:
        return 130, None
    except _Refused as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # `azora` alone: it has printed the help
            error.show()
            return USAGE, None
        return USAGE, _usage(error)


def _usage(error: Any) -> Failure:
    """A usage error as one line, with where to read on."""
    path = error.ctx.command_path if getattr(error, "ctx", None) is not None else "azora"
    message = error.format_message().rstrip(".")
    body = {"success": False, "error": message, "code": "usage"}
    return Failure(USAGE, f"{message}; see `{path} --help`", body)
