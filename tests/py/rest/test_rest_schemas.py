"""Every operation against its description: `/openapi.json` makes requests and judges responses.

AZORA_API_EXAMPLES is the number of requests for each operation. Every second request names a
service that there is, so that answers of success are judged, too.
"""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from azora_orchestrator import MasterOrchestrator, ReloadPlan
from azora_orchestrator.server import create_app
from conftest import free_port
from rest.conftest import serving

pytestmark = [pytest.mark.native, pytest.mark.process, pytest.mark.slow]

EXAMPLES = int(os.environ.get("AZORA_API_EXAMPLES", "30"))
CONFORMANCE = [status_code_conformance, content_type_conformance, response_schema_conformance]
# Responses of ours: nothing to pick, not ready; not in time.
OUR_SERVER_ERRORS = (503, 504)
SERVICE = {"id": "made", "type": "core", "endpoint": "http://127.0.0.1:1", "team": ["any", 1]}
BODIES = {
    "/services": [SERVICE],
    "/services/{id}/drain": {"timeoutMs": 1, "then": "keep"},
    "/services/{id}/maintenance": {"reason": "work"},
}
ORDER = ("get", "post", "delete")
KNOWN = {"id": ("web", "web@0", "db"), "pool": ("core", "web", "b2b")}

_bounded = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def fleet(service_file: Any) -> Iterator[MasterOrchestrator]:
    """Two replicas that need what is registered and what is not, and a service that is down."""
    with MasterOrchestrator() as orch:
        endpoint = f"http://127.0.0.1:{free_port()}"
        argv = [sys.executable, "-S", str(service_file), "{port}"]
        orch.register(
            {
                "id": "web",
                "type": "core",
                "endpoint": endpoint,
                "dependencies": [{"id": "db", "strength": "soft"}],
                "process": {"argv": argv, "replicas": 2},
            }
        )
        orch.register({"id": "db", "type": "b2b", "endpoint": f"http://127.0.0.1:{free_port()}"})
        orch.register(
            {"id": "late", "type": "core", "endpoint": endpoint, "dependencies": ["missing"]}
        )
        orch.wait_ready("web", timeout_ms=30_000)
        yield orch


@pytest.fixture(scope="module")
def schema(fleet: MasterOrchestrator) -> Iterator[Any]:
    app = create_app(fleet, auth=None)
    app.stop_timeout_ms = 20_000
    app.reload = lambda plan, _restart: ReloadPlan("fleet.toml", (), 3, applied=not plan)
    with serving(app) as api:
        yield schemathesis.openapi.from_url(f"http://127.0.0.1:{api.port}/openapi.json")


def test_every_operation_does_what_its_description_says(
    fleet: MasterOrchestrator, schema: Any, subtests: Any
) -> None:
    operations = [result.ok() for result in schema.get_all_operations()]
    assert len(operations) == 32  # all but the document itself
    seen: dict[str, set[int]] = {}
    # What is below a service is asked for before that is removed.
    for operation in sorted(
        operations, key=lambda one: (ORDER.index(one.method.lower()), -one.path.count("/"))
    ):
        with subtests.test(operation.label):
            fleet.start()
            seen[operation.label] = _ask(operation)
    without_success = [label for label, statuses in seen.items() if not statuses & {200, 202}]
    assert without_success == []


def _ask(operation: Any) -> set[int]:
    statuses: set[int] = set()
    turns = itertools.count()

    @_bounded
    @given(case=operation.as_strategy())
    def run(case: Any) -> None:
        _keep_short(case)
        turn = next(turns)
        if turn % 2:
            for name, values in KNOWN.items():
                if name in (case.path_parameters or {}):
                    case.path_parameters[name] = values[turn // 2 % len(values)]
            if operation.body:
                case.body = BODIES.get(operation.path, SERVICE)
            if operation.path == "/wait":
                case.query = {"service": ["nobody"], "for": "stopped", "timeoutMs": 1}
        response = case.call(timeout=30)
        ours = response.status_code in OUR_SERVER_ERRORS
        case.validate_response(
            response, checks=CONFORMANCE if ours else [*CONFORMANCE, not_a_server_error]
        )
        assert "azora-seq" in {name.lower() for name in response.headers}
        statuses.add(response.status_code)

    run()
    return statuses


def _keep_short(case: Any) -> None:
    """Streams end, and nobody waits long."""
    if case.path.endswith(("/events", "/logs")):
        case.query = {**(case.query or {}), "follow": "false"}
    if "wait" in (case.query or {}) or case.path.endswith("/wait"):
        case.query = {**(case.query or {}), "timeoutMs": 1}
