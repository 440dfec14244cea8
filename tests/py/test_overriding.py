"""orchestrator.py under derived classes and mocks, as users' tests have them."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any
from unittest import mock

from azora_orchestrator import AsyncMasterOrchestrator, MasterOrchestrator, NoHealthyInstance, Pick


class Counting(MasterOrchestrator):
    picks = 0

    def pick(self, pool: str, key: str | None = None, strategy: Any = None) -> Pick:
        self.picks += 1
        return super().pick(pool, key, strategy)


def test_a_derived_class_may_override_pick() -> None:
    with Counting() as orch:
        orch.register(id="a", type="core", endpoint="http://127.0.0.1:9")
        with contextlib.suppress(NoHealthyInstance):
            orch.pick("core")
        assert orch.picks == 1


def test_a_derived_class_that_does_not_keeps_the_builtin() -> None:
    class Derived(MasterOrchestrator): ...

    with Derived() as orch:
        assert orch.pick == orch._core.pick


def test_pick_can_be_patched_on_the_object_and_on_the_class() -> None:
    with MasterOrchestrator() as orch, mock.patch.object(orch, "pick", return_value=1):
        assert orch.pick("core") == 1
    with (
        mock.patch.object(MasterOrchestrator, "pick", autospec=True, return_value=2) as pick,
        MasterOrchestrator() as orch,
    ):
        assert orch.pick("core", strategy="weighted") == 2
        pick.assert_called_once_with(orch, "core", strategy="weighted")


def test_the_async_class_asks_what_was_patched() -> None:
    async def main() -> None:
        async with AsyncMasterOrchestrator() as orch:
            with mock.patch.object(orch.sync, "pick", return_value=3):
                assert await orch.pick("core") == 3

    asyncio.run(main())
