"""Client against a real server: the orchestrator's names, answers and errors."""

from __future__ import annotations

import inspect
import os
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from azora_orchestrator import (
    AsyncClient,
    Client,
    ExecForbidden,
    HealingUnavailable,
    InvalidArgument,
    InvalidSpec,
    MasterOrchestrator,
    NoHealthyInstance,
    NotComing,
    OrchestratorClosed,
    ServerUnreachable,
    ServiceConfig,
    TimedOut,
    UnknownService,
)
from conftest import WebService, free_port
from rest.served import Actors

pytestmark = pytest.mark.native

# What REST does not have, or what only makes sense in the orchestrator's own process.
LOCAL = {
    "check_config",
    "configure_pool",
    "from_file",
}
# What a client has besides.
REMOTE = {"follow_logs", "not_coming", "past_events", "release", "request", "seq"}
# What only opens something, and so never waits.
LOCAL_ARGUMENTS = {"apply", "path"}  # what only the program with the fleet can say
PLAIN = {"events", "get_event_emitter", "lease", "off", "on"}


def public(cls: type) -> dict[str, Any]:
    return {
        name: value
        for name, value in inspect.getmembers(cls, inspect.isfunction)
        if not name.startswith("_")
    }


def test_the_names_are_those_of_the_orchestrator() -> None:
    ours, theirs = public(Client), public(MasterOrchestrator)
    assert set(ours) - REMOTE == set(theirs) - LOCAL
    for name in set(ours) - REMOTE - {"close"}:  # there is no fleet that it would wait for
        mine = inspect.signature(ours[name]).parameters
        given = inspect.signature(theirs[name]).parameters
        expected = {key: value for key, value in given.items() if key not in LOCAL_ARGUMENTS}
        more = [mine[key] for key in mine if key not in expected]
        assert all(one.kind == one.KEYWORD_ONLY and one.default is None for one in more), name
        assert [key for key in mine if key in expected] == list(expected), name
        for key, parameter in expected.items():
            assert mine[key].default == parameter.default, (name, key)
            assert mine[key].kind == parameter.kind, (name, key)


def test_the_async_client_has_the_same_names_as_coroutines() -> None:
    sync, other = public(Client), public(AsyncClient)
    assert set(sync) == set(other)
    for name, method in sync.items():
        assert list(inspect.signature(method).parameters) == list(
            inspect.signature(other[name]).parameters
        ), name
        waits = inspect.iscoroutinefunction(other[name]) or inspect.isasyncgenfunction(other[name])
        assert waits == (name not in PLAIN), name


def test_every_public_name_is_documented() -> None:
    for cls in (Client, AsyncClient):
        for name, method in public(cls).items():
            assert (method.__doc__ or "").strip(), f"{cls.__name__}.{name}"


def test_reads_are_the_orchestrators_classes(fleet: MasterOrchestrator, client: Client) -> None:
    service, same = client.service("shop"), fleet.service("shop")
    assert type(service) is type(same)
    for name in ("id", "type", "group", "endpoint", "status", "lifecycle", "desired", "config"):
        assert getattr(service, name) == getattr(same, name), name
    assert [one.id for one in client.services()] == ["db", "shop"]
    assert [one.id for one in client.services(type="b2b")] == ["shop"]
    assert [one.id for one in client.services(group="db")] == ["db"]
    listed = client.services()[1]
    assert (listed.lifecycle, listed.desired) == ("WATCHING", "up")
    assert listed.start_time == same.start_time
    status = client.status()
    assert (status.running, status.total_services, status.healthy_services) == (True, 2, 2)
    assert [one.id for one in status.services] == ["db", "shop"]
    assert client.running is True
    assert client.why("db") == fleet.why("db")
    assert client.graph().to_dict() == fleet.graph().to_dict()
    assert client.dependencies("shop").to_dict() == fleet.dependencies("shop").to_dict()
    assert "azora_services 2\n" in client.metrics()
    assert client.seq() >= status.seq > 0


@pytest.mark.process
def test_a_list_has_what_each_service_has(
    orch: MasterOrchestrator, actors: Actors, client: Client
) -> None:
    orch.register(actors.service("a"))
    orch.wait_ready("a", timeout_ms=30_000)
    (listed,) = client.services()
    alone = client.service("a")
    assert listed.pid == alone.pid == orch.service("a").pid
    assert listed.incarnation == 1
    assert set(listed.data) == set(alone.data)
    assert client.logs("a") == "listening\n"


