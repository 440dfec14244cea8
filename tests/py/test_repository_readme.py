"""README.md is true: its examples run and what it says to type exists."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import free_port, free_ports
from repository_rig import ROOT, faults_of, write

README = (ROOT / "README.md").read_text()


# The server of an example is ended as its reader would end it, once it serves.
CTRL_C = """
import logging, os, signal

class CtrlC(logging.Handler):
    def emit(self, record):
        if "serves at" in record.getMessage():
            print("served", flush=True)
            os.kill(os.getpid(), signal.SIGINT)

logging.getLogger("azora.server").addHandler(CtrlC())
logging.getLogger("azora.server").setLevel(logging.INFO)
"""


def test_what_the_readme_says_to_type_exists() -> None:
    assert faults_of("readme") == []


@pytest.mark.process
def test_the_examples_of_the_readme_run(tmp_path: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    # The one for a client needs a server; test_readme_commands.py runs it.
    alone = [block for block in blocks if "Client()" not in block]
    program = CTRL_C + "\n".join(alone).replace("port=5000", "port=0")
    single = free_port()
    first = free_ports(3)
    program = program.replace("127.0.0.1:7001", f"127.0.0.1:{single}")
    program = program.replace("127.0.0.1:7101", f"127.0.0.1:{first}")
    program = program.replace('["python3", "-m"', f'["{sys.executable}", "-m"')
    write(tmp_path, {"readme.py": program})
    done = subprocess.run(
        [sys.executable, "readme.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout
    assert f"http://127.0.0.1:{single}\n1\n" in said
    assert re.search(r"^health_check_interval_ms is 5; it must be", said, re.MULTILINE)
    # The handler speaks on a thread of its own, perhaps between the other two.
    assert re.search(r"\d+ serviceRestarted crash", said)
    assert re.search(r"down for \d+ ms, attempt 1 of 5", said)
    assert "back: web" in said
    assert "['worker@0', 'worker@1', 'worker@2']" in said
    assert said.count("served\n") == 1


def test_every_untruth_in_a_readme_is_named(tmp_path: Path) -> None:
    changed = README.replace("| GET | `/graph` |", "| GET | `/tree` |")
    changed += """
```sh
azora fly
azora status --feathers
azora 'x
make coffee
curl -X PUT http://127.0.0.1:5000/status
rm -r x
```
```toml
[pools.core]
strategy = "best"
```
| `AZORA_WINGS` | x |
[x](docs/none.md)
"""
    for name in ("Makefile", "python", "cpp", "tests", "notebooks", "benchmarks", "examples"):
        (tmp_path / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    operations = (ROOT / "docs/operations.md").read_text()
    for before, after in (
        ("| `weight` |", "| `height` |"),
        ("| `serviceStuck` |", "| `serviceLost` |"),
        ("`azora_running`", "`azora_walking`"),
    ):
        assert before in operations
        operations = operations.replace(before, after)
    write(tmp_path, {"docs/operations.md": operations})
    for file in ROOT.glob("*.md"):
        write(tmp_path, {file.name: file.read_text()})
    write(tmp_path, {"LICENSE": "", "README.md": changed})
    found = {one.partition(": ")[2] for one in faults_of("readme", tmp_path)}
    assert found == {
        "azora fly: there is no verb fly",
        "azora status --feathers: No such option: --feathers",
        "azora 'x: No closing quotation",
        "make coffee: the Makefile has no such target",
        "curl PUT /status: the server has no such route",
        "rm: a program that this check does not know",
        'pools.core.strategy: is "best"; it must be one of round-robin, weighted, '
        "least-connections, ip-hash",
        "the table of routes has GET /tree, the server has not",
        "the table of routes lacks GET /graph",
        "nothing reads the variable AZORA_WINGS",
        "the link docs/none.md leads nowhere",
        "there is no field height",
        "lacks the field weight",
        "there is no event serviceLost",
        "lacks the event serviceStuck",
        "there is no metric azora_walking",
        "lacks the metric azora_running",
    }
