"""`azora import`: other supervisors' files, and what of them cannot be carried over."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from azora_orchestrator import MasterOrchestrator
from azora_orchestrator.config import load
from cli.conftest import Azora

pytestmark = pytest.mark.native

FILES = Path(__file__).with_name("imports")


def _imported(azora: Azora, name: str, *more: str) -> tuple[dict[str, dict[str, Any]], str]:
    said = azora("import", str(FILES / name), *more)
    assert said.code == 0, said.err
    services = tomllib.loads(said.out)["services"]
    return {service["id"]: service for service in services}, said.err


def test_a_procfile_gives_ports_to_programs_that_take_one(azora: Azora) -> None:
    services, notes = _imported(azora, "Procfile")
    assert services == {
        "web": {
            "id": "web",
            "type": "service",
            "endpoint": "tcp://127.0.0.1:5100",
            "process": {"argv": ["sh", "-c", "exec gunicorn app:app --bind 127.0.0.1:$PORT"]},
        },
        "assets": {
            "id": "assets",
            "type": "service",
            "healthCheck": {"type": "process"},
            "process": {"argv": ["sh", "-c", "exec npx vite build --watch"]},
        },
        "worker": {
            "id": "worker",
            "type": "service",
            "healthCheck": {"type": "process"},
            "process": {"argv": ["sh", "-c", "cd jobs && python worker.py"]},
        },
    }
    assert "release: command: a release command runs once at a deployment" in notes


def test_a_compose_file_keeps_what_has_a_command(
    azora: Azora, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CACHE_PORT", raising=False)
    services, notes = _imported(azora, "docker-compose.yml")
    assert list(services) == ["cache", "api", "migrate"]
    assert services["cache"]["process"]["argv"] == ["redis-server", "--port", "6390", "--save", ""]
    assert services["cache"]["endpoint"] == "tcp://127.0.0.1:6390"
    assert (services["cache"]["restartPolicy"], services["cache"]["maxRestarts"]) == ("always", -1)
    api = services["api"]
    assert api["endpoint"] == "http://127.0.0.1:8000"
    assert api["healthCheckPath"] == "/health"
    assert api["healthCheckInterval"] == 90_000
    assert api["healthCheck"] == {"timeout": 10_000, "unhealthyThreshold": 3}
    assert api["dependencies"] == [
        {"id": "cache", "condition": "started"},
        {"id": "migrate", "condition": "completed"},
    ]
    assert (api["restartPolicy"], api["maxRestarts"]) == ("on-failure", 4)
    assert api["process"] == {
        "argv": ["gunicorn", "app:app", "-b", "127.0.0.1:8000"],
        "cwd": "/srv/api",
        "env": {"DEBUG": "false", "PRICE": "$5"},
        "inheritEnv": ["API_TOKEN"],
        "envFile": ".env.api",
        "stopSignal": "SIGQUIT",
        "stopTimeout": 60_000,
        "replicas": 2,
        "memoryLimit": "512MiB",
    }
    for note in (
        "db: image: postgres:16 is not pulled: services are programs of this machine here",
        "cache: image: redis:7 is not pulled: the command runs as it is installed on this machine",
        'api: depends_on: "db" is not a service here',
        "api: build: nothing is built: the command runs as it is installed on this machine",
        "api: env_file: only the first file is read: .env.api",
        "file: volumes: there is no such setting here",
    ):
        assert note in notes


def test_a_variable_of_a_compose_file_comes_from_the_environment(
    azora: Azora, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CACHE_PORT", "7001")
    services, _ = _imported(azora, "docker-compose.yml")
    assert "7001" in services["cache"]["process"]["argv"]


def test_a_supervisord_file_keeps_programs_and_groups(azora: Azora) -> None:
    services, notes = _imported(azora, "supervisord.conf")
    web, job = services["web-server"], services["job"]
    assert web["process"] == {
        "argv": ["/usr/bin/gunicorn", "-b", "127.0.0.1:81{index}", "my app:app"],
        "cwd": f"{FILES}/web",
        "env": {"A": "one, two", "B": "2"},
        "umask": "022",
        "stopSignal": "SIGQUIT",
        "stopTimeout": "20s",
        "stopMode": "tree",
        "log": {"maxBytes": "5MiB", "files": 4},
        "replicas": 3,
    }
    assert (web["group"], web["restartPolicy"], web["maxRestarts"]) == ("site", "always", 7)
    assert job["restartPolicy"] == "on-failure"
    assert job["process"]["argv"] == ["python", "job.py", "--db="]
    assert "job: AZORA_TEST_UNSET: the variable is not set here and was read as empty" in notes
    assert 'web server: name: its id here is "web-server"' in notes
    assert "job: autostart: every service is started here" in notes
    assert "web server: priority: is 10, a position in the start order; here a service" in notes
    assert "web server: process_num: has no leading zeros here" in notes


def test_a_process_compose_file_keeps_probes_and_conditions(azora: Azora) -> None:
    services, notes = _imported(azora, "process-compose.yaml")
    assert list(services) == ["migrate", "api"]
    assert services["migrate"]["restartPolicy"] == "never"
    api = services["api"]
    assert api["process"] == {
        "argv": ["sh", "-c", "PORT=8010 ./api --serve"],
        "cwd": "./api",
        "env": {"SHARED": "1", "LEVEL": "debug"},
        "inheritEnv": ["HOME"],
        "stopSignal": "SIGINT",
        "stopTimeout": "4s",
        "replicas": 2,
    }
    assert api["endpoint"] == "http://127.0.0.1:8010"
    assert api["healthCheckPath"] == "/ready"
    assert api["healthCheck"] == {"timeout": "2s", "unhealthyThreshold": 3}
    assert api["dependencies"] == [{"id": "migrate", "condition": "completed"}]
    assert (api["restartPolicy"], api["maxRestarts"], api["restartDelay"]) == (
        "on-failure",
        -1,
        "2s",
    )
    assert "off: disabled: it is left out" in notes


def test_an_ecosystem_file_keeps_interpreters_and_limits(azora: Azora) -> None:
    services, notes = _imported(azora, "ecosystem.json")
    api = services["api"]
    assert api["process"] == {
        "argv": ["node", "--max-old-space-size=300", "./server.js", "--port", "3000"],
        "env": {"NODE_ENV": "production"},
        "replicas": 2,
        "stopTimeout": 3000,
        "memoryLimit": "300MiB",
    }
    assert (api["maxRestarts"], api["restartDelay"]) == (10, 4000)
    assert services["tick"]["process"]["argv"] == ["jobs/tick.py"]
    assert services["tick"]["restartPolicy"] == "never"
    assert services["web"]["process"]["argv"] == ["npm", "run", "start"]
    for note in ("api: exec_mode: replicas have a port each", "api: watch:", "tick: cron_restart:"):
        assert note in notes


@pytest.mark.parametrize("file", sorted(FILES.iterdir()), ids=lambda file: file.name)
def test_what_is_written_passes_the_check_or_says_what_to_correct(
    azora: Azora, file: Path, tmp_path: Path
) -> None:
    made = tmp_path / "azora.toml"
    said = azora("import", str(file), "-o", str(made))
    assert said.code == 0
    faults = load(made).faults
    assert len([line for line in said.err.splitlines() if "to be corrected" in line]) == len(faults)
    again = azora("import", str(file), "-o", str(made))
    assert (again.code, "already exists; --force overwrites it" in again.err) == (2, True)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("Procfile", "web gunicorn\n", 'line 1 is not "name: command"'),
        ("Procfile", "# nothing\n", "contains no program that could run here"),
        ("docker-compose.yml", "services: [a]\n", "services must be a table"),
        ("docker-compose.yml", "a: [\n", "line 2: is not valid YAML"),
        ("ecosystem.json", "{", "is not valid JSON"),
        ("ecosystem.config.js", "module.exports = {}", "write what it exports as JSON first"),
        ("fleet.txt", "", "has a name that does not show its kind; give --from"),
        ("supervisord.conf", "command=x\n", "is not a supervisord file"),
    ],
)
def test_what_cannot_be_read_is_said(
    azora: Azora, tmp_path: Path, name: str, text: str, message: str
) -> None:
    (tmp_path / name).write_text(text)
    said = azora("import", str(tmp_path / name))
    assert (said.code, message in said.err) == (2, True), said.err


def test_json_has_the_services_and_the_notes(azora: Azora) -> None:
    said = azora("import", str(FILES / "Procfile"), "--json").json
    assert [service["id"] for service in said["services"]] == ["web", "assets", "worker"]
    assert said["notes"] == [
        "release: command: a release command runs once at a deployment, not here"
    ]


@pytest.mark.process
def test_an_imported_fleet_runs(azora: Azora, tmp_path: Path, orch: MasterOrchestrator) -> None:
    (tmp_path / "Procfile").write_text("one: sleep 600\ntwo: sleep 600 && true\n")
    made = tmp_path / "azora.toml"
    assert azora("import", str(tmp_path / "Procfile"), "-o", str(made)).code == 0
    for service in tomllib.loads(made.read_text())["services"]:
        orch.register(service)
    orch.wait_ready(timeout_ms=10_000)
    assert {service.status for service in orch.services()} == {"healthy"}
