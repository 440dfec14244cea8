"""What importing the server's package costs those who need one of its small modules."""

from __future__ import annotations

import subprocess
import sys

import pytest

import azora_orchestrator.server


def test_owner_and_tokens_come_without_fastapi() -> None:
    program = (
        "import sys; from azora_orchestrator.server import owner, tokens; "
        "assert owner.is_owner and tokens.read_token; "
        "print(sorted({name.partition('.')[0] for name in sys.modules} "
        "& {'fastapi', 'starlette', 'pydantic', 'uvicorn'}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_what_is_offered_is_there_and_nothing_else() -> None:
    package = azora_orchestrator.server
    for name in package.__all__:
        assert callable(getattr(package, name))
        assert name in dir(package)
    with pytest.raises(AttributeError, match="no attribute 'create_ap'"):
        _ = package.create_ap
