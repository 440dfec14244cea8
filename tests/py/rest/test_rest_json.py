"""Bodies that are no JSON: said with the place, or with the field whose rule they break."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytestmark = pytest.mark.native

START = '{"id":"a","type":"core","endpoint":"http://127.0.0.1:1"'


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{", "line 1, column 2: "),
        (START + ",\n  }", "line 2, column 3: "),
        (START + ', "id": "b"}', 'line 1, column 58: the key "id" appears twice in one object'),
        (START + "}\0", f"line 1, column {len(START) + 2}: a NUL byte is not allowed"),
        (START + "}\0\0junk", f"line 1, column {len(START) + 2}: a NUL byte is not allowed"),
        ("\0", "line 1, column 1: a NUL byte is not allowed"),
        ("", "line 1, column 1: the text is empty"),
        ("1e400", "line 1, column 1: the number 1e400 is out of range"),
    ],
)
def test_what_is_no_json_is_said_with_its_place(body: str, said: str, api: Any) -> None:
    answer = api.register(body)
    assert (answer.status, answer.json["code"]) == (400, "invalid_json")
    assert answer.json["error"].startswith("the body is not valid JSON: line ")
    assert said in answer.json["error"]
    assert "faults" not in answer.json
    assert api.get("/services").json == {"services": []}


@pytest.mark.parametrize(
    ("field", "number", "rule"),
    [
        ("healthCheckInterval", str(2**70), "an integer of at most 2147483647 (milliseconds)"),
        ("priority", "1e400", "an integer from 1 to 10"),
        ("weight", "-1e999", "a number from 0 to 1000000"),
        ("maxRestarts", "9" * 90, "an integer of at most 2147483647"),
        ("team", "1e400", "a number of 64 bits"),
    ],
)
def test_a_number_out_of_range_names_its_field_and_rule(
    field: str, number: str, rule: str, api: Any
) -> None:
    answer = api.register(START + f',"{field}":{number}}}')
    assert (answer.status, answer.json["code"]) == (400, "invalid_json")
    shown = number if len(number) <= 80 else number[:80] + "..."
    assert answer.json["error"] == f"{field}: is {shown}; it must be {rule}"
    assert answer.json["faults"] == [{"field": field, "message": f"is {shown}; it must be {rule}"}]


def test_a_number_out_of_range_hides_no_other_fault(api: Any) -> None:
    body = (
        START + ',"weight":-1e999,"priority":11,"metadata":{"a":[1e400]},"healthCheckInterval":5}'
    )
    answer = api.register(body)
    assert (answer.status, answer.json["code"]) == (400, "invalid_json")
    fields = [fault["field"] for fault in answer.json["faults"]]
    assert fields == ["weight", "priority", "healthCheckInterval", "metadata.a[0]"]
    assert api.get("/services").json == {"services": []}


def test_nested_fields_are_named_by_their_path(api: Any) -> None:
    nested = {"healthCheck": {"timeout": "HUGE"}}
    body = START + "," + json.dumps(nested)[1:].replace('"HUGE"', "1e999")
    fault = api.register(body).json["faults"][0]
    assert fault["field"] == "healthCheck.timeout"


def register_many(api: Any, body: str) -> Any:
    return api.ask("POST", "/services", body, {"Content-Type": "application/json"})


def test_several_services_are_registered_all_or_none(api: Any) -> None:
    one, two = START + "}", START.replace('"a"', '"b"') + ',"weight":1.50}'
    answer = register_many(api, f" [ {one} ,{two}\n] ")
    assert (answer.status, answer.json) == (
        200,
        {"success": True, "message": "2 services registered successfully"},
    )
    assert [service["serviceId"] for service in api.get("/services").json["services"]] == ["a", "b"]
    assert b'"weight":1.50' in api.get("/services/b").body  # as it was written
    wrong = START.replace('"a"', '"c"') + ',"priority":11}'
    answer = register_many(api, f"[{one.replace('core', 'b2b')},{wrong}]")
    assert (answer.status, answer.json["code"]) == (400, "invalid_spec")
    assert [fault["field"] for fault in answer.json["faults"]] == ["services[1].priority"]
    assert api.get("/services/a").json["config"]["type"] == "core"
    assert register_many(api, "[]").status == 200


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("[" + START + '},{"id":"b","id":"c"}]', 'the key "id" appears twice'),
        ("[" + START + "},]", "line 1, column "),
        ("[" + START + "}", "line 1, column "),
        ("[" + START + "} {}]", "line 1, column "),
        ("[" * 100_000, "nested deeper"),
        ("[NaN]", "line 1, column "),
        ("[5]", "must be an object"),
    ],
)
def test_a_list_that_is_wrong_registers_nothing(body: str, said: str, api: Any) -> None:
    answer = register_many(api, body)
    assert answer.status == 400
    assert said in answer.json["error"]
    assert api.get("/services").json == {"services": []}
