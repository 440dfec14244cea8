"""Small JSON objects that routes read themselves; services are read by the core."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from typing import Any

from azora_orchestrator._json_values import MOST_DEPTH, expressible
from azora_orchestrator.server.problems import HTTPProblem


def fields_of(body: bytes, kinds: Mapping[str, type]) -> dict[str, Any]:
    """The fields of a JSON object; no body is an object without fields.

    Args:
        body: As it came.
        kinds: The known fields: what each must be.

    Raises:
        HTTPProblem: 400: it is no such object, or has a field twice, unknown or of another kind.
    """
    if not body:
        return {}
    try:
        text = body.removeprefix(b"\xef\xbb\xbf").decode()
        found = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise _invalid(f"it is not UTF-8: byte {error.start} is wrong") from None
    except RecursionError:
        raise _invalid(f"it is nested deeper than {MOST_DEPTH}") from None
    except ValueError as error:
        raise _invalid(str(error)) from None
    if not isinstance(found, dict):
        raise _invalid("it must be an object")
    for name, value in found.items():
        if name not in kinds:
            raise _wrong(f"{name}: is not a known field; {_known(name, kinds)}")
        if not _is_of(value, kinds[name]):
            said = {int: "an integer", str: "a string"}[kinds[name]]
            raise _wrong(f"{name}: is {json.dumps(value)[:60]}; it must be {said}")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f'"{twice}" is given twice')
    return found


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is not a value of JSON")


def _is_of(value: Any, kind: type) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool) and expressible(value)


def _known(name: str, kinds: Mapping[str, type]) -> str:
    near = difflib.get_close_matches(name, list(kinds), n=1)
    return f'did you mean "{near[0]}"?' if near else f"the fields are {', '.join(kinds)}"


def _invalid(what: str) -> HTTPProblem:
    return HTTPProblem(400, "invalid_json", f"the body is not valid JSON: {what}")


def _wrong(what: str) -> HTTPProblem:
    return HTTPProblem(400, "invalid_argument", what)
