"""`azora check` and configuration files: every fault at once, each with its line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from azora_orchestrator import config
from azora_orchestrator._config_lines import json_lines, line_of, path_of, toml_lines
from cli.conftest import Azora

pytestmark = pytest.mark.native

FAULTY = Path(__file__).with_name("faulty")
GOOD = """
[orchestrator]
host = "127.0.0.1"
port = 5000
stopTimeout = "90s"
allowedHosts = ["box.example"]

[pools.core]
strategy = "least-connections"
leaseTtl = "1m"

[[services]]
id = "orders"
type = "core"
endpoint = "http://127.0.0.1:7001"
healthCheckInterval = "5s"
dependencies = ["db"]
[services.process]
argv = ["python3", "orders.py"]
"""
SERVICE = {"id": "a", "type": "core", "endpoint": "http://127.0.0.1:1"}


@pytest.mark.parametrize("name", ["azora.toml", "azora.json", "azora.yaml"])
def test_every_fault_is_named_with_its_line(
    name: str, azora: Azora, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(FAULTY)
    said = azora("check", name)
    assert said.code == 2
    assert said.lines == (FAULTY / f"{name}.txt").read_text().splitlines()


def test_a_good_file_is_ok_and_a_missing_dependency_is_a_warning(
    tmp_path: Path, azora: Azora
) -> None:
    file = tmp_path / "azora.toml"
    file.write_text(GOOD)
    said = azora("check", str(file))
    assert said.code == 0
    assert said.lines == [
        f'{file}:17: warning: dependencies[0]: "db" is not in this file; "orders" waits for it',
        f"{file}: ok, 1 service",
    ]
    found = azora("check", str(file), "--json").json
    assert (found["ok"], found["services"]) == (True, 1)
    assert found["findings"][0]["severity"] == "warning"
    assert found["findings"][0]["line"] == 17


def test_what_a_good_file_says(tmp_path: Path) -> None:
    file = tmp_path / "azora.toml"
    file.write_text(GOOD)
    read = config.load(file)
    assert read.faults == []
    assert read.settings == {
        "host": "127.0.0.1",
        "port": 5000,
        "stop_timeout_ms": 90_000,
        "allowed_hosts": ["box.example"],
    }
    assert read.pools == {"core": {"strategy": "least-connections", "lease_ttl_ms": 60_000}}
    assert json.loads(read.services[0])["process"]["argv"] == ["python3", "orders.py"]
    assert read.base_dir == str(tmp_path)


def test_the_three_languages_say_the_same(tmp_path: Path) -> None:
    shape = {
        "orchestrator": {"port": 0, "auth": "token"},
        "pools": {"core": {"panicThreshold": 0.5}},
        "services": [SERVICE | {"healthCheckInterval": "500ms", "metadata": {"no": "ja"}}],
    }
    toml = """
[orchestrator]
port = 0
auth = "token"
[pools.core]
panicThreshold = 0.5
[[services]]
id = "a"
type = "core"
endpoint = "http://127.0.0.1:1"
healthCheckInterval = "500ms"
[services.metadata]
no = "ja"
"""
    yaml = """
orchestrator: {port: 0, auth: token}
pools: {core: {panicThreshold: 0.5}}
services:
  - id: a
    type: core
    endpoint: http://127.0.0.1:1
    healthCheckInterval: 500ms
    metadata: {no: ja}
"""
    texts = {"a.json": json.dumps(shape), "a.toml": toml, "a.yaml": yaml, "b.yml": yaml}
    read = []
    for name, text in texts.items():
        (tmp_path / name).write_text("\ufeff" + text)
        read.append(config.load(tmp_path / name))
        assert read[-1].faults == [], name
    for one in read[1:]:
        assert one.settings == read[0].settings
        assert one.pools == read[0].pools
        assert [json.loads(text) for text in one.services] == [
            json.loads(text) for text in read[0].services
        ]


@pytest.mark.parametrize(
    ("name", "text", "line", "message"),
    [
        ("a.toml", "[orchestrator]\nport = \n", 2, "is not valid TOML: "),
        ("a.toml", "a = 1\n\n[b\n", 3, "is not valid TOML: "),
        ("a.json", '{\n "services": [\n}', 3, "is not valid JSON: "),
        ("a.json", '{"pools":{},\n"pools":{}}', 2, '"pools": is a duplicate key'),
        ("a.json", "[]", 1, "the file holds []; it must hold a table"),
        ("a.yaml", "pools:\n  a: {}\n  a: {}\n", 3, '"a": is a duplicate key'),
        ("a.yaml", "a\0", 1, "is not valid YAML: "),
        ("a.yaml", "services:\n - ? [a]\n   : b\n", 2, "has a key that is a list or a table"),
        ("a.yaml", "pools:\n  a: !!int x\n", 2, 'is not valid YAML: the tag int does not fit "x"'),
        ("a.toml", f"\nport = {'9' * 5000}", 2, "holds a number of more than 4000 digits"),
        ("a.json", f'{{\n"port": {"9" * 5000}}}', 2, "holds a number of more than 4000 digits"),
        ("a.toml", "[orchestrator]\n[[service]]\n", 2, "service: is not a known key; did you mean"),
        ("a.yaml", "services: [\n", 2, "is not valid YAML: "),
        ("a.yaml", "pools: !!python/object/apply:os.system [ls]\n", 1, "is not valid YAML: "),
        ("a.yaml", "a: &a [*a]\n", 1, ""),
        ("a.toml", 'x = 1\ny = "\xff"', 2, "is not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_fault_with_a_line(
    name: str, text: str, line: int, message: str, tmp_path: Path, azora: Azora
) -> None:
    file = tmp_path / name
    file.write_bytes(text.encode("latin-1"))
    said = azora("check", str(file))
    assert said.code == 2
    assert said.lines[0].startswith(f"{file}:{line}: {message}"), said.lines


MERGED = """
services:
  - &base
    id: a
    type: core
    endpoint: http://127.0.0.1:1
    priority: 11
    healthCheck: &check
      timeout: 0
  - <<: *base
    id: b
    priority: 5
    healthCheck:
      <<: *check
      method: PUT
