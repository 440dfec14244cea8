#!/usr/bin/env python3
"""Makes env_files.json out of cases.json: what sh, systemd and python-dotenv take from each file.

Run by hand after a change of cases.json, where python-dotenv and systemd are installed:
`python3 make.py`. The test reads env_files.json alone.
"""

from __future__ import annotations

import importlib.metadata
import io
import json
import os
import re
import subprocess
import tempfile
from pathlib import Path

from dotenv import dotenv_values

HERE = Path(__file__).resolve().parent
GENERATOR = os.environ.get(
    "SYSTEMD_GENERATOR",
    "/usr/lib/systemd/user-environment-generators/30-systemd-environment-d-generator",
)
# environment.d expands "$" and unsets what is empty, EnvironmentFile= does neither: a dollar stands
# aside for the while, and a case may have systemd's value of its own, from systemd.exec(5).
DOLLAR = "\x01"
ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


def sh(text: str) -> dict[str, str] | None:
    """What `set -a; . file` leaves in an empty environment; None: it is refused."""
    with tempfile.NamedTemporaryFile("w", newline="") as file:
        file.write(text)
        file.flush()
        done = subprocess.run(
            ["/bin/sh", "-c", f"set -ea; . {file.name}; exec /usr/bin/env -0"],
            env={},
            capture_output=True,
            check=False,
        )
    if done.returncode:
        return None
    pairs = (pair.partition("=") for pair in done.stdout.decode().split("\0") if pair)
    return {name: value for name, _, value in pairs if name not in ("PWD", "OLDPWD", "_")}


def systemd(text: str) -> dict[str, str] | None:
    """What systemd's reader of environment files makes of it; None: it is refused."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "environment.d").mkdir()
        given = text.replace("$", DOLLAR)
        (Path(folder) / "environment.d/a.conf").write_text(given, newline="")
        done = subprocess.run(
            [GENERATOR],
            env=os.environ | {"XDG_CONFIG_HOME": folder, "SYSTEMD_LOG_LEVEL": "err"},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        return None
    found: dict[str, str] = {}
    for line in done.stdout.splitlines():
        name, _, value = line.partition("=")
        if name not in ("QT_ACCESSIBILITY",):
            found[name] = _unquoted(value).replace(DOLLAR, "$")
    return found


def _unquoted(value: str) -> str:
    quoted = re.fullmatch(r'\$?(["\'])(.*)\1', value, re.DOTALL)
    if not quoted:
        return value
    text = re.sub(r"\\x([0-9a-f]{2})", lambda found: chr(int(found[1], 16)), quoted[2])
    text = re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)
    return re.sub(r"\\(.)", lambda found: ESCAPES.get(found[1], found[1]), text, flags=re.DOTALL)


def dotenv(text: str) -> dict[str, str | None]:
    """What python-dotenv makes of it, without its substitutions."""
    return dict(dotenv_values(stream=io.StringIO(text, newline=""), interpolate=False))


def main() -> None:
    """Fills in the columns."""
    cases = json.loads((HERE / "cases.json").read_text())
    rows = []
    for case in cases:
        text = case["file"]
        row = {"sh": sh(text), "systemd": systemd(text), "dotenv": dotenv(text)} | case
        ours = row["azora"]
        row["as"] = [name for name in ("sh", "systemd", "dotenv") if row[name] == ours]
        rows.append(row)
    versions = {
        "sh": subprocess.run(
            ["dpkg-query", "-W", "-f", "dash ${Version}", "dash"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout,
        "systemd": os.environ.get("SYSTEMD_VERSION", "systemd"),
        "dotenv": f"python-dotenv {importlib.metadata.version('python-dotenv')}",
    }
    lines = ",\n".join("  " + json.dumps(row, ensure_ascii=True) for row in rows)
    (HERE / "env_files.json").write_text(
        f'{{"versions": {json.dumps(versions)},\n"files": [\n{lines}\n]}}\n'
    )


if __name__ == "__main__":
    main()