def test_registration_and_its_faults(client: Client, orch: MasterOrchestrator) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    seq = client.register(id="a", type="core", endpoint=url)
    assert seq >= orch.service("a").generation
    client.register(ServiceConfig(id="b", type="core", endpoint=url))
    client.register({"id": "c", "type": "core", "endpoint": url})
    assert [one.id for one in orch.services()] == ["a", "b", "c"]
    with pytest.raises(InvalidSpec) as caught:
        client.register({"id": "d", "type": "core", "endpoint": url, "priority": 99})
    assert [fault.field for fault in caught.value.faults] == ["priority"]
    assert caught.value.problem is not None
    assert caught.value.problem["code"] == "invalid_spec"
    with pytest.raises(ExecForbidden):
        client.register({"id": "d", "type": "core", "endpoint": url, "process": {"argv": ["x"]}})
    with pytest.raises(InvalidSpec, match="callable"):
        client.register(id="d", type="core", endpoint=url, restart=lambda: None)
    with pytest.raises(InvalidSpec, match="finite"):
        client.register({"id": "d", "type": "core", "endpoint": url, "weight": float("nan")})
    with pytest.raises(InvalidArgument):
        client.register()
    assert client.unregister("c") is True
    assert client.unregister("c") is False
    with pytest.raises(UnknownService, match='there is no service "c" at http'):
        client.service("c")


def test_several_are_registered_all_or_none(client: Client, orch: MasterOrchestrator) -> None:
    service = {"type": "core", "endpoint": f"http://127.0.0.1:{free_port()}"}
    seq = client.register_many([ServiceConfig(id="a", **service), {"id": "b"} | service])
    assert [one.id for one in orch.services()] == ["a", "b"]
    assert seq >= orch.service("b").generation
    with pytest.raises(InvalidSpec) as caught:
        client.register_many([{"id": "c"} | service, {"id": "d", "priority": 99} | service])
    assert [fault.field for fault in caught.value.faults] == ["services[1].priority"]
    with pytest.raises(ExecForbidden):
        client.register_many([{"id": "c", "process": {"argv": ["x"]}} | service])
    with pytest.raises(InvalidSpec, match=r"services\[1\].restart: is a callable"):
        client.register_many([{"id": "c"} | service, {"id": "d", "restart": print} | service])
    with pytest.raises(InvalidArgument):
        client.register_many({"id": "c"} | service)  # type: ignore[arg-type]
    client.register_many([])
    assert len(orch.services()) == 2


def test_names_are_quoted(client: Client) -> None:
    for name in ("a/b", "..", ".", "ä", "a?b", "a b", "a%2Fb", "#"):
        with pytest.raises((UnknownService, InvalidArgument)):
            client.service(name)
    for wrong in ("", 5, None, "\ud800"):
        with pytest.raises(InvalidArgument):
            client.service(wrong)  # type: ignore[arg-type]


def test_picks_and_leases(fleet: MasterOrchestrator, client: Client) -> None:
    pick = client.pick("core")
    assert (pick.service_id, pick.endpoint) == ("db", fleet.service("db").endpoint)
    assert client.pick("core", "me", "ip-hash").service_id == "db"
    with client.lease("core") as lease:
        assert (lease.service_id, lease.pool, lease.strategy) == ("db", "core", "round-robin")
        assert lease.ttl_ms > 0
    assert lease.release() is False
    kept = client.lease("core")
    assert client.release(kept.id) is True
    with pytest.raises(NoHealthyInstance):
        client.pick("nothing")
    found = client.request("GET", "loadbalancer", "core", explain=1)
    assert [one["serviceId"] for one in found["candidates"]] == ["db"]
    fleet.stop()
    with pytest.raises(NoHealthyInstance) as caught:
        client.request("GET", "loadbalancer", "core", explain=1)
    assert caught.value.problem is not None
    assert caught.value.problem["candidates"][0]["serviceId"] == "db"


@pytest.mark.process
def test_verbs_and_waits(orch: MasterOrchestrator, actors: Actors, client: Client) -> None:
    orch.register(actors.service("root"))
    orch.register(actors.service("leaf", dependencies=["root"]))
    client.wait_ready(timeout_ms=30_000)
    answer = client.restart("root", wait=True, timeout_ms=30_000)
    assert (answer.service_id, answer.incarnation, answer.affected) == ("root", 2, ("leaf",))
    client.stop_service("leaf")
    client.wait_stopped("leaf", timeout_ms=30_000)
    assert orch.service("leaf").lifecycle == "IDLE"
    with pytest.raises(NotComing, match="leaf is stopped"):
        client.wait_ready("leaf")
    client.start_service("leaf", wait=True, timeout_ms=30_000)
    client.wait_ready(["root", "leaf"], timeout_ms=30_000)
    assert client.stop() == []
    assert client.running is False
    client.start()
    client.wait_ready("leaf", timeout_ms=30_000)
    with pytest.raises(InvalidArgument, match="leave"):
        client.stop(leave=True)


