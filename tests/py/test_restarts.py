"""_restarts.py: the table of restart callables changes together with the registrations."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from azora_orchestrator import InvalidSpec, MasterOrchestrator

pytestmark = pytest.mark.native

WAIT = 20.0


def service(**fields: Any) -> dict[str, Any]:
    return {"id": "a", "type": "core", "endpoint": "http://127.0.0.1:9"} | fields


def first() -> None: ...
def second() -> None: ...


def registered(orch: MasterOrchestrator) -> Callable[..., object] | None:
    found = orch._callbacks.restarts.get("a")
    return None if found is None else found.function


class Pausing:
    """A core whose first registration waits in the midst of it."""

    def __init__(self, core: Any) -> None:
        self._core = core
        self._first = True
        self.inside, self.go_on = threading.Event(), threading.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._core, name)

    def register(self, *args: Any) -> int:
        if self._first:
            self._first = False
            self.inside.set()
            self.go_on.wait(WAIT)
        seq: int = self._core.register(*args)
        return seq


@pytest.mark.parametrize("restart", [second, None])
def test_a_refused_registration_takes_nothing_from_one_at_the_same_time(
    orch: MasterOrchestrator, restart: Callable[[], None] | None
) -> None:
    """Refused with its own callable, while another thread registers the id with another or none."""
    orch.register(service(restart=first))
    orch._core = core = Pausing(orch._core)  # type: ignore[assignment]
    refusals: list[BaseException] = []

    def refused() -> None:
        try:
            orch.register(service(restart=lambda: None, healthCheckInterval=-1))
        except InvalidSpec as error:
            refusals.append(error)

    other = service() if restart is None else service(restart=restart)
    threads = [
        threading.Thread(target=target) for target in (refused, lambda: orch.register(other))
    ]
    threads[0].start()
    assert core.inside.wait(WAIT)
    threads[1].start()
    threads[1].join(0.2)  # if it did not wait for the first, it would be done by now
    core.go_on.set()
    for thread in threads:
        thread.join(WAIT)
    assert len(refusals) == 1
    assert registered(orch) is restart


def test_a_refused_registration_leaves_the_former_callable(orch: MasterOrchestrator) -> None:
    with pytest.raises(InvalidSpec):
        orch.register(service(restart=second, healthCheckInterval=-1))
    assert registered(orch) is None
    orch.register(service(restart=first))
    with pytest.raises(InvalidSpec):
        orch.register(service(restart=second, healthCheckInterval=-1))
    assert registered(orch) is first
    orch.register(service())
    assert registered(orch) is None


@pytest.mark.parametrize("actor", ["rest", "python"])
def test_the_callable_of_a_service_that_is_deleted_is_forgotten(
    orch: MasterOrchestrator, actor: str
) -> None:
    class Owner:
        def restart(self) -> None: ...

    owner = Owner()
    forgotten = threading.Event()
    weakref.finalize(owner, forgotten.set)
    orch.register(service(restart=owner.restart))
    del owner
    assert not forgotten.is_set()
    if actor == "rest":
        assert orch._core.unregister("a", "rest")
    else:
        assert orch.unregister("a")
    assert forgotten.wait(WAIT)


def test_a_service_registered_again_at_once_keeps_its_callable(orch: MasterOrchestrator) -> None:
    with orch.events(type="serviceUnregistered") as removals:
        for _ in range(50):
            orch.register(service(restart=first))
            assert orch._core.unregister("a", "rest")
            orch.register(service(restart=second))
            assert next(removals).service_id == "a"
            assert registered(orch) is second
