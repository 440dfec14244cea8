"""Judges the wheel, installs it in a fresh environment without compilers and smoke-tests it there.

Use: check_wheel.py dist/azora_orchestrator-*.whl
Shows that it carries what it should and no more (wheel_contents.py), that its libcurl can do what
checks need (wheel_probe.py), that all 11 services of `azora demo` become healthy, that one killed
comes back, and that SIGTERM leaves none. Exit code 0: all of it is so.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any, NoReturn

import wheel_contents

WAIT_SECONDS = 120


def fail(words: str) -> NoReturn:
    print(f"wheel: {words}", file=sys.stderr)
    sys.exit(1)


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def wait_for(what: str, met: Any) -> Any:
    until = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < until:
        value = met()
        if value:
            return value
        time.sleep(0.1)
    fail(f"{what} did not come about within {WAIT_SECONDS} s")


def install(wheel: Path, home: Path) -> tuple[Path, dict[str, str]]:
    """A new environment with the wheel in it; answers its bin folder and its variables."""
    subprocess.run([sys.executable, "-m", "venv", home / "venv"], check=True)
    folder = home / "venv" / "bin"
    plain = home / "plain"  # a PATH with nothing that compiles
    plain.mkdir()
    for name in ("sh", "env", "sleep"):
        found = shutil.which(name)
        if found:
            (plain / name).symlink_to(found)
    env = {
        name: value
        for name, value in os.environ.items()
        if name.startswith("PIP_") or name.lower().endswith("_proxy") or name in ("HOME", "LANG")
    }
    env["PATH"] = f"{folder}:{plain}"
    command: list[str | Path] = [
        folder / "python",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--only-binary",
        ":all:",
        wheel,
    ]
    subprocess.run(command, check=True, env=env, cwd=home)
    return folder, env


def probe(folder: Path, env: dict[str, str], home: Path) -> None:
    """Ask the bundled libcurl what it can do, and let it check a service over https."""
    certificate, key = home / "certificate.pem", home / "key.pem"
    make = f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout {key} -out {certificate}"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run([*make.split(), *names], check=True, capture_output=True)
    script = Path(__file__).resolve().with_name("wheel_probe.py")
    subprocess.run(
        [folder / "python", script, certificate, key],
        check=True,
        env={**env, "SSL_CERT_FILE": str(certificate)},
        cwd=home,
        timeout=WAIT_SECONDS,
    )


def main() -> None:
    wheel = Path(sys.argv[1]).resolve()
    if faults := wheel_contents.faults_of(wheel):
        fail("\nwheel: ".join(faults))
    with tempfile.TemporaryDirectory(prefix="azora-wheel-") as text:
        home = Path(text)
        folder, env = install(wheel, home)
        probe(folder, env, home)
        demo = subprocess.Popen(
            [folder / "azora", "demo", "--port", "0"],
            env=env,
            cwd=home,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            live_with(demo)
        finally:
            if demo.poll() is None:
                demo.kill()
                demo.wait()
    size = wheel.stat().st_size
    print(f"wheel: {size:,} bytes; installs without compilers; demo healthy, healed and ended")


def live_with(demo: subprocess.Popen[str]) -> None:
    assert demo.stdout is not None
    url = None
    for line in demo.stdout:
        found = re.search(r"at (http://\S+)", line)
        if found:
            url = found.group(1)
            break
    if url is None:
        fail("azora demo ended before it served")
    wait_for("a healthy fleet", lambda: get(f"{url}/status")["healthyServices"] == 11)
    ids = [one["serviceId"] for one in get(f"{url}/services")["services"]]
    pids = [get(f"{url}/services/{id}")["process"]["pid"] for id in ids]
    os.kill(pids[0], signal.SIGKILL)
    wait_for(
        "a healed service",
        lambda: (
            (now := get(f"{url}/services/{ids[0]}"))["process"]["pid"] not in (None, pids[0])
            and now["health"]["status"] == "healthy"
        ),
    )
    pids = [get(f"{url}/services/{id}")["process"]["pid"] for id in ids]
    demo.send_signal(signal.SIGTERM)
    demo.stdout.read()
    if demo.wait(WAIT_SECONDS) != 0:
        fail(f"azora demo ended with {demo.returncode}")
    left = [pid for pid in pids if Path(f"/proc/{pid}").exists()]
    if left:
        fail(f"processes were left behind: {left}")


if __name__ == "__main__":
    main()
