"""One of three replicas is killed while somebody picks without pause.

Written as a user would write it: with the public Python interface alone. No pick made after the
news of the exit names the dead replica, no pick fails, and the replica comes back by itself.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from typing import Any

import pytest

from azora_orchestrator import MasterOrchestrator

pytestmark = [pytest.mark.native, pytest.mark.process]


def test_one_of_three_is_killed_under_constant_picking(
    process: Callable[..., dict[str, Any]],
) -> None:
    replicas = ["orders-1", "orders-2", "orders-3"]
    with MasterOrchestrator() as orch:
        orch.register_many([process(id, group="orders") for id in replicas])
        orch.wait_ready(timeout_ms=30_000)
        victim = orch.service("orders-2")
        assert victim.pid is not None

        picked: list[tuple[str, bool]] = []
        failures: list[Exception] = []
        exit_known = threading.Event()
        restart_known = threading.Event()

        def customer() -> None:
            try:
                while not restart_known.is_set():
                    known = exit_known.is_set()  # before the pick: it must hold for what follows
                    again = orch.service("orders-2").status == "healthy"
                    service_id = orch.pick("orders").service_id
                    if not again and orch.service("orders-2").status != "healthy":
                        picked.append((service_id, known))
            except Exception as error:
                failures.append(error)

        with orch.events(service="orders-2") as stream:
            thread = threading.Thread(target=customer)
            thread.start()
            os.kill(victim.pid, signal.SIGKILL)
            for event in stream:
                if event.type == "serviceExited":
                    exit_known.set()
                if event.type == "serviceRestarted":
                    restart_known.set()
                    break
            thread.join(10)

        assert failures == []
        after = [service_id for service_id, known in picked if known]
        assert after, "the customer picked while the replica was down"
        assert set(after) == {"orders-1", "orders-3"}

        healed = orch.service("orders-2")
        assert (healed.status, healed.restart_count) == ("healthy", 1)
        assert healed.pid not in (None, victim.pid)
        assert {orch.pick("orders").service_id for _ in range(3)} == set(replicas)


def test_the_customer_who_asks_with_a_key_keeps_the_replica_that_lives(
    process: Callable[..., dict[str, Any]],
) -> None:
    with MasterOrchestrator() as orch:
        orch.register_many([process(f"cart-{i}", group="cart") for i in range(3)])
        orch.configure_pool("cart", strategy="ip-hash")
        orch.wait_ready(timeout_ms=30_000)
        keys = [f"customer-{i}" for i in range(60)]
        before = {key: orch.pick("cart", key=key).service_id for key in keys}
        orch.stop_service("cart-1", wait=True)
        during = {key: orch.pick("cart", key=key).service_id for key in keys}
        assert "cart-1" not in during.values()
        assert all(during[key] == before[key] for key in keys if before[key] != "cart-1")
        orch.start_service("cart-1", wait=True)
        assert {key: orch.pick("cart", key=key).service_id for key in keys} == before
