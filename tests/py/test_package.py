"""The names of the package are loaded on first use, and all of them are there."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

import azora_orchestrator

pytestmark = pytest.mark.native


def test_every_name_has_a_home() -> None:
    names = {name for name in azora_orchestrator.__all__ if name != "__version__"}
    assert set(azora_orchestrator._HOMES) == names
    for name, module in azora_orchestrator._HOMES.items():
        home = importlib.import_module(f"azora_orchestrator.{module}")
        assert getattr(azora_orchestrator, name) is getattr(home, name)


def test_modules_are_found_as_attributes_and_other_names_are_not() -> None:
    program = (
        "import azora_orchestrator as a\n"
        "a.errors.TimedOut, a.events.Event, a.models.Service\n"
        "from azora_orchestrator import *\n"
        "MasterOrchestrator, Client\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
    with pytest.raises(AttributeError, match="no attribute 'Orchestrator'"):
        _ = azora_orchestrator.Orchestrator


def test_completion_shows_what_is_offered() -> None:
    assert dir(azora_orchestrator) == sorted(azora_orchestrator.__all__)
