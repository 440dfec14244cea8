"""Configuration files good and bad, for what must be judged alike wherever it is judged."""

from __future__ import annotations

from typing import NamedTuple


class File(NamedTuple):
    """One file.

    Attributes:
        title: What is special about it.
        text: What it holds.
        refused: By whom: "file", before any service is looked at; "services", by the core, which
            refuses the same services in `check`, `serve` and at registration; empty: it is good.
        suffix: Of its name.
    """

    title: str
    text: str
    refused: str = ""
    suffix: str = ".toml"


def service(
    id: str, *lines: str, type: str = "t", endpoint: str | None = "http://127.0.0.1:1"
) -> str:
    head = [f'id = "{id}"', f'type = "{type}"']
    head += [] if endpoint is None else [f'endpoint = "{endpoint}"']
    return "\n".join(["[[services]]", *head, *lines]) + "\n"


def process(id: str, argv: str = '["x"]', *lines: str, endpoint: str | None = None) -> str:
    check = [] if endpoint else ['healthCheck = { type = "process" }']
    return service(id, *check, "[services.process]", f"argv = {argv}", *lines, endpoint=endpoint)


FILE, SERVICES = "file", "services"
FILES = [
    # Good.
    File("nothing", ""),
    File("no service", '[orchestrator]\nhost = "127.0.0.1"\n'),
    File("one service", service("a")),
    File("a missing dependency", service("a", 'dependencies = ["b"]')),
    File("a chain", service("a", 'dependencies = ["b"]') + service("b")),
    File("an entry of its type's name", service("web", type="web")),
    File("a group of its own", service("a", 'group = "g"') + service("b", 'group = "g"')),
    File("a group of an id", service("a", 'group = "b"') + service("b")),
    File(
        "replicas",
        process("a", '["x", "{port}"]', "replicas = 3", endpoint="http://127.0.0.1:7001"),
    ),
    File(
        "a type named like an entry with replicas",
        process("a", '["x"]', "replicas = 2") + service("b", type="a"),
    ),
    File(
        "enough instances",
        process("a", '["x"]', "replicas = 2")
        + service("b", 'dependencies = [{ id = "a", min = 2 }]'),
    ),
    File(
        "a dependency on one instance",
        process("a", '["x"]', "replicas = 2") + service("b", 'dependencies = ["a@1"]'),
    ),
    File(
        "an instance that is not there",
        process("a", '["x"]', "replicas = 2") + service("b", 'dependencies = ["a@7"]'),
    ),
    File("a literal port", process("a", '["x", "{{port}}", "{{.Names}}", "{}"]')),
    File(
        "a port in the environment",
        process("a", '["x"]', 'env = { P = "{port}" }', endpoint="http://127.0.0.1:7001"),
    ),
    File("a pool of nobody", '[pools.x]\nstrategy = "ip-hash"\n' + service("a")),
    File("a pool of a type", '[pools.t]\nleaseTtl = "1m"\n' + service("a")),
    File("durations", service("a", 'healthCheckInterval = "1.5s"', "restartDelay = 250")),
    File(
        "caps of starts",
        "[orchestrator]\nmaxConcurrentStarts = 0\nstartsPerSecond = 0\n" + service("a"),
    ),
    File("no endpoint, by its process", process("a")),
    File(
        "JSON",
        '{"services": [{"id": "a", "type": "t", "endpoint": "tcp://127.0.0.1:1"}]}',
        suffix=".json",
    ),
    File("YAML", "services:\n- {id: a, type: t, endpoint: 'tcp://127.0.0.1:1'}\n", suffix=".yaml"),
    File("a name of any ending", service("a"), suffix=".conf"),
    # Refused before a service is looked at.
    File("no TOML", "services = [", FILE),
    File("no JSON", "{", FILE, ".json"),
    File("no YAML", "a: [", FILE, ".yaml"),
    File("a key twice", '{"services": [], "services": []}', FILE, ".json"),
    File("an unknown table", "[servers]\n", FILE),
    File("an unknown setting", "[orchestrator]\nhots = 1\n", FILE),
    File("a port that is none", "[orchestrator]\nport = 70000\n", FILE),
    File("a stop timeout without unit", '[orchestrator]\nstopTimeout = "60"\n', FILE),
    File("a strategy that is none", '[pools.t]\nstrategy = "best"\n', FILE),
    File("a pool that has no name", '[pools."a b"]\nstrategy = "ip-hash"\n', FILE),
    File("a lease of no time", "[pools.t]\nleaseTtl = 0\n", FILE),
    File("services that are no list", "services = 5\n", FILE),
    File("a service that is no table", "services = [5]\n", FILE),
    File("a weight that is no number", service("a", "weight = nan"), FILE),
    File("a date", service("a", "metadata = { since = 2026-01-01 }"), FILE),
    # Refused by the core.
    File("no id", '[[services]]\ntype = "t"\n', SERVICES),
    File("no endpoint", service("a", endpoint=None), SERVICES),
    File("an endpoint of another kind", service("a", endpoint="ftp://x"), SERVICES),
    File("an unknown field", service("a", "helthCheckPath = 1"), SERVICES),
    File("an unknown field of a process", process("a", '["x"]', "cwdd = 1"), SERVICES),
    File("an interval without unit", service("a", 'healthCheckInterval = "5"'), SERVICES),
    File("a priority out of range", service("a", "priority = 11"), SERVICES),
    File("a port without endpoint", process("a", '["x", "{port}"]'), SERVICES),
    File("a command that is none", process("a", "[]"), SERVICES),
    File("an id twice", service("a") + service("a"), SERVICES),
    File("an id of an instance", service("a@0"), SERVICES),
    File(
        "a cycle",
        service("a", 'dependencies = ["b"]') + service("b", 'dependencies = ["a"]'),
        SERVICES,
    ),
    File("a cycle with itself", service("a", 'dependencies = ["a"]'), SERVICES),
    File(
        "a soft cycle",
        service("a", 'dependencies = [{ id = "b", strength = "soft" }]')
        + service("b", 'dependencies = ["a"]'),
        SERVICES,
    ),
    File(
        "a cycle through an instance",
        process("a", '["x"]', "replicas = 2").replace(
            "[services.process]", 'dependencies = ["b"]\n[services.process]'
        )
        + service("b", 'dependencies = ["a@1"]'),
        SERVICES,
    ),
    File("a group named like its type", service("a", 'group = "t"'), SERVICES),
    File(
        "a group named like another's type",
        service("a", 'group = "u"') + service("b", type="u"),
        SERVICES,
    ),
    File(
        "too few instances",
        service("a") + service("b", 'dependencies = [{ id = "a", min = 2 }]'),
        SERVICES,
    ),
    File(
        "ports that do not suffice",
        process("a", '["x"]', "replicas = 3", "ports = [7001]", endpoint="http://127.0.0.1:7001"),
        SERVICES,
    ),
    File(
        "two actions",
        process("a").replace(
            "[services.process]", 'restart = { type = "callable" }\n[services.process]'
        ),
        SERVICES,
    ),
    File("a signal that is none", process("a", '["x"]', 'stopSignal = "SIGNONE"'), SERVICES),
    File("a dependency twice", service("a", 'dependencies = ["b", "b"]') + service("b"), SERVICES),
]
