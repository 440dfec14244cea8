"""The text of systemd units for `azora serve`: pure, of what install-unit was told.

A unit says how systemd must treat a supervisor whose services outlive it: only the server itself is
signalled (`KillMode=process`), the control groups below the unit's are the server's (`Delegate`),
and it counts as up when it says so (`Type=notify`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_WATCHDOG_SECONDS = 30
_LEAST_STOP_SECONDS = 90
_STOP_MARGIN_SECONDS = 30  # for what a stop does after the fleet has ended
_BACKLOG = 2048
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=@+,")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """What to run, and how.

    Attributes:
        name: Of the unit, without `.service`.
        program: The beginning of the command line: `azora`, or Python and the module.
        state: Folder of the durable fleet.
        config: Configuration file; None: the services of Azora OS.
        user: A unit of one user's manager, not of the system's.
        listen: `host:port` of the socket that systemd holds; None: the server makes its own.
        stop_ms: How long the fleet may take to stop.
    """

    name: str
    program: Sequence[str]
    state: str
    config: str | None = None
    user: bool = False
    listen: str | None = None
    stop_ms: int = 60_000

    def files(self) -> dict[str, str]:
        """The units: name of the file and its text."""
        found = {f"{self.name}.service": _text(self._service())}
        if self.listen is not None:
            found[f"{self.name}.socket"] = _text(self._socket())
        return found

    def _description(self) -> str:
        what = "Azora Orchestrator"
        return what if self.config is None else f"{what} ({_literal(self.config)})"

    def _service(self) -> dict[str, list[str]]:
        unit = [f"Description={self._description()}"]
        if not self.user:
            unit += ["Wants=network-online.target", "After=network-online.target"]
        if self.listen is not None:
            unit += [f"Requires={self.name}.socket", f"After={self.name}.socket"]
        unit.append("StartLimitIntervalSec=0")  # it is tried again however often it fails
        command = [*self.program, "serve"]
        if self.config is not None:
            command += ["--config", self.config]
        command += ["--state", self.state, "--leave"]
        service = ["Type=notify", "ExecStart=" + " ".join(map(quoted, command))]
        if self.config is not None:  # without a file SIGHUP would end it
            service.append("ExecReload=/bin/kill -HUP $MAINPID")
        service += ["KillMode=process", "Delegate=yes", "TasksMax=infinity"]
        stop_seconds = max(_LEAST_STOP_SECONDS, self.stop_ms // 1000 + _STOP_MARGIN_SECONDS)
        service.append(f"TimeoutStopSec={stop_seconds}")
        # 2: wrong usage or configuration, which no restart mends.
        service += ["Restart=on-failure", "RestartSec=1", "RestartPreventExitStatus=2"]
        service.append(f"WatchdogSec={_WATCHDOG_SECONDS}")
        if not self.user:
            service += [f"StateDirectory={self.name}", "StateDirectoryMode=0700"]
        target = "default.target" if self.user else "multi-user.target"
        return {"Unit": unit, "Service": service, "Install": [f"WantedBy={target}"]}

    def _socket(self) -> dict[str, list[str]]:
        return {
            "Unit": [f"Description=Socket of {self._description()}"],
            "Socket": [f"ListenStream={self.listen}", f"Backlog={_BACKLOG}"],
            "Install": ["WantedBy=sockets.target"],
        }


def _text(sections: dict[str, list[str]]) -> str:
    return "\n".join("\n".join([f"[{title}]", *lines, ""]) for title, lines in sections.items())


def _literal(text: str) -> str:
    return text.replace("%", "%%")


def quoted(word: str) -> str:
    """One word of a command line, as systemd reads it: it expands `%` and `$`, and unquotes."""
    text = _literal(word).replace("$", "$$")
    if word and _PLAIN.issuperset(word):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