def test_a_wait_ends_when_it_comes_true(
    orch: MasterOrchestrator, web: Callable[[], WebService], client: Client
) -> None:
    service = web()
    service.code = 500
    with orch.events(type="serviceUnhealthy") as stream:
        orch.register(
            {
                "id": "a",
                "type": "t",
                "group": "g",
                "endpoint": service.endpoint,
                "healthCheckInterval": 200,
            }
        )
        assert stream.next(timeout_ms=10_000) is not None
    with pytest.raises(
        TimedOut, match="service 'a' is not ready in time: it is WATCHING, unhealthy"
    ):
        client.wait_ready("a", timeout_ms=300)
    ended = threading.Thread(target=client.wait_ready, args=("g",), kwargs={"timeout_ms": 20_000})
    ended.start()
    service.code = 200
    ended.join(15)
    assert not ended.is_alive()
    with pytest.raises(UnknownService):
        client.wait_ready("nobody")
    client.wait_stopped("nobody")


@pytest.mark.process
def test_a_wait_that_is_in_vain_ends_at_once(orch: MasterOrchestrator, client: Client) -> None:
    failing = {"argv": ["false"]}
    orch.register({"id": "a", "type": "t", "maxRestarts": 0, "process": failing} | _tcp())
    orch.register({"id": "b", "type": "t", "dependencies": ["a"], "process": failing} | _tcp())
    job = {"argv": ["true"]}
    orch.register({"id": "job", "type": "j", "healthCheck": {"type": "process"}, "process": job})
    for name in ("a", "b"):
        with pytest.raises(NotComing, match="a failed"):
            client.wait_ready(name, timeout_ms=60_000)
    client.wait_ready("job", timeout_ms=20_000)
    orch.register({"id": "url", "type": "t"} | _tcp())
    with pytest.raises(HealingUnavailable):
        client.restart("url")


@pytest.mark.process
def test_an_entry_is_waited_for_as_a_whole(
    orch: MasterOrchestrator, process: Callable[..., dict[str, Any]], client: Client
) -> None:
    entry = process("web")
    entry["process"] |= {"replicas": 2, "ports": [free_port(), free_port()]}
    needs = [{"id": "web", "min": 2}]
    orch.register_many([entry, process("shop", dependencies=needs)])
    client.wait_ready(["web", "shop"], timeout_ms=30_000)
    assert client.service("web").ready == 2
    assert [one.id for one in client.services(group="web")] == ["web@0", "web@1"]
    client.stop_service("web@1", wait=True, timeout_ms=30_000)
    client.wait_ready("web")  # the instance that is wanted down does not count
    client.stop_service("shop", wait=True, timeout_ms=30_000)
    client.start_service("shop")
    with pytest.raises(NotComing, match="shop waits for its dependency: web@1 is stopped"):
        client.wait_ready("shop", timeout_ms=60_000)
    client.stop_service("web")
    client.wait_stopped(["web", "web@0"], timeout_ms=30_000)
    assert {one.lifecycle for one in client.services(group="web")} == {"IDLE"}


@pytest.mark.process
def test_what_did_not_stop_in_time_is_named(
    orch: MasterOrchestrator, api: Any, client: Client
) -> None:
    api.app.stop_timeout_ms = 300
    stubborn = {"argv": ["sh", "-c", "trap '' TERM; while :; do sleep 1; done"]}
    check = {"healthCheck": {"type": "process"}}
    orch.register({"id": "a", "type": "t", "process": stubborn | {"stopTimeout": 30_000}} | check)
    client.wait_ready("a", timeout_ms=20_000)
    assert client.stop() == ["a"]
    assert client.running is False


def _tcp() -> dict[str, Any]:
    return {"endpoint": f"http://127.0.0.1:{free_port()}"}


def test_no_server_is_an_error_of_its_own() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with Client(url) as client, pytest.raises(ServerUnreachable) as caught:
        client.status()
    assert str(caught.value) == (
        f"no server answers at {url} (Connection refused); start one with `azora serve`"
    )
    assert isinstance(caught.value, ConnectionError)
    with pytest.raises(OrchestratorClosed):
        client.status()


def test_another_program_at_the_port_is_told(web: Callable[[], WebService]) -> None:
    with Client(web().endpoint) as client:
        for call in (client.status, client.seq, client.graph):
            with pytest.raises(ServerUnreachable, match="does not answer as Azora does"):
                call()


