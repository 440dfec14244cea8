"""What type checkers say of a user's program: what is right passes, typos are errors."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

SAMPLE = Path(__file__).parent / "typing_sample" / "user_program.py"


def expected() -> dict[int, str]:
    lines = enumerate(SAMPLE.read_text().splitlines(), 1)
    return {
        number: found[1] for number, line in lines if (found := re.search(r"# E: ([\w-]+)$", line))
    }


def test_mypy_finds_the_typos_of_a_user_and_nothing_else(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--strict", "--no-error-summary"),
            *("--config-file", "", "--cache-dir", str(tmp_path), str(SAMPLE)),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.findall(r":(\d+): error: .*\[([\w-]+)\]$", done.stdout, re.MULTILINE)
    assert {int(line): code for line, code in found} == expected(), done.stdout + done.stderr
    assert len(expected()) > 15
