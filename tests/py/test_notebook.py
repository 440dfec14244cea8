"""The notebooks run from top to bottom, under a deadline, and say what they promise."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"

pytestmark = [
    pytest.mark.process,
    pytest.mark.slow,
    # Of the kernel's own libraries, on their way from one interface to the next.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


def executed(name: str, folder: Path) -> dict[str, Any]:
    """Run a notebook in a kernel of its own; the cells by id."""
    notebook = nbformat.read(NOTEBOOKS / name, as_version=4)
    client = NotebookClient(
        notebook, timeout=180, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    client.execute()
    return {cell["id"]: cell for cell in notebook.cells}


def test_first_fleet(tmp_path: Path) -> None:
    cells = executed("01_first_fleet.ipynb", tmp_path)
    (printed,) = cells["result"]["outputs"]
    result = json.loads(printed["text"])
    assert result["healthy"] == result["total"] == 5
    assert result["events"][0] == "serviceExited"
    assert result["events"][-1] == "serviceRestarted"
    assert result["attempt"] == 1
    assert result["new_process"]
    assert result["closed"]
    (picture,) = [
        output for output in cells["timeline"]["outputs"] if "image/png" in output.get("data", {})
    ]
    assert len(picture["data"]["image/png"]) > 1000


def test_notebooks_are_kept_without_their_outputs() -> None:
    for file in NOTEBOOKS.glob("*.ipynb"):
        for cell in nbformat.read(file, as_version=4).cells:
            assert not cell.get("outputs"), f"{file.name}: cell {cell['id']} has outputs"
            assert cell.get("execution_count") is None
