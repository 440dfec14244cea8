"""Reads the files of other supervisors as a fleet of ours: `azora import`.

One module reads one kind of file and gives an `Imported`: services as the configuration file
spells them, and a note for each thing that could not be carried over. Nothing is run.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from azora_orchestrator.importers import (
    compose,
    pm2,
    process_compose,
    procfile,
    supervisord,
)
from azora_orchestrator.importers.imported import Imported, NotImportable, write_toml

__all__ = ["KINDS", "Imported", "NotImportable", "kind_of", "read", "write_toml"]

# Name of the kind -> its reader of (text, folder of the file).
KINDS: dict[str, Callable[[str, Path], Imported]] = {
    "procfile": procfile.read,
    "docker-compose": compose.read,
    "supervisord": supervisord.read,
    "process-compose": process_compose.read,
    "pm2": pm2.read,
}


def kind_of(file: Path, text: str) -> str:
    """The kind of a file, by its name and, where that says too little, its content.

    Raises:
        NotImportable: It is not a known kind.
    """
    name = file.name.lower()
    if name.startswith("procfile"):
        return "procfile"
    if name.startswith("process-compose"):
        return "process-compose"
    if "compose" in name and name.endswith((".yml", ".yaml")):
        return "docker-compose"
    if name.endswith((".conf", ".ini")):
        return "supervisord"
    if name.endswith(".json"):
        return "pm2"
    if name.endswith((".js", ".cjs", ".mjs", ".ts")):
        raise NotImportable(
            "is a program; write what it exports as JSON first: "
            f"node -p 'JSON.stringify(require(\"./{file.name}\"))' > ecosystem.json"
        )
    if name.endswith((".yml", ".yaml")):
        return "process-compose" if "\nprocesses:" in f"\n{text}" else "docker-compose"
    raise NotImportable(f"has a name that does not show its kind; give --from {'|'.join(KINDS)}")


def read(file: Path, kind: str | None = None) -> Imported:
    """Read one file.

    Args:
        file: A Procfile, a docker-compose file, a supervisord.conf, a process-compose.yaml or a
            PM2 ecosystem file in JSON.
        kind: One of `KINDS`; by default what the file's name says.

    Raises:
        NotImportable: It cannot be read, or is of another kind.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise NotImportable(f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise NotImportable("is not UTF-8; save it as UTF-8") from None
    reader = KINDS[kind or kind_of(file, text)]
    found = reader(text, file.resolve().parent)
    if not found.services:
        raise NotImportable("contains no program that could run here", found.notes)
    for service in found.services:
        process = service["process"]
        if "endpoint" in service and "replicas" in process and "{port}" not in str(process["argv"]):
            found.note(
                service["id"], "replicas", "each has a port of its own; write {port} in argv"
            )
    return found
