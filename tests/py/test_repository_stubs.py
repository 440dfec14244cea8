"""The stub of `_core` names what the extension has, and one that does not is noticed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from repository_rig import faults_of, write

STUB = "_core/__init__.pyi"


def test_the_stub_is_true_of_the_extension() -> None:
    assert faults_of("stubs") == []


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ("def seq(self)", "def sequence(self)", f"{STUB}: azora_orchestrator._core.Event.sequence"),
        ("def find(self", "def seek(self", f"{STUB}: azora_orchestrator._core.Core.seek"),
        ("BUILD_ID: str", "BUILD_ID: int", f"{STUB}: azora_orchestrator._core.BUILD_ID"),
    ],
)
def test_a_stub_that_is_not_true_is_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    package_dir: Path,
    before: str,
    after: str,
    fault: str,
) -> None:
    root = tmp_path / "repository"
    shutil.copytree(package_dir, tmp_path / "installed/azora_orchestrator")
    text = (package_dir / STUB).read_text()
    assert before in text
    for place in (root / "python", tmp_path / "installed"):
        write(place, {f"azora_orchestrator/{STUB}": text.replace(before, after, 1)})
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "installed"))
    faults = faults_of("stubs", root)
    assert any(one.startswith(fault) for one in faults), faults


def test_a_package_that_is_not_the_repositorys_is_not_judged(
    tmp_path: Path, package_dir: Path
) -> None:
    text = (package_dir / STUB).read_text()
    write(tmp_path, {f"python/azora_orchestrator/{STUB}": text + "\nmore: int\n"})
    (fault,) = faults_of("stubs", tmp_path)
    assert fault.endswith("is not the repository's; run `make build`")
