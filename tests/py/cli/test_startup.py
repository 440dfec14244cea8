"""What a verb imports before it answers: a count of modules, where a clock would tell of the hour.

benchmarks/bench_startup.py prints the times.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from rest.served import clean_environ

pytestmark = pytest.mark.native

SERVER = ("fastapi", "pydantic", "starlette", "uvicorn", "azora_orchestrator.server.app")
SLOW = (*SERVER, "asyncio", "rich", "click", "pygments", "azora_orchestrator.orchestrator")


def imported(*arguments: str, code: int = 0, **environ: str) -> set[str]:
    """The modules that one run of `azora` has imported at its end."""
    program = (
        "import sys\n"
        f"sys.argv = ['azora', *{list(arguments)!r}]\n"
        "from azora_orchestrator.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    code = end.code or 0\n"
        "print(code, *sys.modules, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=clean_environ(**environ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    found, *modules = done.stderr.splitlines()[-1].split()
    assert int(found) == code, done
    return set(modules)


def test_the_package_alone_imports_nothing_of_itself() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import azora_orchestrator, sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    modules = done.stdout.split()
    assert [name for name in modules if name.startswith("azora_orchestrator")] == [
        "azora_orchestrator"
    ]
    for name in ("asyncio", "httpx", "typer", *SERVER):
        assert name not in modules, name


def test_the_version_imports_neither_typer_nor_a_client() -> None:
    modules = imported("--version")
    for name in ("typer", "httpx", "azora_orchestrator._core", *SLOW):
        assert name not in modules, name


@pytest.mark.parametrize(
    "verb", ["status", "services", "why", "pick", "graph", "events", "logs", "restart"]
)
def test_a_verb_imports_no_server_and_nothing_that_it_does_not_need(
    verb: str, fleet: Any, at: str
) -> None:
    arguments = {
        "why": ["why", "db"],
        "pick": ["pick", "core"],
        "logs": ["logs", "db"],
        "restart": ["restart", "db"],
    }.get(verb, [verb])
    code = {"logs": 2, "restart": 1}.get(verb, 0)
    modules = imported(*arguments, code=code, AZORA_URL=at)
    assert "httpx" in modules
    for name in ("httpx._main", *SLOW):
        assert name not in modules, name


def test_check_and_token_need_no_client(tmp_path: Any) -> None:
    file = tmp_path / "azora.toml"
    file.write_text("")
    for arguments in (("check", str(file)), ("token",)):
        modules = imported(*arguments, XDG_RUNTIME_DIR=str(tmp_path))
        for name in ("httpx", "rich", *SERVER):
            assert name not in modules, (arguments, name)