"""


def test_a_fault_of_what_an_alias_brings_is_where_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(MERGED)
    assert [(fault.line, fault.field) for fault in config.load(file).faults] == [
        (7, "priority"),
        (9, "healthCheck.timeout"),
        (9, "healthCheck.timeout"),
        (15, "healthCheck.method"),
    ]


@pytest.mark.parametrize(
    ("more", "line", "field"),
    [
        ('"name": "\\ud800"', 3, "name"),
        ('"n\\udfff": 1', 3, '"n\\udfff"'),
        ('"weight": 1e999', 3, "weight"),
        ('"metadata": {"x": [1e999]}', 3, "metadata.x[0]"),
        ('"metadata": ' + '{"x":' * 40 + "1" + "}" * 40, 3, "metadata.x.x.x.x.x"),
        ('"process": {"argv": ["x"],\n"env": {"A.B": ""}}', 4, 'process.env."A.B"'),
    ],
)
def test_what_no_service_can_say_is_named_with_its_line(
    more: str, line: int, field: str, tmp_path: Path, azora: Azora
) -> None:
    file = tmp_path / "a.json"
    file.write_text(
        f'{{"services": [\n{{"id": "a", "type": "core", "endpoint": "http://h",\n{more}}}]}}'
    )
    said = azora("check", str(file))
    assert said.code == 2
    assert [text.split(": ", 1)[0] for text in said.lines] == [f"{file}:{line}"], said.lines
    assert said.lines[0].startswith(f"{file}:{line}: {field}: "), said.lines


@pytest.mark.parametrize("number", ["1e999", str(2**70)])
def test_a_number_out_of_range_hides_no_other_fault(number: str, tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text(
        '{"services": [{"id": "a", "type": "core", "endpoint": "http://h",\n'
        f'"weight": {number},\n"priority": 11}},\n{{"id": "b", "weight": 1, "type": "t"}}]}}'
    )
    faults = [(fault.line, fault.field) for fault in config.load(file).faults]
    assert sorted(faults) == [(2, "weight"), (3, "priority"), (4, "endpoint")]


def test_keys_that_are_no_texts_are_read_as_texts(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("orchestrator:\n  1: 2\npools:\n  7: {3: 4}\n8: 9\n")
    read = config.load(file)
    assert [(fault.line, fault.field) for fault in read.faults] == [
        (2, "orchestrator.1"),
        (4, "pools.7.3"),
        (5, "8"),
    ]
    assert list(read.pools) == ["7"]


def test_a_replica_that_is_not_there_is_a_missing_dependency(tmp_path: Path) -> None:
    workers = SERVICE | {"id": "w", "process": {"argv": ["x"], "replicas": 2}}
    file = tmp_path / "a.json"
    needs = {"dependencies": ["w@0", "w@1", "w@2"]}
    file.write_text(json.dumps({"services": [workers, SERVICE | needs]}))
    read = config.load(file)
    assert (read.faults, [warning.field for warning in read.warnings]) == ([], ["dependencies[2]"])


def test_a_dependency_on_an_entry_with_replicas_is_on_all_of_them(tmp_path: Path) -> None:
    workers = SERVICE | {"id": "w", "process": {"argv": ["x"], "replicas": 2}}
    file = tmp_path / "a.json"
    needs = {"dependencies": ["w", {"id": "w@1"}]}
    file.write_text(json.dumps({"services": [workers, SERVICE | needs]}))
    read = config.load(file)
    assert (read.faults, read.warnings) == ([], [])


@pytest.mark.parametrize(("least", "faults"), [(1, 0), (2, 0), (3, 1)])
def test_a_dependency_on_more_instances_than_there_are_is_a_fault(
    least: int, faults: int, tmp_path: Path
) -> None:
    workers = SERVICE | {"id": "w", "process": {"argv": ["x"], "replicas": 2}}
    file = tmp_path / "a.json"
    needs = {"dependencies": [{"id": "w", "min": least}]}
    file.write_text(json.dumps({"services": [workers, SERVICE | needs]}))
    assert [fault.field for fault in config.load(file).faults] == ["dependencies[0].min"] * faults


def test_a_cycle_through_one_instance_is_a_cycle(tmp_path: Path) -> None:
    workers = SERVICE | {
        "id": "w",
        "process": {"argv": ["x"], "replicas": 2},
        "dependencies": [SERVICE["id"]],
    }
    file = tmp_path / "a.json"
    file.write_text(json.dumps({"services": [workers, SERVICE | {"dependencies": ["w@1"]}]}))
    assert [fault.field for fault in config.load(file).faults] == ["dependencies"]


def test_an_entry_may_have_the_name_of_its_type(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    web = SERVICE | {"id": "web", "type": "web", "process": {"argv": ["x"], "replicas": 2}}
    file.write_text(json.dumps({"services": [web]}))
    assert config.load(file).faults == []


def test_no_file_is_one_fault(tmp_path: Path, azora: Azora) -> None:
    said = azora("check", str(tmp_path / "none.toml"))
    assert (said.code, len(said.lines)) == (2, 1)
    assert said.lines[0].endswith("cannot be read: No such file or directory")
    assert azora("check", str(tmp_path)).code == 2


@pytest.mark.parametrize(
    "settings",
    [
        {"port": -1},
        {"port": True},
        {"port": 1.5},
        {"host": ""},
        {"allowedHosts": "box"},
        {"stopTimeout": "-1s"},
        {"stopTimeout": "1.0001s"},
        {"stopTimeout": 2**31},
        {"maxConcurrentStarts": "4"},
        {"stateDir": "/x"},
        [],
    ],
)
def test_a_wrong_setting_is_a_fault(settings: Any, tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text(json.dumps({"orchestrator": settings}))
    assert len(config.load(file).faults) == 1


@pytest.mark.parametrize("settings", [{"leaseTtl": 0}, {"leaseTtl": "0s"}, {"panicThreshold": 2}])
def test_a_wrong_setting_of_a_pool_is_a_fault(settings: Any, tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text(json.dumps({"pools": {"core": settings}}))
    (fault,) = config.load(file).faults
    assert fault.field == f"pools.core.{next(iter(settings))}"


def test_a_cycle_over_several_services_is_named_once_with_its_path(tmp_path: Path) -> None:
    services = [
        SERVICE | {"id": id, "dependencies": [{"id": need, "strength": "soft"}]}
        for id, need in (("a", "b"), ("b", "c"), ("c", "a"), ("d", "a"))
    ]
    file = tmp_path / "a.json"
    file.write_text(json.dumps({"services": services}, indent=1))
    faults = config.load(file).faults
    assert [fault.message for fault in faults] == [
        "closes a cycle: a -> b -> c -> a; remove one of these"
    ]


def test_many_services_in_a_long_chain_are_read(tmp_path: Path) -> None:
    services = [
        SERVICE | {"id": f"s{index}", "dependencies": [f"s{index + 1}"] if index < 2999 else []}
        for index in range(3000)
    ]
    file = tmp_path / "a.json"
    file.write_text(json.dumps({"services": services}))
    assert config.load(file).faults == []


TOML = '''a = 1 # x
[b.c]
"d.e" = [1,
  { f = "g]", "h" = 2 },
  """
  i""", [
  3]]
k.l = 1979-05-27 07:32:00
[[m]]
n = 1
[[m]]
n = \'\'\'
o\'\'\'
[m.p]
q = { r.s = 1, t = [ ] }
[[m.u]]
v = "\\"\\u00e4"
[[m.u]]
v = -inf
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("a",), 1),
        (("b", "c"), 2),
        (("b", "c", "d.e"), 3),
        (("b", "c", "d.e", 1), 4),
        (("b", "c", "d.e", 1, "h"), 4),
        (("b", "c", "d.e", 2), 5),
        (("b", "c", "d.e", 3), 6),
        (("b", "c", "d.e", 3, 0), 7),
        (("b", "c", "k", "l"), 8),
        (("m", 0, "n"), 10),
        (("m", 1), 11),
        (("m", 1, "n"), 12),
        (("m", 1, "p"), 14),
        (("m", 1, "p", "q", "r", "s"), 15),
        (("m", 1, "u", 0, "v"), 17),
        (("m", 1, "u", 1, "v"), 19),
        (("m", 1, "u", 1, "w"), 18),
    ],
)
def test_where_a_value_stands_in_toml(path: tuple[str | int, ...], line: int) -> None:
    assert line_of(toml_lines(TOML), path) == line


def test_where_a_value_stands_in_json() -> None:
    text = '{\n"a": [1,\n {"b\\u0020": "}",\n"c" : -1e5}],\n"d":\n{}}'
    lines = json_lines(text)
    assert [line_of(lines, path) for path in (("a", 1), ("a", 1, "b "), ("a", 1, "c"))] == [3, 3, 4]
    assert line_of(lines, ("d",)) == 5


def test_a_field_is_a_path() -> None:
    assert path_of("dependencies[2].condition") == ("dependencies", 2, "condition")
