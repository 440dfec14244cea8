"""supervisord.conf: its [program:x] and [group:x] sections."""

from __future__ import annotations

import configparser
import os
import re
import shlex
from pathlib import Path
from typing import Any

from azora_orchestrator.importers.imported import (
    UNSET,
    Imported,
    NotImportable,
    literal,
    size,
    words,
)

_KNOWN = (
    "command",
    "directory",
    "environment",
    "autostart",
    "autorestart",
    "startretries",
    "stopsignal",
    "stopwaitsecs",
    "user",
    "umask",
    "stopasgroup",
    "numprocs",
    "process_name",
    "stdout_logfile_maxbytes",
    "stdout_logfile_backups",
    "killasgroup",  # what a service leaves behind is always ended
    "redirect_stderr",  # both streams share the log
)
_YES = {"true", "yes", "1", "on"}
_POLICY = {"true": "always", "false": "never", "unexpected": "on-failure"}
_TOLD = {
    "priority": "is {}, a position in the start order; here a service starts after its "
    "dependencies, and priority (1 to 10, the highest first) only orders those that could start",
}


def read(text: str, folder: Path) -> Imported:
    """The programs of a supervisord configuration.

    Raises:
        NotImportable: It is not such a file.
    """
    parser = configparser.RawConfigParser(inline_comment_prefixes=(";", " #"), strict=False)
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise NotImportable(f"is not a supervisord file: {str(error).splitlines()[0]}") from None
    groups = {
        program.strip(): section.partition(":")[2]
        for section in parser.sections()
        if section.startswith("group:")
        for program in parser.get(section, "programs", fallback="").split(",")
    }
    found = Imported()
    for section in parser.sections():
        kind, _, name = section.partition(":")
        if kind == "program":
            _program(found, name, dict(parser.items(section)), groups.get(name), folder)
        elif kind in {"eventlistener", "fcgi-program", "include"}:
            found.note(section, "section", "there is no equivalent here")
    return found


def _program(
    found: Imported, name: str, given: dict[str, str], group: str | None, folder: Path
) -> None:
    found.left_out(name, given, _KNOWN, _TOLD)
    count = _integer(given.get("numprocs"), 1)

    def variable(match: re.Match[str]) -> str:
        if match[1] not in os.environ:
            found.note(name, match[1], UNSET)
        return os.environ.get(match[1], "")

    def meant(value: str) -> str:
        value = literal(value)
        if re.search(r"%\(process_num\)0?[2-9]d", value):
            found.note(name, "process_num", "has no leading zeros here: {index} is 0, 1, 2 ...")
        value = re.sub(r"%\(process_num\)0?\d*d", "{index}", value)
        value = re.sub(r"%\(ENV_(\w+)\)s", variable, value)
        known = {"program_name": name, "group_name": group or name, "here": str(folder)}
        for key, text in known.items():
            value = value.replace(f"%({key})s", text)
        if "%(" in value:
            found.note(name, "expression", f"is not known here: {value}")
        return value.replace("%%", "%")

    if "command" not in given:
        found.note(name, "command", "is missing, so there is nothing to run")
        return
    process: dict[str, Any] = {
        "cwd": meant(given.get("directory", "")),
        "user": given.get("user", ""),
        "env": _environment(found, name, meant(given.get("environment", ""))),
    }
    if signal := given.get("stopsignal"):
        process["stopSignal"] = "SIG" + signal.upper().removeprefix("SIG")
    if "stopwaitsecs" in given:
        process["stopTimeout"] = f"{_integer(given['stopwaitsecs'], 10)}s"
    if given.get("stopasgroup", "false").lower() in _YES:
        process["stopMode"] = "tree"
    if umask := given.get("umask"):
        process["umask"] = umask.rjust(3, "0")
    log: dict[str, Any] = {}
    if (bytes_ := size(given.get("stdout_logfile_maxbytes", ""))) and bytes_ != "0":
        log["maxBytes"] = bytes_
    if "stdout_logfile_backups" in given:
        log["files"] = _integer(given["stdout_logfile_backups"], 10) + 1
    process["log"] = log
    if count > 1:
        process["replicas"] = count
    service = found.add(name, words(meant(given["command"])), process, template=True)
    service["restartPolicy"] = _POLICY.get(given.get("autorestart", "unexpected"), "on-failure")
    if "startretries" in given:
        service["maxRestarts"] = _integer(given["startretries"], 3)
    if group:
        service["group"] = found.id_of(group)
    if given.get("autostart", "true").lower() in {"false", "no", "0", "off"}:
        found.note(name, "autostart", "every service is started here; stop it with `azora stop`")


def _environment(found: Imported, name: str, text: str) -> dict[str, str]:
    lexer = shlex.shlex(text, posix=True)
    lexer.whitespace = ","
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        pairs = [item.strip().partition("=") for item in lexer if item.strip()]
    except ValueError:
        found.note(name, "environment", "its quotes are not closed")
        return {}
    return {key.strip(): value for key, sign, value in pairs if sign}


def _integer(text: str | None, otherwise: int) -> int:
    try:
        return int(text or otherwise)
    except ValueError:
        return otherwise
