"""What the verbs print: JSON as it came, or a table for people."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any

_LEAST_COLUMN = 8  # characters that a column needs to be read at all
COLORS = {"healthy": "green", "unhealthy": "red", "degraded": "yellow", "unknown": "bright_black"}


def write(text: str) -> None:
    """Writes text to standard output at once; if it cannot, the verb ends (`lost_output`)."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        code = lost_output(error)
        if code is None:
            raise
        raise SystemExit(code) from None


# Errors of a write to a standard file: its reader has gone, or its disk has no room.
_NO_READER = (errno.EPIPE,)
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)


def lost_output(error: OSError) -> int | None:
    """The exit code of a verb whose output cannot be written; None: it is another error.

    A reader that has seen enough (`azora events | head`) is no error: 0. A full disk is one: 1.
    """
    if error.filename is not None or error.errno not in _NO_READER + _NO_ROOM:
        return None
    if error.errno in _NO_READER:
        return 0
    complain(f"standard output cannot be written: {os.strerror(error.errno)}")
    return 1


def drop_output() -> None:
    """Drops unwritten output: at exit Python would write it again, and fail with a traceback."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except ValueError:  # it was closed
            continue
        except OSError:
            with contextlib.suppress(OSError, ValueError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, stream.fileno())
                os.close(nowhere)
                stream.flush()


# What a terminal would obey: C0 but tab and line feed, DEL and C1.
_CONTROLS = {
    number: f"\\x{number:02x}" for number in (*range(32), *range(127, 160)) if number not in (9, 10)
}


def visible(text: str) -> str:
    """Text with its control characters spelled out, so that a terminal does not obey them."""
    return text.translate(_CONTROLS)


def for_output(text: str) -> str:
    """Text of a service for standard output: as it is in a pipe, visible on a terminal."""
    return visible(text) if sys.stdout.isatty() else text


def say(text: str = "") -> None:
    """One line to standard output, at once."""
    write(for_output(text) + "\n")


def complain(text: str) -> None:
    """One line to standard error."""
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"azora: {visible(text) if sys.stderr.isatty() else text}\n")
        sys.stderr.flush()


def warning(finding: object) -> str:
    """A warning about a configuration file, with the word for it after its place."""
    where, _, text = str(finding).partition(": ")
    return f"{where}: warning: {text}"


def tell(text: str) -> None:
    """One line to standard output; if it cannot be written, the caller still goes on."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


def count(number: int, noun: str = "service") -> str:
    """A number with its noun: "1 service", "2 services"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def as_json(value: Any) -> None:
    """The machine's form: one compact document on one line."""
    say(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def table(
    headings: Sequence[str], rows: Iterable[Sequence[str]], *, status: int | None = None
) -> None:
    """Rows under headings; column number `status` has the colour of its status.

    If the output is not a terminal (a pipe), plain columns: no frames, no colours, no cut texts.
    """
    lines = [[visible(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        everything = [list(headings), *lines]
        widths = [max(len(row[i]) for row in everything) for i in range(len(headings))]
        for row in everything:
            say(
                "  ".join(
                    cell.ljust(width) for cell, width in zip(row, widths, strict=True)
                ).rstrip()
            )
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    # Names and statuses are not broken if there is room for them.
    whole = [0] if status is None else [0, status]
    taken = sum(max(len(row[place]) for row in [headings, *lines]) + 1 for place in whole)
    roomy = taken + _LEAST_COLUMN * (len(headings) - len(whole)) <= console.width
    shown = Table(box=None, header_style="bold", pad_edge=False)
    for place, heading in enumerate(headings):
        shown.add_column(heading, overflow="fold", no_wrap=roomy and place in whole)
    for row in lines:
        cells = [Text(cell) for cell in row]
        if status is not None:
            cells[status].stylize(COLORS.get(row[status], ""))
        shown.add_row(*cells)
    with console.capture() as drawn:
        console.print(shown)
    write(drawn.get())


def span(ms: int) -> str:
    """A duration for people: 340 ms, 12 s, 3 min, 5 h, 2 d; `-` for none."""
    if ms <= 0:
        return "-"
    if ms < 1000:
        return f"{ms} ms"
    seconds = ms // 1000
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


_COMMON = ("seq", "time", "type", "serviceId", "incarnation", "cause")


_USUAL = ("actor", "orchestrator")  # of most events; other actors are shown


def event_line(event: dict[str, Any]) -> str:
    """One event on one line: its number, for `--since`, then when, what, about which service."""
    number = "-" if event.get("type") == "gap" else str(event.get("seq", "-"))
    clock = str(event.get("time") or "")[11:23]
    parts = [clock, str(event.get("type", "")), str(event.get("serviceId") or "-")]
    details = [
        f"{key}={value if isinstance(value, str) else json.dumps(value)}"
        for key, value in event.items()
        if key not in _COMMON and value is not None and (key, value) != _USUAL
    ]
    if event.get("cause"):
        details.insert(0, str(event["cause"]))
    words = " ".join(details)
    return f"{number:>7} {parts[0]:12} {parts[1]:20} {parts[2]:28} {words}".rstrip()


def tree(nodes: dict[str, list[str]], statuses: dict[str, str]) -> list[str]:
    """Shows each service once, under its last dependency to start; the others follow its name."""
    ranks: dict[str, int] = {}

    def rank(name: str) -> int:
        pending = [name]
        while pending:
            needs = nodes.get(pending[-1], ())
            missing = [need for need in needs if need not in ranks]
            if missing:
                pending += missing
            else:
                ranks[pending[-1]] = 1 + max((ranks[need] for need in needs), default=-1)
                pending.pop()
        return ranks[name]

    below: dict[str | None, list[str]] = {}
    others: dict[str, list[str]] = {}
    for name, needs in nodes.items():
        parent = max(needs, key=rank, default=None)
        below.setdefault(parent, []).append(name)
        others[name] = [need for need in needs if need != parent]
    absent = {need for needs in nodes.values() for need in needs} - set(nodes)
    lines: list[str] = []
    pending = [(name, "", "") for name in reversed([*sorted(absent), *below.get(None, ())])]
    while pending:
        name, prefix, stem = pending.pop()
        more = f" needs {', '.join(others[name])} too" if others.get(name) else ""
        lines.append(f"{prefix}{stem}{name} [{statuses.get(name, 'not registered')}]{more}")
        inner = prefix + {"": "", "├─ ": "│  ", "└─ ": "   "}[stem]
        children = below.get(name, [])
        for index in reversed(range(len(children))):
            last = index == len(children) - 1
            pending.append((children[index], inner, "└─ " if last else "├─ "))
    return lines
