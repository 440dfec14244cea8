"""orchestrator.py: registration, reads, picks and verbs over URL services."""

from __future__ import annotations

import gc
import inspect
import pickle
import threading
from collections.abc import Callable
from typing import Any

import pytest

from azora_orchestrator import (
    DependencyCycle,
    HealingUnavailable,
    HealthCheck,
    InvalidArgument,
    InvalidSpec,
    LogConfig,
    MasterOrchestrator,
    NoHealthyInstance,
    OrchestratorClosed,
    ProcessConfig,
    ServiceConfig,
    TimedOut,
    UnknownService,
)
from conftest import WebService

pytestmark = pytest.mark.native

Web = Callable[[], WebService]


def config(id: str, endpoint: str = "http://127.0.0.1:9", **fields: Any) -> ServiceConfig:
    return ServiceConfig(id=id, type=fields.pop("type", "core"), endpoint=endpoint, **fields)


def test_names_are_the_wires_in_snake_case_plus_ms() -> None:
    wire = ServiceConfig(
        id="a",
        type="core",
        health_check_interval_ms=5000,
        health_check=HealthCheck(start_timeout_ms=1, unhealthy_threshold=2),
        process=ProcessConfig(
            argv=["true"], stop_timeout_ms=100, no_new_privs=False, log=LogConfig(max_bytes=2048)
        ),
        metadata={"not_touched_ms": 1},
        restart=lambda: None,
    ).to_dict()
    assert wire == {
        "id": "a",
        "type": "core",
        "healthCheckInterval": 5000,
        "healthCheck": {"startTimeout": 1, "unhealthyThreshold": 2},
        "process": {
            "argv": ["true"],
            "stopTimeout": 100,
            "noNewPrivs": False,
            "log": {"maxBytes": 2048},
        },
        "metadata": {"not_touched_ms": 1},
    }


def test_a_config_a_mapping_and_keywords_say_the_same(orch: MasterOrchestrator) -> None:
    orch.register(config("a", health_check_interval_ms=5000))
    orch.register(
        {"id": "b", "type": "core", "endpoint": "http://127.0.0.1:9", "healthCheckInterval": "5s"}
    )
    orch.register(id="c", type="core", endpoint="http://127.0.0.1:9", health_check_interval_ms=5000)
    intervals = [service.config["healthCheckInterval"] for service in orch.services()]
    assert intervals == [5000, 5000, 5000]


def test_a_wrong_service_is_refused_whole_with_every_fault_named(orch: MasterOrchestrator) -> None:
    with pytest.raises(InvalidSpec) as caught:
        orch.register_many(
            [config("a"), config("b", health_check_interval_ms=1, priority=11), {"id": "c"}]
        )
    fields = [fault.field for fault in caught.value.faults]
    assert "services[1].health_check_interval_ms" in fields
    assert "services[1].priority" in fields
    assert "services[2].type" in fields
    assert orch.services() == []
    with pytest.raises(InvalidSpec, match="healthCheckIntervall"):
        orch.register({"id": "a", "type": "core", "healthCheckIntervall": 5})
    with pytest.raises(InvalidSpec, match="colour"):
        orch.register(id="a", type="core", colour="red")
    with pytest.raises(InvalidArgument):
        orch.register()
    with pytest.raises(InvalidArgument, match="one is for register"):
        orch.register_many(config("a"))  # type: ignore[arg-type]


def test_wrong_keywords_are_named_all_at_once_with_what_was_meant() -> None:
    with pytest.raises(InvalidSpec) as caught:
        ServiceConfig(id="a", healthCheckInterval=5, prority=3)  # type: ignore[call-arg]
    assert [tuple(fault) for fault in caught.value.faults] == [
        (
            "healthCheckInterval",
            'is not a known field; did you mean "health_check_interval_ms"?',
        ),
        ("prority", 'is not a known field; did you mean "priority"?'),
        ("type", "is missing; give it"),
    ]
    assert "prority: is not a known field" in str(caught.value)
    with pytest.raises(TypeError, match="stop_timeout_ms"):
        ProcessConfig(argv=["x"], stop_timeout=1)  # type: ignore[call-arg]
    assert pickle.loads(pickle.dumps(caught.value)).faults == caught.value.faults


def test_an_unknown_service_is_named_by_every_method(orch: MasterOrchestrator) -> None:
    for ask in (
        orch.service,
        orch.why,
        orch.dependencies,
        orch.logs,
        orch.restart,
        orch.start_service,
        orch.stop_service,
        orch.wait_ready,
    ):
        with pytest.raises(UnknownService, match="nobody: there is no such service"):
            ask("nobody")


