"""The description of the API: a valid document, complete, and a page that needs no network."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import shutil
import subprocess
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from azora_orchestrator import MasterOrchestrator
from azora_orchestrator.server import create_app

pytestmark = pytest.mark.native

# What type-checks a client generated from the document; `npx --no-install` finds them here.
_NODE_TOOLS = ("openapi-typescript", "tsc")
_INSTALL = "npm install -g openapi-typescript typescript"

# Uses generated types: each line is wrong unless the document has the name and its type.
_CLIENT = """
import type { components, operations, paths } from "./api";

type Status = paths["/status"]["get"]["responses"]["200"]["content"]["application/json"];
export const healthy = (status: Status): string[] =>
  status.services.filter((one) => one.status === "healthy").map((one) => one.serviceId);
export const total = (status: Status): number => status.totalServices + status.endedServices.length;

type Pick = operations["get_loadbalancer_pool"]["responses"]["200"]["content"]["application/json"];
export const where = (pick: Pick): string => pick.endpoint + (pick.lease?.id ?? "");

type Start = operations["post_services_id_start"]["parameters"];
export const start: Start = {
  path: { id: "a" }, query: { wait: "ready", timeoutMs: 5000, dependents: true },
};

export const event = (one: components["schemas"]["Event"]): number => one.seq;
export const why = (one: components["schemas"]["Why"]): string | null => one.nextAttemptAt;
export const problem = (one: components["schemas"]["Problem"]): string => one.code;
export const config: components["schemas"]["ServiceConfig"] = {
  id: "a", type: "core", endpoint: "http://127.0.0.1:1", priority: 3,
};

// @ts-expect-error a lifecycle that there is not
export const typo: components["schemas"]["Service"]["lifecycle"] = "REDAY";
// @ts-expect-error a wait of another verb
export const wrong: Start = { path: { id: "a" }, query: { wait: "stopped" } };
"""


@pytest.fixture
def document(orch: MasterOrchestrator) -> dict[str, Any]:
    return create_app(orch, auth=None).openapi()


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [item for methods in document["paths"].values() for item in methods.values()]


def test_the_document_is_valid_and_every_answer_has_a_schema(document: dict[str, Any]) -> None:
    errors = [str(error) for error in OpenAPIV31SpecValidator(document).iter_errors()]
    assert errors == []
    assert "422" not in json.dumps(document)
    assert "Never reached" not in json.dumps(document)
    names = [operation["operationId"] for operation in operations(document)]
    assert len(set(names)) == len(names) == 33
    assert all(name.isidentifier() for name in names)
    for operation in operations(document):
        assert operation["summary"].endswith(".")
        assert list(operation["responses"]["default"]["content"]) == ["application/problem+json"]
        for status, response in operation["responses"].items():
            for kind, content in response["content"].items():
                assert content["schema"], (operation["operationId"], status, kind)
        for parameter in operation.get("parameters", ()):
            assert parameter["description"], operation["operationId"]
            if parameter["schema"].get("type") == "integer":
                assert {"minimum", "maximum"} <= set(parameter["schema"])


def test_models_describe_what_users_read(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert {"ServiceConfig", "Problem", "Event", "Status", "Why", "Graph"} <= set(schemas)
    assert schemas["ServiceConfig"]["properties"]["id"]["description"]
    assert schemas["ServiceConfig"]["properties"]["dependencies"]["maxItems"] == 64
    assert schemas["ServiceConfig"]["properties"]["endpoint"]["maxLength"] == 2048
    body = document["paths"]["/services/register"]["post"]["requestBody"]
    assert "ServiceConfig" in json.dumps(body)
    assert set(document["paths"]["/services/{id}/restart"]["post"]["responses"]) >= {"200", "202"}


def test_the_page_comes_whole_from_this_server(api: Any) -> None:
    page = api.get("/docs")
    assert page.headers["Content-Type"].startswith("text/html")
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert b"//" not in page.body
    files = re.findall(r'(?:src|href)="([^"]+)"', page.body.decode())
    assert len(files) == 4
    for file in files:
        answer = api.get(file)
        assert answer.status == 200, file
        assert answer.headers["X-Content-Type-Options"] == "nosniff" or file == "/openapi.json"
    script = gzip.decompress(api.get("/docs/swagger-ui-bundle.js").body)
    assert b"SwaggerUIBundle" in script
    assert api.get("/docs/swagger-ui-bundle.js").headers["Content-Encoding"] == "gzip"
    assert api.get("/docs/..%2f..%2faccess.py").status == 404


def test_the_files_of_the_page_are_those_that_were_taken() -> None:
    folder = resources.files("azora_orchestrator.server").joinpath("swagger_ui")
    sums = dict(
        reversed(line.split()) for line in folder.joinpath("SHA256").read_text().splitlines()
    )
    files = {file.name for file in folder.iterdir() if file.name.endswith(".gz")}
    assert set(sums) == files
    for name, expected in sums.items():
        assert hashlib.sha256(folder.joinpath(name).read_bytes()).hexdigest() == expected
    assert "Apache License" in folder.joinpath("LICENSE").read_text()


def _node_tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed: {_INSTALL}")
    return found


@pytest.mark.slow
def test_a_generated_typescript_client_type_checks(
    document: dict[str, Any], tmp_path: Path
) -> None:
    generate, check = (_node_tool(name) for name in _NODE_TOOLS)
    (tmp_path / "api.json").write_text(json.dumps(document))
    (tmp_path / "client.ts").write_text(_CLIENT)
    subprocess.run(
        [generate, "api.json", "-o", "api.d.ts", "--default-non-nullable", "false"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    done = subprocess.run(
        [check, "--strict", "--noEmit", "--target", "es2022", "client.ts"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")
