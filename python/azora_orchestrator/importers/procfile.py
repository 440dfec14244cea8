"""Procfiles (foreman, honcho, overmind, Heroku): `name: command`, each command for a shell."""

from __future__ import annotations

import re
from pathlib import Path

from azora_orchestrator.importers.imported import (
    FIRST_PORT,
    Imported,
    NotImportable,
    listen_on,
    shell,
)

_LINE = re.compile(r"([A-Za-z0-9_-]+):\s*(.+)")
_STEP = 100  # between the ports of two programs, as foreman counts


def read(text: str, folder: Path) -> Imported:
    """The programs of a Procfile; a `.env` beside it becomes the envFile of each.

    A program that names $PORT gets a port and is checked by connecting to it.

    Raises:
        NotImportable: A line is neither a program nor a comment.
    """
    found = Imported()
    env_file = ".env" if (folder / ".env").is_file() else ""
    port = FIRST_PORT
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        if not match:
            raise NotImportable(f'line {number} is not "name: command"')
        name, command = match[1], match[2]
        if name == "release":
            found.note(name, "command", "a release command runs once at a deployment, not here")
            continue
        service = found.add(name, shell(command), {"envFile": env_file})
        if re.search(r"\$\{?PORT\b", command):
            listen_on(service, f"tcp://127.0.0.1:{port}")
            port += _STEP
    return found