class Number:
    """As numpy's are: no int, but one that can say which."""

    def __init__(self, value: object) -> None:
        self.value = value

    def tolist(self) -> object:
        return self.value


def test_what_json_cannot_say_is_a_fault_of_its_field(orch: MasterOrchestrator) -> None:
    endless: dict[str, Any] = {}
    endless["more"] = endless
    for field, value in (
        ("weight", float("nan")),
        ("metadata.a[1].b", {"a": [1, {"b": object()}]}),
        ("metadata", endless),
        ("dependencies", {"b"}),
        ("name", "\ud800"),
        ("priority", 10**30),
        ("name", b"a"),
    ):
        name = field.partition(".")[0]
        for more in (), (config("z"),):
            with pytest.raises(InvalidSpec) as caught:
                orch.register_many([config("a", **{name: value}), *more])
            place = "services[0]." if more else ""
            assert [fault.field for fault in caught.value.faults] == [place + field]
    orch.register(config("a", priority=Number(3), dependencies=Number(["b"])))
    assert orch.service("a").config["priority"] == 3
    assert orch.service("a").config["dependencies"] == ["b"]


def test_wrong_parameters_are_refused(orch: MasterOrchestrator) -> None:
    orch.register(config("a"))
    for timeout in (None, "1s", float("nan"), True):
        with pytest.raises(InvalidArgument, match="timeout_ms is "):
            orch.wait_ready("a", timeout_ms=timeout)  # type: ignore[arg-type]
    for limit in (-1, "4", 1.5, 10**20):
        with pytest.raises(InvalidArgument, match="max_concurrent_starts is "):
            MasterOrchestrator(max_concurrent_starts=limit)  # type: ignore[arg-type]
    for pool in ({"strategy": 5}, {"panic_threshold": "x"}, {"lease_ttl_ms": 1.5}):
        with pytest.raises(InvalidArgument, match=next(iter(pool))):
            orch.configure_pool("core", **pool)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgument, match="state directory"):
        orch.stop(leave=True)


def test_a_service_is_equal_to_itself_and_can_be_sent_on(orch: MasterOrchestrator) -> None:
    orch.register(config("a"))
    orch.stop()
    one, other = orch.service("a"), orch.service("a")
    assert one == other
    assert len({one, other}) == 1
    sent = pickle.loads(pickle.dumps(one))
    assert (sent, sent.type, sent.config) == (one, "core", one.config)
    orch.register(config("a", priority=7))
    assert orch.service("a") != one


def test_a_cycle_is_refused_with_its_path(orch: MasterOrchestrator) -> None:
    orch.register(config("a", dependencies=["b"]))
    with pytest.raises(DependencyCycle, match="a"):
        orch.register(config("b", dependencies=["a"]))
    assert [service.id for service in orch.services()] == ["a"]


def test_a_service_is_read_by_id_type_and_group(orch: MasterOrchestrator, web: Web) -> None:
    orch.register(config("a", web().endpoint, group="one"))
    orch.register(config("b", web().endpoint, type="edge"))
    assert [service.id for service in orch.services(type="edge")] == ["b"]
    assert [service.id for service in orch.services(group="one")] == ["a"]
    service = orch.service("a")
    assert (service.id, service.name, service.type, service.group) == ("a", "a", "core", "one")
    assert (service.pid, service.process, service.desired) == (None, None, "up")
    assert service.config["id"] == "a"
    assert "a" in repr(service)
    with pytest.raises(UnknownService):
        orch.service("nobody")
    assert orch.unregister("a")
    assert not orch.unregister("a")
    with pytest.raises(UnknownService):
        orch.service("a")


def test_an_orchestrator_contains_its_services(orch: MasterOrchestrator) -> None:
    assert orch  # also without services
    assert (len(orch), list(orch)) == (0, [])
    orch.register_many([config("a"), config("b")])
    assert (len(orch), [service.id for service in orch]) == (2, ["a", "b"])
    assert orch["a"].id == "a"
    assert "a" in orch
    assert orch["a"] in orch
    for nobody in ("c", "\ud800", 5, None):
        assert nobody not in orch
    with pytest.raises(UnknownService, match="c: "):
        orch["c"]
    assert "<td>a</td>" in orch._repr_html_()


