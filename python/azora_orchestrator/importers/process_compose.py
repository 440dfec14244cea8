"""process-compose.yaml: its processes, probes, dependencies and restart rules."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

from azora_orchestrator.importers.imported import (
    NO_SUCH,
    Imported,
    environment,
    inherited,
    listen_on,
    mapping,
    read_yaml,
    shell,
)

_KNOWN = (
    "command",
    "entrypoint",
    "working_dir",
    "environment",
    "depends_on",
    "availability",
    "readiness_probe",
    "liveness_probe",
    "shutdown",
    "replicas",
    "disabled",
    "description",
    "namespace",
)
_POLICY = {
    "always": "always",
    "on_failure": "on-failure",
    "exit_on_failure": "on-failure",
    "no": "never",
}
_CONDITION = {
    "process_started": "started",
    "process_healthy": "healthy",
    "process_log_ready": "started",
    "process_completed": "completed",
    "process_completed_successfully": "completed",
}


def read(text: str, _folder: Path) -> Imported:
    """The processes of a process-compose file.

    Raises:
        NotImportable: It is not such a file.
    """
    data = read_yaml(text)
    shared = environment(data.get("environment"))
    found = Imported()
    for name, given in mapping(data.get("processes"), "processes").items():
        _process(found, name, mapping(given, name), shared)
    for key in data:
        if key not in {"version", "processes", "environment"}:
            found.note("file", key, NO_SUCH)
    return found


def _process(found: Imported, name: str, given: dict[str, Any], shared: dict[str, str]) -> None:
    found.left_out(name, given, _KNOWN)
    if given.get("disabled") is True:
        found.note(name, "disabled", "it is left out")
        return
    entrypoint = given.get("entrypoint")
    command = given.get("command")
    if isinstance(entrypoint, list):
        argv = [str(word) for word in entrypoint]
    elif isinstance(command, str) and command.strip():
        argv = shell(command.strip())
    else:
        found.note(name, "command", "is missing, so there is nothing to run")
        return
    stop = mapping(given.get("shutdown"), f"{name}.shutdown")
    process: dict[str, Any] = {
        "cwd": given.get("working_dir", ""),
        "env": shared | environment(given.get("environment")),
        "inheritEnv": inherited(given.get("environment")),
    }
    if isinstance(stop.get("signal"), int):
        process["stopSignal"] = signal.Signals(stop["signal"]).name
    if isinstance(stop.get("timeout_seconds"), int):
        process["stopTimeout"] = f"{stop['timeout_seconds']}s"
    if "command" in stop:
        found.note(name, "shutdown.command", "a service is stopped by a signal here")
    if isinstance(given.get("replicas"), int) and given["replicas"] > 1:
        process["replicas"] = given["replicas"]
    service = found.add(name, argv, process)
    _availability(service, mapping(given.get("availability"), f"{name}.availability"))
    _probes(found, name, service, given)
    if dependencies := mapping(given.get("depends_on"), f"{name}.depends_on"):
        service["dependencies"] = [
            {
                "id": found.id_of(other),
                "condition": _CONDITION.get(
                    str(mapping(how, other).get("condition", "process_started")), "started"
                ),
            }
            for other, how in dependencies.items()
        ]


def _availability(service: dict[str, Any], given: dict[str, Any]) -> None:
    service["restartPolicy"] = _POLICY.get(str(given.get("restart", "no")).lower(), "never")
    if given.get("restart") is False:  # YAML reads an unquoted no as false
        service["restartPolicy"] = "never"
    if isinstance(given.get("max_restarts"), int):
        service["maxRestarts"] = given["max_restarts"] or -1  # 0 means no limit there
    if isinstance(given.get("backoff_seconds"), int):
        service["restartDelay"] = f"{given['backoff_seconds']}s"


def _probes(found: Imported, name: str, service: dict[str, Any], given: dict[str, Any]) -> None:
    probe: dict[str, Any] = {}
    for key in ("liveness_probe", "readiness_probe"):
        one = mapping(given.get(key), f"{name}.{key}")
        if "exec" in one:
            found.note(name, f"{key}.exec", "a check runs no command here")
        elif one:
            probe = one
    target = mapping(probe.get("http_get"), f"{name}.http_get")
    if not target:
        return
    host = target.get("host") or "127.0.0.1"
    listen_on(service, f"{target.get('scheme') or 'http'}://{host}:{target.get('port', 80)}")
    service["healthCheckPath"] = target.get("path") or "/"
    if isinstance(probe.get("period_seconds"), int):
        service["healthCheckInterval"] = f"{probe['period_seconds']}s"
    check = {}
    if isinstance(probe.get("timeout_seconds"), int):
        check["timeout"] = f"{probe['timeout_seconds']}s"
    if isinstance(probe.get("failure_threshold"), int):
        check["unhealthyThreshold"] = probe["failure_threshold"]
    if isinstance(probe.get("success_threshold"), int):
        check["healthyThreshold"] = probe["success_threshold"]
    if check:
        service["healthCheck"] = check
