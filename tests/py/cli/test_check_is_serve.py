"""`azora check` refuses exactly what `azora serve` refuses (R64)."""

from __future__ import annotations

import contextlib
import json
import socket
from pathlib import Path

import pytest

from azora_orchestrator import MasterOrchestrator
from azora_orchestrator._config_text import read_text
from azora_orchestrator._core import CoreError
from azora_orchestrator.cli import serve as serving
from azora_orchestrator.cli.client import Failure
from cli.conftest import Azora
from cli.files import FILES, SERVICES, File

pytestmark = pytest.mark.native


def written(file: File, folder: Path) -> Path:
    path = folder / f"azora{file.suffix}"
    path.write_text(file.text)
    return path


def registered_by_serve(path: Path) -> str:
    """What `azora serve` says to a file up to its registration; empty: it goes on to serve it."""
    try:
        plan = serving.make_plan(
            config=str(path), catalog=list, host=None, port=0, auth=None, stop_timeout_ms=None
        )
        with (
            contextlib.closing(MasterOrchestrator(**plan.core_options)) as orch,
            socket.create_server(("127.0.0.1", 0)) as listener,
        ):
            orch._core.set_own_address(plan.host, listener.getsockname()[1])
            hooks = serving.Printing(plan, orch)
            try:
                hooks.prepare()
            finally:
                hooks.ended()
    except Failure as failure:
        return str(failure)
    return ""


def refused_by_the_core(file: File, folder: Path) -> bool:
    """Whether the core refuses the services themselves, without the file around them."""
    services = read_text(file.text, file.suffix).data.get("services", [])
    with contextlib.closing(MasterOrchestrator()) as orch:
        try:
            orch._core.register(
                [json.dumps(service) for service in services],
                "file",
                str(folder),
                [False] * len(services),
            )
        except CoreError:
            return True
    return False


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.title)
def test_a_file_is_judged_alike(file: File, tmp_path: Path, azora: Azora) -> None:
    path = written(file, tmp_path)
    said = azora("check", str(path))
    assert said.code == (2 if file.refused else 0), said.out
    told = registered_by_serve(path)
    assert bool(told) == bool(file.refused), told
    if file.refused:
        # The same words, each with its line.
        assert told.splitlines() == said.lines
        assert all(line.startswith(f"{path}:") for line in said.lines)
    if file.refused in ("", SERVICES):
        # And not by this file's reader alone: whoever registers such services is told the same.
        wanted = bool(file.refused)
        if read_text(file.text, file.suffix).data.get("services"):
            assert refused_by_the_core(file, tmp_path) == wanted


@pytest.mark.parametrize(
    ("settings", "options", "refused"),
    [
        ("", ("--host", "0.0.0.0"), True),
        ("", ("--host", "::ffff:192.0.2.1"), True),
        ("", ("--host", "192.0.2.1", "--insecure-plaintext"), False),
        ("", ("--host", "127.0.0.2"), False),
        ("", ("--host", "localhost"), False),
        ("", (), False),
        ("insecurePlaintext = true", ("--host", "192.0.2.1"), False),
        ('host = "192.0.2.1"', ("--insecure-plaintext",), False),
        ('host = "192.0.2.1"', ("--host", "127.0.0.1"), False),
        ('host = "192.0.2.1"', (), True),
    ],
)
def test_a_network_address_needs_the_same_word(
    settings: str, options: tuple[str, ...], refused: bool, tmp_path: Path, azora: Azora
) -> None:
    """Where both take the address, serve gets as far as the socket, and its port is in use."""
    file = tmp_path / "a.toml"
    file.write_text(f"[orchestrator]\n{settings}\n")
    checked = azora("check", str(file), *options)
    with socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True) as taken:
        port = str(taken.getsockname()[1])
        served = azora("serve", "-c", str(file), "-p", port, *options)
    assert (checked.code, served.code) == (2 if refused else 0, 2)
    if refused:
        words = [(said.out + said.err).removeprefix("azora: ") for said in (checked, served)]
        assert words[0] == words[1]
    else:
        assert served.err.startswith(("azora: port ", "azora: cannot listen on 192.0.2.1"))


def test_a_name_of_the_network_is_refused_like_its_address(
    tmp_path: Path, azora: Azora, monkeypatch: pytest.MonkeyPatch
) -> None:
    from azora_orchestrator.cli import serve
    from azora_orchestrator.server import listening

    def found(host: str, port: int) -> tuple[object, object, int, tuple[object, ...]]:
        return socket.AF_INET, socket.SOCK_STREAM, 0, ("192.0.2.1", port)

    monkeypatch.setattr(listening, "_found", found)
    with pytest.raises(Failure, match=r"^192\.0\.2\.1 is not a loopback address, .*-plaintext$"):
        serve.refuse_plaintext("box.example")


def test_the_table_is_large() -> None:
    assert len(FILES) >= 40
    assert len({file.title for file in FILES}) == len(FILES)


def test_a_folder_named_like_a_substitution_changes_nothing(tmp_path: Path, azora: Azora) -> None:
    folder = tmp_path / "{port}" / "{index}"
    folder.mkdir(parents=True)
    file = File("", '[[services]]\nid = "a"\ntype = "t"\nhealthCheck = { type = "process" }\n')
    path = written(file._replace(text=file.text + 'process = { argv = ["./x"] }\n'), folder)
    assert azora("check", str(path)).code == 0
    assert registered_by_serve(path) == ""