def test_what_answers_becomes_ready_and_is_counted_and_picked(
    orch: MasterOrchestrator, web: Web
) -> None:
    service = web()
    orch.register(config("a", service.endpoint))
    orch.wait_ready("a", timeout_ms=10_000)
    orch.wait_ready()
    status = orch.status(detailed=True)
    assert (status.running, status.total_services, status.healthy_services) == (True, 1, 1)
    assert [one.status for one in status.services] == ["healthy"]
    pick = orch.pick("core")
    assert (pick.service_id, pick.endpoint) == ("a", service.endpoint)
    assert orch.pick("a") is pick
    assert orch.why("a").status == "healthy"
    assert str(orch.why("a")) == orch.why("a").summary
    with pytest.raises(AttributeError):
        pick.endpoint = "elsewhere"  # type: ignore[misc]


def test_waiting_ends_at_its_deadline(orch: MasterOrchestrator) -> None:
    orch.register(config("a"))
    with pytest.raises(TimedOut):
        orch.wait_ready("a", timeout_ms=300)
    with pytest.raises(UnknownService):
        orch.wait_ready("nobody", timeout_ms=300)


def test_a_pool_without_anybody_healthy_says_so(orch: MasterOrchestrator) -> None:
    with pytest.raises(NoHealthyInstance, match="core"):
        orch.pick("core")


def test_strategies_by_pool_and_by_call(orch: MasterOrchestrator, web: Web) -> None:
    ids = ["a", "b", "c"]
    orch.register_many([config(id, web().endpoint) for id in ids])
    orch.wait_ready(timeout_ms=10_000)
    assert {orch.pick("core").service_id for _ in range(3)} == set(ids)
    keyed = {orch.pick("core", key="me", strategy="ip-hash").service_id for _ in range(10)}
    assert len(keyed) == 1
    orch.configure_pool("core", strategy="ip-hash")
    assert {orch.pick("core", key="me").service_id for _ in range(10)} == keyed
    with pytest.raises(InvalidArgument):
        orch.pick("core", strategy="best")
    with pytest.raises(InvalidArgument):
        orch.configure_pool("core", strategy="best")


def test_pick_takes_its_arguments_like_any_function(orch: MasterOrchestrator, web: Web) -> None:
    orch.register(config("a", web().endpoint))
    orch.wait_ready(timeout_ms=10_000)
    assert orch.pick("core", "key", "ip-hash") is orch.pick(pool="core")
    for wrong in (
        lambda: orch.pick(),  # type: ignore[call-arg]
        lambda: orch.pick("core", colour="red"),  # type: ignore[call-arg]
        lambda: orch.pick("core", pool="core"),  # type: ignore[misc]
        lambda: orch.pick(1),  # type: ignore[arg-type]
        lambda: orch.pick("core", 1),  # type: ignore[arg-type]
        lambda: orch.pick("a", "b", "c", "d"),  # type: ignore[call-arg]
    ):
        with pytest.raises(TypeError):
            wrong()


def test_a_pool_whose_name_no_text_can_say_is_refused(orch: MasterOrchestrator) -> None:
    with pytest.raises(UnicodeEncodeError):
        orch.pick("\ud800")


class Unhashable(str):
    def __hash__(self) -> int:
        raise LookupError("no hash")


def test_the_error_of_a_name_without_a_hash_is_the_callers(orch: MasterOrchestrator) -> None:
    with pytest.raises(LookupError, match="no hash"):
        orch.pick(Unhashable("core"))


def test_the_builtin_pick_has_the_documentation_of_the_method(orch: MasterOrchestrator) -> None:
    assert inspect.getdoc(orch.pick) == inspect.getdoc(MasterOrchestrator.pick)


def test_a_pick_kept_beyond_its_orchestrator_says_that_it_is_closed() -> None:
    orch = MasterOrchestrator()
    kept = orch.pick
    with pytest.raises(NoHealthyInstance):
        kept("core")
    orch.close()
    with pytest.raises(OrchestratorClosed):
        kept("core")
    del orch
    gc.collect()
    with pytest.raises(OrchestratorClosed):
        kept("core")


def test_an_instance_that_moved_is_picked_at_its_new_place(
    orch: MasterOrchestrator, web: Web
) -> None:
    first, second = web(), web()
    orch.register(config("a", first.endpoint))
    orch.wait_ready("a", timeout_ms=10_000)
    old = orch.pick("core")
    orch.register(config("a", second.endpoint))
    orch.wait_ready("a", timeout_ms=10_000)
    assert orch.pick("core").endpoint == second.endpoint
    assert old.endpoint == first.endpoint


