"""Tables for notebooks: what `_repr_html_` of the models returns."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

__all__ = ["colored", "table"]

_COLORS = {"healthy": "#1a7f37", "degraded": "#9a6700", "unhealthy": "#cf222e"}
_MOST_ROWS = 200  # more would make a notebook slow


class _Colored(str):
    """A status, which is shown in its color."""

    __slots__ = ()


def colored(status: str) -> str:
    """Mark a status, so that it is shown in its color."""
    return _Colored(status)


def table(head: Sequence[str], rows: Iterable[Sequence[object]], title: str = "") -> str:
    """An HTML table; values are escaped, None is an empty cell."""
    rows = list(rows)
    lines = [f"<p>{html.escape(title)}</p>"] if title else []
    lines.append("<table><thead><tr>")
    lines += [f"<th>{html.escape(name)}</th>" for name in head]
    lines.append("</tr></thead><tbody>")
    for row in rows[:_MOST_ROWS]:
        lines.append("<tr>" + "".join(map(_cell, row)) + "</tr>")
    lines.append("</tbody></table>")
    if len(rows) > _MOST_ROWS:
        lines.append(f"<p>{len(rows) - _MOST_ROWS} more rows are not shown.</p>")
    return "".join(lines)


def _cell(value: object) -> str:
    text = "" if value is None else html.escape(str(value))
    if isinstance(value, _Colored):
        return f'<td style="color: {_COLORS.get(value, "#57606a")}">{text}</td>'
    return f"<td>{text}</td>"
