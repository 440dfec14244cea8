"""The services of a configuration file, as an orchestrator takes them at its start.

The file has the last word on what is its own (R32c): a durable fleet may still have services of a
former version of the file, which leave. Services of REST and Python stay.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from azora_orchestrator import _core


def take_file(
    core: _core.Core,
    services: Sequence[str],
    base_dir: str,
    pools: Mapping[str, Mapping[str, Any]],
) -> None:
    """Register the services, each the JSON text of an entry, and configure the pools."""
    kept = {json.loads(text).get("id") for text in services}
    of_files = {view.id.split("@")[0] for view in core.list() if view.origin == "file"}
    gone = of_files - kept
    for name in sorted(gone):
        core.unregister(name, "file")
    if services:
        core.register(list(services), "file", base_dir, [False] * len(services))
    for name, options in pools.items():
        core.configure_pool(name, dict(options))