def test_a_lease_counts_as_load_until_the_block_ends(orch: MasterOrchestrator, web: Web) -> None:
    orch.register_many([config(id, web().endpoint) for id in ("a", "b")])
    orch.wait_ready(timeout_ms=10_000)
    orch.configure_pool("core", strategy="least-connections")
    with orch.lease("core") as first, orch.lease("core") as second:
        assert {first.service_id, second.service_id} == {"a", "b"}
        assert first.ttl_ms > 0
        assert second.release()
        assert not second.release()
        assert orch.pick("core").service_id == second.service_id


def test_dependencies_and_graph_are_answered(orch: MasterOrchestrator) -> None:
    orch.register_many([config("db"), config("api", dependencies=["db"])])
    needs = orch.dependencies("api")
    assert [(one.id, one.condition, one.missing) for one in needs.dependencies] == [
        ("db", "healthy", False)
    ]
    assert (needs.service_id, needs.dependents) == ("api", ())
    assert orch.dependencies("db").dependents == ("api",)
    assert [(one.id, one.depth) for one in needs.tree] == [("api", 0), ("db", 1)]
    graph = orch.graph()
    assert [node.id for node in graph.nodes] == ["db", "api"]
    assert [(edge.source, edge.target, edge.strength) for edge in graph.edges] == [
        ("api", "db", "hard")
    ]
    assert (graph.start_order, graph.node("api").rank) == (("db", "api"), 1)
    with pytest.raises(UnknownService):
        orch.dependencies("nobody")
    with pytest.raises(KeyError):
        graph.node("nobody")


def test_metrics_tell_what_turns_and_readers_cost(orch: MasterOrchestrator) -> None:
    def figures() -> dict[str, int]:
        lines = (line for line in orch.metrics().splitlines() if not line.startswith("#"))
        return {name: int(value) for name, value in (line.split(" ") for line in lines)}

    before = figures()
    orch.register(config("a", type="new"))
    assert orch.service("a").data["config"]["id"] == "a"
    after = figures()
    for name in ("views_built", "pool_members_touched", "pool_names_published", "view_bytes"):
        assert after[f"azora_{name}_total"] > before[f"azora_{name}_total"], name


def test_a_service_with_only_a_url_is_never_restarted(orch: MasterOrchestrator) -> None:
    orch.register(config("a"))
    for verb in (orch.restart, orch.start_service, orch.stop_service):
        with pytest.raises(HealingUnavailable):
            verb("a")
    with pytest.raises(UnknownService):
        orch.restart("nobody")


def test_stop_empties_the_picks_and_start_fills_them_again(
    orch: MasterOrchestrator, web: Web
) -> None:
    orch.register(config("a", web().endpoint))
    orch.wait_ready(timeout_ms=10_000)
    assert orch.stop() == []
    assert (orch.running, orch.service("a").status) == (False, "unknown")
    with pytest.raises(NoHealthyInstance):
        orch.pick("core")
    orch.start()
    orch.wait_ready("a", timeout_ms=10_000)
    assert orch.pick("core").service_id == "a"


def test_a_closed_orchestrator_says_so_and_closing_again_is_nothing() -> None:
    orch = MasterOrchestrator()
    with orch:
        pass
    orch.close()
    assert orch.closed
    assert "closed" in repr(orch)
    for call in (
        orch.start,
        lambda: orch.register(config("a")),
        lambda: orch.on("gap", print),
        lambda: orch.wait_ready("a"),
        lambda: orch.restart("a"),
    ):
        with pytest.raises(OrchestratorClosed):
            call()


def test_close_releases_a_thread_that_waits() -> None:
    failed: list[Exception] = []
    waiting = threading.Event()

    def wait(orch: MasterOrchestrator) -> None:
        waiting.set()
        try:
            orch.wait_ready("a", timeout_ms=60_000)
        except Exception as error:
            failed.append(error)

    with MasterOrchestrator() as orch:
        orch.register(config("a"))
        thread = threading.Thread(target=wait, args=(orch,))
        thread.start()
        assert waiting.wait(10)
    thread.join(10)
    assert not thread.is_alive()
    assert [type(error) for error in failed] == [OrchestratorClosed]


def test_many_services_are_registered_at_once(orch: MasterOrchestrator) -> None:
    orch.stop()
    orch.register_many(config(f"s{i}", f"http://127.0.0.1:{1 + i % 60000}") for i in range(2000))
    assert orch.status().total_services == 2000
    assert orch.service("s1999").status == "unknown"


def test_the_event_emitter_is_the_orchestrator(orch: MasterOrchestrator) -> None:
    assert orch.get_event_emitter() is orch
