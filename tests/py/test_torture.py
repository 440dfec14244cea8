"""A few rounds of the torture of tests/torture; `make torture ROUNDS=n` runs more."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TORTURE = Path(__file__).parents[1] / "torture" / "torture.py"


def test_nothing_is_lost_whatever_is_killed() -> None:
    rounds = os.environ.get("AZORA_TORTURE_ROUNDS", "2")
    ran = subprocess.run(
        [sys.executable, str(TORTURE), "--rounds", rounds, "--services", "4"],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "0 acknowledged changes lost" in ran.stdout
