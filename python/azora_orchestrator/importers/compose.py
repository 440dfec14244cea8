"""docker-compose files: reads the services that have a `command`."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from azora_orchestrator.importers.imported import (
    NO_SUCH,
    UNSET,
    Imported,
    environment,
    inherited,
    listen_on,
    mapping,
    milliseconds,
    read_yaml,
    size,
    words,
)

_KNOWN = (
    "command",
    "entrypoint",
    "environment",
    "env_file",
    "working_dir",
    "user",
    "depends_on",
    "restart",
    "healthcheck",
    "ports",
    "stop_signal",
    "stop_grace_period",
    "deploy",
    "scale",
    "mem_limit",
    "init",
    "container_name",
)
_TOLD = {
    "image": "{} is not pulled: the command runs as it is installed on this machine",
    "build": "nothing is built: the command runs as it is installed on this machine",
}
_CONDITION = {
    "service_started": "started",
    "service_healthy": "healthy",
    "service_completed_successfully": "completed",
}
_VARIABLE = re.compile(r"\$(?:\$|\{(\w+)(?::?([-?+])([^}]*))?\}|(\w+))")
_URL = re.compile(r"(https?)://(?:localhost|127\.0\.0\.1|0\.0\.0\.0)(?::(\d+))?(/[^\s\"'|]*)?")


def read(text: str, folder: Path) -> Imported:
    """The services of a compose file that have a command.

    Raises:
        NotImportable: It is not such a file.
    """
    data = read_yaml(text)
    found = Imported()
    variables = {**_dotenv(folder / ".env"), **os.environ}
    for name, given in mapping(data.get("services"), "services").items():
        _service(found, name, mapping(given, name), variables)
    known = {service["id"] for service in found.services}
    for service in found.services:
        for dependency in list(service.get("dependencies", ())):
            if dependency["id"] not in known:
                service["dependencies"].remove(dependency)
                found.note(
                    service["id"],
                    "depends_on",
                    f'"{dependency["id"]}" is not a service here',
                )
        if not service.get("dependencies", True):
            del service["dependencies"]
    for key in data:
        if key not in {"version", "services", "name"} and not str(key).startswith("x-"):
            found.note("file", str(key), NO_SUCH)
    return found


def _service(found: Imported, name: str, raw: dict[str, Any], variables: dict[str, str]) -> None:
    given = _interpolated(found, name, raw, variables)
    if "command" not in given and "entrypoint" not in given:
        what, shown = (
            ("image", f"{given['image']} is not pulled")
            if "image" in given
            else (
                "build",
                "nothing is built",
            )
        )
        found.note(
            name,
            what,
            f"{shown}: services are programs of this machine here; install it and add a service "
            "with its process.argv",
        )
        return
    found.left_out(name, given, _KNOWN, _TOLD)
    deploy = mapping(given.get("deploy"), f"{name}.deploy")
    process: dict[str, Any] = {
        "cwd": given.get("working_dir", ""),
        "user": str(given.get("user", "")),
        "env": environment(given.get("environment")),
        "inheritEnv": inherited(given.get("environment")),
    }
    files = given.get("env_file")
    first = files[0] if isinstance(files, list) and files else files
    process["envFile"] = first.get("path", "") if isinstance(first, dict) else first or ""
    if isinstance(files, list) and len(files) > 1:
        found.note(name, "env_file", f"only the first file is read: {process['envFile']}")
    if signal := given.get("stop_signal"):
        process["stopSignal"] = str(signal)
    if (grace := milliseconds(given.get("stop_grace_period", ""))) is not None:
        process["stopTimeout"] = grace
    replicas = given.get("scale", deploy.get("replicas", 1))
    if isinstance(replicas, int) and replicas > 1:
        process["replicas"] = replicas
    limits = mapping(mapping(deploy.get("resources"), "resources").get("limits"), "limits")
    if limit := size(given.get("mem_limit", limits.get("memory", ""))):
        process["memoryLimit"] = limit
    argv = _list(given.get("entrypoint")) + _list(given.get("command"))
    if not argv:
        found.note(name, "command", "is empty, so there is nothing to run")
        return
    service = found.add(name, argv, process)
    _restart(service, given.get("restart"))
    _listen(found, name, service, given)
    _dependencies(found, service, given.get("depends_on"))


def _list(value: Any) -> list[str]:
    if isinstance(value, list):
        return [str(item) for item in value]
    return words(str(value)) if value else []


def _restart(service: dict[str, Any], given: Any) -> None:
    text = "no" if given in (None, False) else str(given)
    policy, _, limit = text.partition(":")
    service["restartPolicy"] = {
        "no": "never",
        "always": "always",
        "unless-stopped": "always",
        "on-failure": "on-failure",
    }.get(policy, "never")
    if policy in {"always", "unless-stopped"}:
        service["maxRestarts"] = -1
    if limit.isdigit():
        service["maxRestarts"] = int(limit)


def _listen(found: Imported, name: str, service: dict[str, Any], given: dict[str, Any]) -> None:
    health = mapping(given.get("healthcheck"), f"{name}.healthcheck")
    test = health.get("test")
    command = " ".join(map(str, test)) if isinstance(test, list) else str(test or "")
    port = _port(given.get("ports"))
    if url := _URL.search(command):
        listen_on(service, f"{url[1]}://127.0.0.1:{url[2] or 80}")
        service["healthCheckPath"] = url[3] or "/"
    else:
        if command and "NONE" not in command:
            found.note(name, "healthcheck.test", f"a check runs no command here: {command[:80]}")
        if port is None:
            return
        listen_on(service, f"tcp://127.0.0.1:{port}")
        found.note(name, "ports", "it is checked by connecting; an http:// endpoint checks more")
    if interval := milliseconds(health.get("interval", "")):
        service["healthCheckInterval"] = max(100, interval)
    check = {}
    if timeout := milliseconds(health.get("timeout", "")):
        check["timeout"] = min(timeout, service.get("healthCheckInterval", 30_000))
    if isinstance(health.get("retries"), int) and health["retries"] > 0:
        check["unhealthyThreshold"] = health["retries"]
    if start := milliseconds(health.get("start_period", "")):
        check["startTimeout"] = max(start, 30_000)
    if check:
        service["healthCheck"] = check


def _port(ports: Any) -> int | None:
    """The port on which the program itself listens: the container's side of the first port."""
    for item in ports if isinstance(ports, list) else []:
        text = str(item.get("target", "")) if isinstance(item, dict) else str(item)
        last = text.rpartition(":")[2].partition("/")[0]
        if last.isdigit():
            return int(last)
    return None


