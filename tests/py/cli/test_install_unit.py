"""`azora install-unit`: what it writes, and that systemd takes it."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from azora_orchestrator.cli.unit import Unit, quoted
from cli.conftest import Azora

CONFIG = """
[orchestrator]
port = 5123
stopTimeout = "10m"
[[services]]
id = "a"
type = "core"
endpoint = "http://127.0.0.1:9"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "azora.toml"
    file.write_text(CONFIG)
    return file


def parsed(text: str) -> configparser.ConfigParser:
    found = configparser.ConfigParser(interpolation=None, strict=False)
    found.optionxform = str  # type: ignore[assignment,method-assign]
    found.read_string(text)
    return found


def test_a_unit_of_the_system(azora: Azora, config: Path, tmp_path: Path) -> None:
    folder = tmp_path / "units"
    said = azora("install-unit", "--config", str(config), "--output", str(folder))
    assert said.code == 0, said.err
    assert [one.name for one in folder.iterdir()] == ["azora.service"]
    assert "systemctl enable --now azora.service" in said.out
    unit = parsed((folder / "azora.service").read_text())
    service = unit["Service"]
    script = Path(sys.executable).with_name("azora")
    command = f"{script} serve --config {config} --state /var/lib/azora --leave"
    assert service["ExecStart"] == command
    assert service["Type"] == "notify"
    assert (service["KillMode"], service["Delegate"]) == ("process", "yes")
    assert service["ExecReload"] == "/bin/kill -HUP $MAINPID"
    assert (service["StateDirectory"], service["StateDirectoryMode"]) == ("azora", "0700")
    assert int(service["WatchdogSec"]) > 0
    assert int(service["TimeoutStopSec"]) > 600, "longer than the fleet may take"
    assert service["RestartPreventExitStatus"] == "2"
    assert unit["Install"]["WantedBy"] == "multi-user.target"


def test_a_unit_of_a_user(azora: Azora, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", "not/absolute")
    monkeypatch.setenv("HOME", str(tmp_path))
    said = azora("install-unit", "--user", "--name", "mine.service", "--json")
    assert said.code == 0, said.err
    path = tmp_path / "config/systemd/user/mine.service"
    assert said.json["files"] == [str(path)]
    assert said.json["written"] is True
    assert "systemctl --user enable --now mine.service" in said.json["next"]
    unit = parsed(path.read_text())
    service = unit["Service"]
    assert f"--state {tmp_path}/.local/state/mine --leave" in service["ExecStart"]
    assert "ExecReload" not in service, "without a file SIGHUP ends a server"
    assert "StateDirectory" not in service
    assert unit["Install"]["WantedBy"] == "default.target"


def test_a_unit_with_a_socket(azora: Azora, config: Path) -> None:
    said = azora("install-unit", "-c", str(config), "--socket", "--name", "x", "-o", "-")
    assert said.code == 0, said.err
    service, _, socket = said.out.partition("# x.socket\n")
    assert parsed(socket)["Socket"]["ListenStream"] == "127.0.0.1:5123"
    unit = parsed(service.removeprefix("# x.service\n"))["Unit"]
    assert unit["Requires"] == "x.socket"
    printed = azora("install-unit", "-c", str(config), "--socket", "-o", "-", "--json").json
    assert list(printed["files"]) == ["azora.service", "azora.socket"]
    listen = Unit(name="x", program=["azora"], state="/s", listen="[::1]:1").files()["x.socket"]
    assert "ListenStream=[::1]:1\n" in listen


def test_what_differs_is_replaced_only_when_asked(azora: Azora, config: Path) -> None:
    folder = config.parent / "units"
    where = ["install-unit", "-c", str(config), "-o", str(folder)]
    assert azora(*where).code == 0
    again = azora(*where)
    assert (again.code, "is as it should be" in again.out) == (0, True)
    mine = folder / "azora.service"
    mine.write_text("[Service]\n")
    refused = azora(*where, "--socket")
    assert refused.code == 2
    assert "already exists and differs; --force replaces it" in refused.err
    assert mine.read_text() == "[Service]\n"
    assert sorted(one.name for one in folder.iterdir()) == ["azora.service"], "all or nothing"
    assert azora(*where, "--socket", "--force").code == 0
    assert sorted(one.name for one in folder.iterdir()) == ["azora.service", "azora.socket"]
    assert "Requires=azora.socket" in mine.read_text()


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        (CONFIG, ("--name", "a/b"), '--name is "a/b"; it must be 1 to 128 letters'),
        (CONFIG, ("--name", ""), '--name is ""'),
        ("[[services]]\nid = 1\n", (), "azora.toml:2"),
        (CONFIG.replace("5123", "0"), ("--socket",), "--socket needs a port that clients know"),
    ],
    ids=["name", "no name", "faulty file", "any port"],
)
def test_what_cannot_be_installed_is_refused(
    text: str, options: tuple[str, ...], words: str, azora: Azora, config: Path
) -> None:
    config.write_text(text)
    folder = config.parent / "units"
    said = azora("install-unit", "-c", str(config), "-o", str(folder), *options)
    assert said.code == 2
    assert words in said.err
    assert not folder.exists()


def test_a_folder_that_cannot_be_written_is_one_line(azora: Azora, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = azora("install-unit", "-o", str(tmp_path / "file/units"))
    assert said.code == 2
    assert "Not a directory" in said.err
    assert said.err.count("\n") == 1


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("/srv/azora.toml", "/srv/azora.toml"),
        ("100%", '"100%%"'),
        ("a $HOME b", '"a $$HOME b"'),
        ('say "x"\\', '"say \\"x\\"\\\\"'),
        ("", '""'),
    ],
)
def test_a_word_is_quoted_as_systemd_reads_it(word: str, expected: str) -> None:
    assert quoted(word) == expected


@pytest.mark.skipif(
    shutil.which("systemd-analyze") is None,
    reason="needs systemd-analyze: apt-get install -y systemd",
)
@pytest.mark.parametrize("more", [(), ("--socket",), ("--user",), ("--user", "--socket")], ids=str)
def test_systemd_takes_it(more: tuple[str, ...], azora: Azora, config: Path) -> None:
    odd = config.with_name("100% $odd.toml")
    config.rename(odd)
    folder = config.parent / "units"
    name = f"azora-test-{os.getpid()}"
    said = azora("install-unit", "-c", str(odd), "--name", name, "-o", str(folder), *more)
    assert said.code == 0, said.err
    mode = ["--user"] if "--user" in more else []
    verified = subprocess.run(
        ["systemd-analyze", *mode, "verify", *sorted(map(str, folder.iterdir()))],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=os.environ | {"XDG_RUNTIME_DIR": str(config.parent)},
    )
    ours = [line for line in verified.stderr.splitlines() if name in line]
    assert (verified.returncode, ours) == (0, []), verified.stderr
