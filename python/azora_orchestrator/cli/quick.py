"""Keeps typer from importing pydantic for options that are not given, or are plain strings.

typer converts the value of every option by pydantic, whose import takes a third of the time of a
verb. Each option answers `get_runtime_param()`, which typer calls for the conversion, by one of
ours. With another typer, whose options have no such method, this does nothing, and verbs are
slower; tests/py/cli/test_startup.py tells.
"""

from __future__ import annotations

from typing import Any

import typer
import typer.main


class _Converter:
    """Stands in for the converter of one option, until there is something to convert."""

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """The value as it is, if it is none or a string; otherwise typer's own conversion."""
        many = param.multiple or param.nargs == -1
        if value is None or value == ():
            return () if many else None
        kind = param.type_descriptor.annotation
        if kind is str and isinstance(value, str) and not many:
            return value
        if kind == list[str] and isinstance(value, list | tuple):
            return list(value)
        own = type(param).get_runtime_param(param)
        return own.coerce(value, param=param, ctx=ctx)


def command(app: typer.Typer) -> Any:
    """The command of a typer app, quick where typer allows."""
    group: Any = typer.main.get_command(app)
    root = typer.Context(group, **group.context_settings)
    for one in (group, *group.commands.values()):
        ctx = root if one is group else typer.Context(one, parent=root)
        for param in one.get_params(ctx):  # --help among them
            if hasattr(param, "get_runtime_param") and hasattr(param, "type_descriptor"):
                setattr(param, "get_runtime_param", _Converter)  # noqa: B010 (of this one alone)
    return group
