"""PM2 ecosystem files in JSON: {"apps": [...]}, or one app, or a list of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from azora_orchestrator.importers.imported import (
    Imported,
    NotImportable,
    environment,
    milliseconds,
    size,
    words,
)

_KNOWN = (
    "name",
    "script",
    "args",
    "interpreter",
    "interpreter_args",
    "node_args",
    "cwd",
    "env",
    "instances",
    "autorestart",
    "max_restarts",
    "restart_delay",
    "kill_timeout",
    "max_memory_restart",
    "exec_mode",
)
_INTERPRETERS = {".js": "node", ".cjs": "node", ".mjs": "node", ".py": "python3", ".sh": "bash"}
_INTERPRETERS |= {".rb": "ruby", ".pl": "perl", ".php": "php", ".ts": "bun", ".tsx": "bun"}


def read(text: str, _folder: Path) -> Imported:
    """The apps of an ecosystem file.

    Raises:
        NotImportable: It is not JSON, or no such file.
    """
    try:
        data = json.loads(text)
    except ValueError as error:
        raise NotImportable(f"is not valid JSON: {error}") from None
    apps = data.get("apps", data) if isinstance(data, dict) else data
    found = Imported()
    for app in apps if isinstance(apps, list) else [apps]:
        if not isinstance(app, dict) or not isinstance(app.get("script"), str):
            raise NotImportable('has an app without "script"')
        _app(found, app)
    return found


def _app(found: Imported, app: dict[str, Any]) -> None:
    script = app["script"]
    name = str(app.get("name") or Path(script).stem)
    found.left_out(name, app, _KNOWN)
    process: dict[str, Any] = {"cwd": app.get("cwd", ""), "env": environment(app.get("env"))}
    instances = app.get("instances", 1)
    if isinstance(instances, int) and instances > 1:
        process["replicas"] = instances
    elif str(instances) not in {"1", "0"} or instances == 0:
        found.note(name, "instances", f"is {instances!r}; write process.replicas as a number")
    if app.get("exec_mode") in {"cluster", "cluster_mode"}:
        found.note(
            name,
            "exec_mode",
            "replicas have a port each here, {port}, instead of one shared socket",
        )
    if "kill_timeout" in app and (time := milliseconds(float(app["kill_timeout"]) / 1000)):
        process["stopTimeout"] = time
    if limit := size(app.get("max_memory_restart", "")):
        process["memoryLimit"] = limit
    service = found.add(name, _argv(app, script), process)
    service["restartPolicy"] = "never" if app.get("autorestart") is False else "always"
    if isinstance(app.get("max_restarts"), int):
        service["maxRestarts"] = app["max_restarts"]
    if isinstance(app.get("restart_delay"), int) and app["restart_delay"] > 0:
        service["restartDelay"] = app["restart_delay"]


def _argv(app: dict[str, Any], script: str) -> list[str]:
    interpreter = app.get("interpreter") or _INTERPRETERS.get(Path(script).suffix)
    argv: list[str] = []
    if interpreter and interpreter != "none":
        argv += [str(interpreter), *_list(app.get("interpreter_args") or app.get("node_args"))]
        argv.append(script)
    elif "/" not in script and " " in script:
        argv += words(script)  # "npm start"
    else:
        argv.append(script)
    return argv + _list(app.get("args"))


def _list(value: Any) -> list[str]:
    if isinstance(value, list):
        return [str(item) for item in value]
    return words(value) if isinstance(value, str) else []