def test_a_server_that_says_nothing_is_late() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with Client(url, timeout_ms=1_000) as client, pytest.raises(TimedOut, match=" 1000 ms"):
            client.status()


def test_the_server_is_found_as_by_the_command_line(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORCHESTRATOR_PORT", str(api.port))
    with Client() as client:
        assert client.running
    monkeypatch.setenv("AZORA_URL", f"127.0.0.1:{api.port}/")
    monkeypatch.setenv("ORCHESTRATOR_PORT", "1")
    with Client() as client:
        assert (client.running, client.url) == (True, f"http://127.0.0.1:{api.port}")
    for url in ("ftp://x", "http://", "http://h:99999", "http://h:0", "http://a b", "http://h?x"):
        with pytest.raises(InvalidArgument):
            Client(url)
    monkeypatch.delenv("AZORA_URL")
    monkeypatch.setenv("ORCHESTRATOR_PORT", "no")
    with pytest.raises(InvalidArgument, match="ORCHESTRATOR_PORT"):
        Client()
    for timeout_ms in (-1, "5", float("nan"), True):
        with pytest.raises(InvalidArgument):
            Client("http://h", timeout_ms=timeout_ms)  # type: ignore[arg-type]


def test_a_proxy_of_the_environment_is_not_used(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    with Client(f"http://127.0.0.1:{api.port}") as client:
        assert client.running


def test_a_connection_that_the_server_ended_between_two_calls_is_made_anew(relay: Any) -> None:
    with Client(relay.url) as client:
        assert client.running
        relay.cut()
        assert client.running


def test_one_client_serves_many_threads(fleet: MasterOrchestrator, client: Client) -> None:
    seen: list[str] = []
    threads = [
        threading.Thread(target=lambda: seen.append(client.pick("core").service_id))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert seen == ["db"] * 8


@pytest.mark.parametrize("asks", [True, False])
def test_the_token_is_shown_to_a_server_of_this_user_alone(
    serve: Callable[..., Any], asks: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from azora_orchestrator.client import address
    from azora_orchestrator.errors import AccessDenied
    from azora_orchestrator.server import owner, tokens

    tokens.ensure_token()
    port = serve(auth="token").port
    with Client(f"http://127.0.0.1:{port}") as client:
        if not asks:
            monkeypatch.setattr(owner, "is_owner", lambda peer, own: False)
            with pytest.raises(AccessDenied):
                client.start()
        else:
            client.start()
            client.start()
    monkeypatch.undo()
    assert address.own_token(None, None) is None


def test_a_token_that_was_given_is_sent(serve: Callable[..., Any]) -> None:
    from azora_orchestrator.errors import AccessDenied
    from azora_orchestrator.server import tokens

    token = tokens.ensure_token()
    url = f"http://127.0.0.1:{serve(auth='token').port}"
    with Client(url, token) as client:
        client.start()
    with Client(url, "wrong") as client, pytest.raises(AccessDenied) as caught:
        client.start()
    assert caught.value.problem is not None
    with pytest.raises(InvalidArgument, match="token"):
        Client(url, "a\nb")


def test_a_token_is_never_sent_over_a_connection_that_was_not_checked(
    serve: Callable[..., Any], relay: Any
) -> None:
    """The server behind the relay hangs up after its 401: the next connection is not its."""
    from azora_orchestrator.server import tokens

    tokens.ensure_token()
    seen: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        done = threading.Thread(target=_refuse, args=(listener, seen), daemon=True)
        done.start()
        with Client(url, timeout_ms=5_000) as client, pytest.raises(Exception, match="token"):
            client.start()
    assert len(seen) >= 2
    assert not any(b"authorization" in head.lower() for head in seen)


def _refuse(listener: socket.socket, seen: list[bytes]) -> None:
    body = b'{"error":"a token is needed","code":"token_required","status":401}'
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            head = b""
            while b"\r\n\r\n" not in head:
                head += connection.recv(65_536)
            seen.append(head)
            connection.sendall(
                b"HTTP/1.1 401 Unauthorized\r\nContent-Type: application/problem+json\r\n"
                b"Connection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
            )


def test_a_client_leaves_no_descriptor_open(api: Any) -> None:
    def count() -> int:
        return len(os.listdir("/proc/self/fd"))

    with Client(f"http://127.0.0.1:{api.port}") as client:
        client.status()
    before = count()
    for _ in range(5):
        with Client(f"http://127.0.0.1:{api.port}") as client, client.events() as stream:
            client.status()
            assert stream.next(timeout_ms=0) is None
    deadline = time.monotonic() + 10
    while count() > before and time.monotonic() < deadline:  # the server closes its ends later
        threading.Event().wait(0.01)
    assert count() <= before