def _dependencies(found: Imported, service: dict[str, Any], given: Any) -> None:
    if isinstance(given, list):
        given = {str(other): {"condition": "service_started"} for other in given}
    if not isinstance(given, dict) or not given:
        return
    service["dependencies"] = [
        {
            "id": found.id_of(str(other)),
            "condition": _CONDITION.get(
                str(mapping(how, str(other)).get("condition", "service_started")), "started"
            ),
        }
        for other, how in given.items()
    ]


def _interpolated(found: Imported, name: str, value: Any, variables: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _interpolated(found, name, item, variables) for key, item in value.items()}
    if isinstance(value, list):
        return [_interpolated(found, name, item, variables) for item in value]
    if not isinstance(value, str):
        return value

    def replace(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        variable = match[1] or match[4]
        known = variables.get(variable)
        if match[2] == "-" and not known:
            return match[3]
        if match[2] == "+":
            return match[3] if known else ""
        if known is None:
            found.note(name, variable, UNSET)
        return known or ""

    return _VARIABLE.sub(replace, value)


def _dotenv(file: Path) -> dict[str, str]:
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    pairs = (line.partition("=") for line in lines if not line.lstrip().startswith("#"))
    return {
        name.strip().removeprefix("export "): value.strip().strip("\"'")
        for name, sign, value in pairs
        if sign
    }
