"""A program as a user writes it; test_typing.py lets mypy judge it.

A comment `# E: code` is the error that mypy must give for its line; there may be no other.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Literal, assert_type

from azora_orchestrator import (
    AsyncClient,
    AsyncMasterOrchestrator,
    Client,
    Event,
    Graph,
    HealthCheck,
    Lease,
    MasterOrchestrator,
    Pick,
    Process,
    ProcessConfig,
    Service,
    ServiceConfig,
    ServiceExitedEvent,
    ServiceRestartedEvent,
    Status,
    Subscription,
    check_config,
)

SHOWN: dict[Status, str] = {"healthy": "+", "unhealthy": "-", "degraded": "~", "unknown": "?"}


def describe() -> ServiceConfig:
    return ServiceConfig(
        id="orders",
        type="core",
        endpoint="http://127.0.0.1:7001",
        health_check_interval_ms=5000,
        health_check=HealthCheck(type="http", timeout_ms=500),
        process=ProcessConfig(argv=["python3", "orders.py"], stop_mode="tree"),
        restart_policy="always",
    )


def misspelled_fields() -> None:
    ServiceConfig(id="a", type="b", prioritty=3)  # E: call-arg
    ServiceConfig(id="a", type="b", health_check_interval_ms="5s")  # E: arg-type
    ServiceConfig(id="a", type="b", restart_policy="allways")  # E: arg-type
    HealthCheck(type="htp")  # E: arg-type
    ProcessConfig(argv=["a"], stop_mode="three")  # E: arg-type


def register(orch: MasterOrchestrator) -> None:
    assert_type(orch.register(describe()), int)
    orch.register({"id": "a", "type": "core", "endpoint": "http://127.0.0.1:9"})
    orch.register(id="a", type="core", endpoint="http://127.0.0.1:9", weight=0.5)
    orch.register(id="a", type="core", process={"argv": ["a"]}, restart=lambda: None)
    orch.register(id="a", type="core", prioritty=3)  # E: call-overload
    orch.register(id="a", type="core", health_check_interval_ms="5s")  # E: call-overload
    orch.register(id="a")  # E: call-overload
    orch.register(describe(), apply="now")  # E: call-overload


def read(orch: MasterOrchestrator) -> str:
    service = orch.service("orders")
    if service.status == "helthy":  # E: comparison-overlap
        return "never"
    if service.lifecycle == "ready":  # E: comparison-overlap
        return "never"
    if service.lifecycle == "READY" and service.process is not None:
        assert_type(service.process, Process)
        exit = service.process.last_exit
        if exit is not None and exit.signal == "SIGKILL":
            assert_type(exit.at, datetime)
            return f"killed at {exit.at}"
    status = orch.status()
    for one in status.services:
        assert_type(one, Service)
    graph: Graph = orch.graph()
    for edge in graph.edges:
        if edge.strength == "hart":  # E: comparison-overlap
            return edge.source
    for one in orch:
        if one in orch and len(orch) > 1:
            return orch["orders"].id
    print(service.statuss)  # E: attr-defined
    return SHOWN[service.status]


def pick(orch: MasterOrchestrator) -> str:
    assert_type(orch.pick("core"), Pick)
    orch.pick("core", strategy="leest-connections")  # E: arg-type
    orch.configure_pool("core", strategy="leest-connections")  # E: arg-type
    orch.configure_pool("core", strategy="least-connections", lease_ttl_ms=500)
    kept: Lease = orch.lease("core")
    with orch.lease("core") as lease:
        return lease.endpoint + kept.strategy


def listen(orch: MasterOrchestrator) -> None:
    orch.on("serviceRestarted", lambda event: print(event.service_id, event.attempt))
    orch.on("serviceTypo", print)  # E: arg-type
    orch.on(["serviceFailed", "serviceTypo"], print)  # E: list-item
    orch.on("*", print)
    orch.on(ServiceRestartedEvent, lambda event: print(event.attempt + 1, event.service_id.upper()))
    orch.on(Status, print)  # E: call-overload

    @orch.on(ServiceExitedEvent)
    def exited(event: ServiceExitedEvent) -> None:
        print(event.signal)

    assert_type(exited, Subscription)
    orch.events(type="serviceTypo")  # E: arg-type

    @orch.on("serviceFailed")
    async def failed(event: Event) -> None:
        if event.type == "serviceTypo":  # E: comparison-overlap
            print(event.reason)

    assert_type(failed, Subscription)
    for event in orch.events(since=0, type=["serviceExited", "serviceRestarted"]):
        assert_type(event.attempt, int | None)
        match event:
            case ServiceRestartedEvent(service_id=id, downtime_ms=away):
                assert_type(id, str)
                assert_type(away, int)
            case ServiceExitedEvent():
                assert_type(event.signal, str | None)
                assert_type(event.type, Literal["serviceExited"])
            case _:
                print(event.codee)  # E: attr-defined
        if isinstance(event, ServiceRestartedEvent):
            print(event.attempt + 1)


async def along() -> None:
    async with AsyncMasterOrchestrator.from_file("azora.toml") as orch:
        assert_type(await orch.register(describe()), int)
        await orch.register(id="a", type="core", prioritty=3)  # E: call-overload
        assert_type(await orch.pick("core"), Pick)
        async with orch.lease("core") as lease:
            print(lease.ttl_ms)
        async for event in orch.events():
            print(event.seq)
        orch.on("serviceTypo", print)  # E: arg-type


def remote(client: Client) -> None:
    assert_type(client.register(describe()), int)
    assert_type(client.register(id="a", type="core"), int)
    client.register(id="a", type="core", prioritty=3)  # E: call-overload
    assert_type(client.service("orders"), Service)
    assert_type(client.pick("core", strategy="ip-hash", key="me"), Pick)
    client.pick("core", strategy="leest-connections")  # E: arg-type
    with client.lease("core") as lease:
        assert_type(lease, Lease)
    with client.events(type=ServiceRestartedEvent) as stream:
        assert_type(stream.next(timeout_ms=100), Event | None)
    client.events(type="serviceTypo")  # E: arg-type


async def remote_along() -> None:
    async with AsyncClient("http://127.0.0.1:5000", timeout_ms=1_000) as client:
        assert_type(await client.register(id="a", type="core"), int)
        assert_type(await client.graph(), Graph)
        async with client.lease("core") as lease:
            assert_type(lease.pick, Pick)
        async for event in client.events():
            assert_type(event, Event)
        async for line in client.follow_logs("orders"):
            assert_type(line, str)


if __name__ == "__main__":
    check_config("azora.toml").raise_for_faults()
    with MasterOrchestrator.from_file("azora.toml") as fleet:
        register(fleet)
        print(read(fleet), pick(fleet))
        listen(fleet)
    asyncio.run(along())
